import type { Key } from '../../api/contract.ts'
import type { Fleet, FleetKey } from '../../fleet/fleet.ts'
import { placeOf } from '../fleet-keys.ts'
import type { Finding } from '../finding.ts'
import { leaseOf } from '../open-rotations.ts'
import { goOnLine } from '../rotate-line.ts'
import type { Rule } from '../rule.ts'
import type { OpenRotation, Survey } from '../survey.ts'

export const missingKey: Rule = {
  id: 'missing-key',
  severity: 'error',
  summary: 'a key of pictify-keys.yaml is not in the account as the file has it',
  help: 'What the file says is what the team relies on: a key in it that is not in the account, was revoked, or is of another `type` means that something runs on another key than is believed, or on none. A test key where a live one belongs gives no error, only watermarks. It is told by id, else by exact name. A key that is gone while its rotation is under way is there as its successor; where nobody goes on with that rotation, it is a warning, and the line that does goes on. A key that the file has by its name and by its id is a warning. Without a `pictify-keys.yaml` the rule is skipped.',
  needs: ['fleet', 'rotations'],
  goesByOwnKey: true,
  *check(survey) {
    const { fleet, keys } = survey
    if (!fleet.known) return
    const isId = (entry: FleetKey) => keys.some(({ id }) => id === entry.key)
    for (const entry of fleet.value.keys) {
      const found = keys.filter(({ id, name }) => (isId(entry) ? id : name) === entry.key)
      const wrong = found.some(({ status }) => status === 'active')
        ? (ofAnotherType(entry, found) ?? twice(entry, found, fleet.value))
        : gone(survey, entry, found[0])
      if (wrong !== undefined) yield { rule: 'missing-key', ...wrong, place: placeOf(fleet.value, entry) }
    }
  },
}

type Wrong = Omit<Finding, 'rule' | 'place'>

/** No active key is it: it never was there, was revoked, or is being replaced. */
function gone(survey: Survey, entry: FleetKey, revoked: Key | undefined): Wrong | undefined {
  const { key: wanted, type } = entry
  const rotation = rotationOf(survey, wanted)
  if (rotation !== undefined) return replaced(survey, wanted, revoked, rotation)
  if (revoked === undefined) {
    return {
      severity: 'error',
      key: undefined,
      message: `"${wanted}" is not in the account`,
      evidence: { wanted, type: type ?? null },
      mend: createLine(entry),
    }
  }
  const { id, name, revokedAt = null } = revoked
  const heir = survey.keys.find((key) => key.status === 'active' && key.name === name)
  return {
    severity: 'error',
    key: { id, name, type: revoked.type },
    message: `is in the file, and was revoked${heir ? `; ${heir.id} has its name now: is that the one to be named there?` : ''}`,
    evidence: { wanted, revokedAt },
    mend: heir ? undefined : createLine({ ...entry, key: name, type: type ?? revoked.type }),
  }
}

/** The rotation that took the key away and can be gone on with. */
function rotationOf({ rotations, keys }: Survey, wanted: string): OpenRotation | undefined {
  const isActive = (id: string | undefined) => keys.some((key) => key.id === id && key.status === 'active')
  return rotations.known
    ? rotations.value.find((each) => each.replaces(wanted) && (each.here || isActive(each.newKeyId)))
    : undefined
}

function replaced(
  survey: Survey,
  wanted: string,
  revoked: Key | undefined,
  rotation: OpenRotation,
): Wrong | undefined {
  const { id, newKeyId } = rotation
  if (leaseOf(rotation, survey.at) === 'held') return undefined
  const successor = survey.keys.find((key) => key.id === newKeyId)
  const what = revoked === undefined ? `"${wanted}" is gone` : 'was revoked'
  const next =
    successor === undefined ? 'there is no successor yet' : `${successor.id} has not got its name yet`
  return {
    severity: successor === undefined ? 'error' : 'warning',
    key: revoked ?? successor,
    message: `${what}, and nobody goes on with its rotation: ${next}`,
    evidence: { wanted, rotation: id, successor: newKeyId ?? null },
    mend: goOnLine(survey, rotation),
  }
}

/** Where the active keys of that name are of another type than the file says. */
function ofAnotherType(entry: FleetKey, found: readonly Key[]): Wrong | undefined {
  const { key: wanted, type } = entry
  const other = found.find((key) => key.status === 'active' && type !== undefined && key.type !== type)
  if (other === undefined || found.some((key) => key.status === 'active' && key.type === type))
    return undefined
  return {
    severity: 'error',
    key: other,
    message: `is a ${other.type} key, where the file has a ${type} one`,
    evidence: { wanted, type: type ?? null, found: other.type },
    // a key keeps its type: another one is created, and this one goes when nothing uses it
    mend: createLine({ ...entry, key: other.name }),
  }
}

/** By its name, where the file has every such key by its id as well: that entry counts, and nobody sees this one changed. */
function twice(entry: FleetKey, found: readonly Key[], { keys }: Fleet): Wrong | undefined {
  const active = found.filter(({ status }) => status === 'active')
  const byId = active.flatMap(({ id }) => keys.find(({ key }) => key === id && key !== entry.key) ?? [])
  const [key] = active
  const [other] = byId
  if (key === undefined || other === undefined || byId.length < active.length) return undefined
  return {
    severity: 'warning',
    key,
    message: `is in the file twice: what line ${other.line} says of its id counts, and not this; leave one of them`,
    evidence: { wanted: entry.key, line: entry.line, lineOfId: other.line },
    mend: undefined,
  }
}

/** Live, unless the file says otherwise. By an id none can be created; what looks like a flag is for a person to quote. */
function createLine({ key, type = 'live', to }: FleetKey): string[] | undefined {
  if (/^key_\w+$|^-/.test(key)) return undefined
  return ['pictify-keys', 'create', key, '--type', type, ...to.flatMap((target) => ['--to', target])]
}

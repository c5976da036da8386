import type { Key } from '../../api/contract.ts'
import type { FleetKey } from '../../fleet/fleet.ts'
import { placeOf } from '../fleet-keys.ts'
import type { Finding } from '../finding.ts'
import type { Rule } from '../rule.ts'

export const missingKey: Rule = {
  id: 'missing-key',
  severity: 'error',
  summary: 'a key of pictify-keys.yaml is not in the account as the file has it',
  help: 'What the file says is what the team relies on: a key in it that is not in the account, was revoked, or is of another `type` means that something runs on another key than is believed, or on none. A test key where a live one belongs gives no error, only watermarks. It is told by id, else by exact name. Without a `pictify-keys.yaml` the rule is skipped.',
  needs: ['fleet'],
  *check({ fleet, keys }) {
    if (!fleet.known) return
    const isId = (entry: FleetKey) => keys.some(({ id }) => id === entry.key)
    for (const entry of fleet.value.keys) {
      const found = keys.filter(({ id, name }) => (isId(entry) ? id : name) === entry.key)
      const wrong = whatIsWrong(entry, found)
      if (wrong !== undefined) {
        yield { rule: 'missing-key', severity: 'error', ...wrong, place: placeOf(fleet.value, entry) }
      }
    }
  },
}

function whatIsWrong(
  entry: FleetKey,
  found: readonly Key[],
): Pick<Finding, 'key' | 'message' | 'evidence' | 'mend'> | undefined {
  const { key: wanted, type } = entry
  const [active] = found.filter(({ status }) => status === 'active')
  const [revoked] = found
  if (active === undefined && revoked === undefined) {
    return {
      key: undefined,
      message: `"${wanted}" is not in the account`,
      evidence: { wanted, type: type ?? null },
      mend: createLine(entry),
    }
  }
  if (active === undefined && revoked !== undefined) {
    const { id, name, revokedAt = null } = revoked
    return {
      key: { id, name, type: revoked.type },
      message: 'is in the file, and was revoked',
      evidence: { wanted, revokedAt },
      mend: createLine({ ...entry, key: name, type: type ?? revoked.type }),
    }
  }
  const other = found.find((key) => key.status === 'active' && type !== undefined && key.type !== type)
  if (other === undefined || found.some((key) => key.status === 'active' && key.type === type))
    return undefined
  return {
    key: other,
    message: `is a ${other.type} key, where the file has a ${type} one`,
    evidence: { wanted, type: type ?? null, found: other.type },
    // a key keeps its type: another one is created, and this one goes when nothing uses it
    mend: createLine({ ...entry, key: other.name }),
  }
}

/** By an id none can be created; what looks like a flag is for a person to quote. */
function createLine({ key, type, to }: FleetKey): string[] | undefined {
  if (/^key_\w+$|^-/.test(key)) return undefined
  return [
    'pictify-keys',
    'create',
    key,
    ...(type === undefined ? [] : ['--type', type]),
    ...to.flatMap((target) => ['--to', target]),
  ]
}

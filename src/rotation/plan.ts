// Rules of this file:
// - nothing is changed yet, in the account or in a target; only our own state directory is written to;
// - everything that is wrong is said at once.
import { randomBytes } from 'node:crypto'
import type { Client, Key } from '../api/contract.ts'
import { hasCode, KeysError, type ExitCode } from '../errors.ts'
import { keyLimit } from '../key-limits.ts'
import { redact, type Secret } from '../secret.ts'
import type { Held } from '../targets/target.ts'
import { getOrGone, isActive, type Account } from './account.ts'
import { lockedElsewhere } from './claim.ts'
import { identitiesOf } from './identity.ts'
import { fingerprintOf, parseMark, plainName } from './marked-name.ts'
import { restartsOf, waitsOf, type RotationOptions, type RotationServices, type Run } from './run.ts'
import { refuseEmptyForSelf, refuseOthersEscrow, refuseOtherThanSelf, refuseWrongSelf } from './self.ts'
import type { OldKey } from './state.ts'

/** What a rotation starts from: the old key (or, when it is gone, what is known of it) and the list. */
export interface Start {
  old: OldKey
  account: Account
  /** Successors of dead runs that may still be in use. */
  strays: string[]
  /** A revoked old key is no obstacle: an earlier run has come that far, or the user asked for it. */
  forward: boolean
}

/** Checks everything that can be checked before anything is changed. Throws `plan-failed`, or the one thing that is wrong. */
export async function plan(services: RotationServices, options: RotationOptions, start: Start): Promise<Run> {
  const { api, learn } = services
  // Of a key that is gone, what the targets hold by now is no failure, and not to be listed as one.
  refuseInactive(options, start)
  const failures: KeysError[] = []
  const attempt = async (check: () => Promise<void>) => {
    try {
      await check()
    } catch (error) {
      if (!(error instanceof KeysError) || hasCode(error, 'interrupted')) throw error
      failures.push(error)
    }
  }

  const held = new Map<string, Held>()
  let identities: ReadonlyMap<string, string | undefined> = new Map()
  await attempt(() => services.journals.prove(start.old.id))
  await attempt(async () => refuseFullPlan(services.api, options, start))
  if (options.targets.length === 0) failures.push(noTargets())
  for (const target of options.targets) {
    await attempt(async () => {
      // Nothing is changed yet, so that a run that is to stop stops here at once.
      await target.check(services.stop)
      if (target.readback === 'none') return
      const found = await target.read(services.stop)
      if (found === undefined) return
      learn(found.value)
      const what = `what ${target.name} holds`
      if (options.self) refuseOtherThanSelf(services.credential, what, found.value)
      else await refuseOtherKey(api, start.old, what, found.value)
      held.set(target.name, found)
    })
  }
  for (const restart of options.restarts) await attempt(() => restart.check(services.stop))
  await attempt(async () => refuseMissingVerify(options))
  const { oldSecret } = options
  if (oldSecret !== undefined) {
    await attempt(() => refuseOtherKey(api, start.old, 'the secret on stdin', oldSecret))
  }
  // With --self it is the credential itself, whatever the targets hold.
  const old = options.self ? services.credential : (oldSecret ?? firstSecret(held))
  await attempt(() => refuseWrongSelf(services, options, start, old))
  await attempt(async () => refuseEmptyForSelf(options, isUnheld(options, firstSecret(held))))
  await attempt(() => refuseOthersEscrow(services, options, start.old.id))
  if (failures.length === 0) {
    await attempt(async () => void (identities = await identitiesOf(options.targets, services.stop)))
  }
  if (failures.length > 0) throw together(failures)
  if (!isYoung(services.api, options, start)) await warnOfRefused(services, held)

  const id = randomBytes(3).toString('hex')
  const now = new Date(services.clock.now()).toISOString()
  return {
    options,
    services,
    api: services.api,
    escrowed: { successor: undefined, old, held },
    journal: {
      id,
      apiUrl: services.api.baseUrl,
      state: 'planned',
      startedAt: now,
      updatedAt: now,
      oldKey: start.old,
      lease: { until: 0, holder: '' },
      holders: [],
      fingerprint: fingerprintOf(old, id),
      targets: options.targets.map(({ name, place, readback }) => ({
        name,
        place,
        readback,
        state: 'pending',
        identity: identities.get(name),
      })),
      cwd: options.cwd,
      verify: options.verify?.command,
      restarts: restartsOf(options),
      createTarget: options.createTarget,
      waits: waitsOf(options),
      strays: start.strays,
      unheld: isUnheld(options, firstSecret(held)),
      self: options.self,
      compromised: options.compromised,
      deleteOld: options.deleteOld,
      notes: [],
    },
  }
}

/** The old key as a rotation remembers it. */
export function oldKeyOf(key: Key): OldKey {
  return { id: key.id, name: plainName(key.name), type: key.type, access: key.access }
}

function refuseInactive(options: RotationOptions, { old, account, forward }: Start): void {
  if (forward || options.compromised === 'revoke-first' || isActive(account.old)) return
  throw new KeysError('api-key-revoked', `${old.id} is revoked already; there is nothing to rotate`, {
    hint: 'if an earlier rotation did it, its successor has the name by now: see pictify-keys list; else create a new key: pictify-keys create',
  })
}

function refuseFullPlan(api: Client, options: RotationOptions, { old, account }: Start): void {
  const limit = keyLimit(api.plan, old.type)
  const makesRoom = options.compromised === 'revoke-first'
  const active = [
    makesRoom ? undefined : account.old,
    ...account.others,
    ...account.successors.map(({ key }) => key),
  ]
  const count = active.filter((key) => isActive(key) && key.type === old.type).length
  if (limit === undefined || count < limit) return
  const ofOthers = account.others.filter((key) => key.name.includes('(rotating '))
  const orphans = [...account.successors.map(({ key }) => key), ...ofOthers].map(({ id }) => id)
  throw new KeysError(
    'key-limit-reached',
    `no room for a successor: the ${api.plan} plan allows ${limit} active ${old.type} keys, and there are ${count}`,
    {
      hint:
        orphans.length > 0
          ? `earlier rotations left ${orphans.join(', ')}: end them (pictify-keys rotations) or revoke them`
          : 'revoke a key that is not used (pictify-keys list --unused-for 90d), or set --plan if that is not your plan',
    },
  )
}

function noTargets(): KeysError {
  return new KeysError('usage', 'no target: where does the application find its key?', {
    hint: 'name each place with --to, for example --to env:.env#PICTIFY_API_KEY',
  })
}

async function refuseMissingVerify({ verify }: RotationOptions): Promise<void> {
  if (verify === undefined) return
  if (redact(verify.command) !== verify.command) {
    throw new KeysError('invalid-secret', 'the verify command has a secret written in it', {
      hint: 'it finds the new key in PICTIFY_API_KEY of its environment',
    })
  }
  if (await verify.exists()) return
  throw new KeysError('usage', `the verify command cannot be run: ${verify.command}`, {
    hint: 'check its path; it is run by the shell, from this folder',
  })
}

/**
 * What a target holds may be another key's secret, which nobody else has, or no key at all: it is not overwritten.
 * Where the API cannot tell whose it is, it is taken for the old key's.
 */
async function refuseOtherKey(api: Client, old: OldKey, what: string, value: Secret): Promise<void> {
  if (value.reveal() === '') return
  if (value.type === undefined) {
    throw new KeysError('target-refused', `${what} is not an API key`, {
      hint: `name the place of ${old.id}; one that is to hold it from now on must be empty`,
    })
  }
  if (value.type !== old.type) {
    throw new KeysError(
      'target-refused',
      `${what} is a ${value.type} key, and ${old.id} is a ${old.type} key`,
      {
        hint: 'name the target that holds this key, or the key that this target holds',
      },
    )
  }
  const owner = await api.whose(value)
  if (owner === undefined || owner === old.id) return
  // A successor that a list which lags does not show yet: another run is at it.
  const mark = parseMark((await getOrGone(api, owner))?.name ?? '')
  if (mark?.oldId === old.id) throw lockedElsewhere(old.id, mark.leaseUntil, api.now())
  throw new KeysError('target-refused', `${what} is the secret of ${owner}, not of ${old.id}`, {
    hint: 'name the target that holds this key, or the key that this target holds',
  })
}

/** A value the API refuses is no obstacle, but the user should know that the application is down already. */
async function warnOfRefused(
  { api, report }: RotationServices,
  held: ReadonlyMap<string, Held>,
): Promise<void> {
  for (const [name, { value }] of held) {
    if ((await api.probe(value)) !== 'refused') continue
    report({
      event: 'warning',
      code: 'target-refused-value',
      message: `${name} holds a key that the API refuses`,
    })
  }
}

/** A key made just now is refused for a while by rights. */
function isYoung(api: Client, { settleMs }: RotationOptions, { account: { old } }: Start): boolean {
  return old !== undefined && Date.parse(old.createdAt) + settleMs > api.now()
}

/** A variable that is there and empty holds no secret. */
function firstSecret(held: ReadonlyMap<string, Held>): Secret | undefined {
  return [...held.values()].find(({ value }) => value.reveal() !== '')?.value
}

/** Whether targets were read, and no secret was found in any: the applications may find theirs in another place. */
export function isUnheld({ targets }: RotationOptions, found: unknown): boolean {
  return found === undefined && targets.some(({ readback }) => readback === 'value')
}

function together(failures: KeysError[]): KeysError {
  const [first] = failures
  if (first !== undefined && failures.length === 1) return first
  const exits = new Set<ExitCode>(failures.map(({ exit }) => exit))
  return new KeysError('plan-failed', failures.map(({ message }) => message).join('\n'), {
    hint: failures
      .map(({ hint }) => hint)
      .filter((hint) => hint !== undefined)
      .join('\n'),
    exit: exits.size === 1 ? first?.exit : undefined,
  })
}

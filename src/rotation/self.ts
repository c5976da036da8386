// What is checked before the credential in use is rotated (`--self`), or a key that might be it.
import { KeysError } from '../errors.ts'
import type { Secret } from '../secret.ts'
import type { Account } from './account.ts'
import type { RotationOptions, RotationServices } from './run.ts'
import { isOver, type OldKey } from './state.ts'

/** The key to be rotated, and the account it is in. */
interface Beginning {
  old: OldKey
  account: Account
}

/** With --self we are the successor's only sure user: that others read it from the place shows by what it held. */
export function refuseEmptyForSelf(options: RotationOptions, unheld: boolean): void {
  if (!options.self || !options.evidence || options.compromised !== undefined) return
  if (!unheld) return
  const names = options.targets.map(({ name }) => name).join(', ')
  throw new KeysError('target-refused', `${names} does not hold the admin key yet`, {
    hint: 'put the key there first, so that it is proved to be its place; or add --no-evidence',
  })
}

/** The escrows of open rotations are sealed for the admin key in use: without it nobody could open them. */
export async function refuseOthersEscrow(
  { api, journals }: RotationServices,
  options: RotationOptions,
  oldId: string,
): Promise<void> {
  if (!options.self || options.compromised !== undefined) return
  const open = (await journals.list()).flatMap((entry) =>
    'journal' in entry && entry.journal.apiUrl === api.baseUrl && !isOver(entry.journal.state)
      ? [entry.journal]
      : [],
  )
  const others = open.filter(({ oldKey }) => oldKey.id !== oldId).map(({ id }) => id)
  if (others.length === 0) return
  throw new KeysError(
    'usage',
    `rotations are open whose secrets only this admin key opens: ${others.join(', ')}`,
    {
      hint: `end them first: pictify-keys rotate ${others[0]} --resume, or --abort`,
    },
  )
}

/** Rotating the credential in use needs `--self`; `--self` for another key would lose the credential. */
export async function refuseWrongSelf(
  services: RotationServices,
  options: RotationOptions,
  start: Beginning,
  oldSecret: Secret | undefined,
): Promise<void> {
  const self = await isCredential(services, start, oldSecret)
  if (self === true && !options.self) {
    throw new KeysError('usage', `${start.old.id} is the admin key in use`, {
      hint: 'add --self: its successor then takes its place as the credential too',
    })
  }
  if (self === false && options.self) {
    throw new KeysError('usage', `${start.old.id} is not the admin key in use`, { hint: 'leave --self away' })
  }
  if (self === 'unknown' && !options.self && start.old.access === 'admin') {
    throw new KeysError('usage', `cannot tell whether ${start.old.id} is the admin key in use`, {
      hint: 'add --self if it is; if not, give its secret with --old-secret-stdin, so that the two can be told apart',
    })
  }
}

async function isCredential(
  { api, credential }: RotationServices,
  { old, account }: Beginning,
  oldSecret: Secret | undefined,
): Promise<boolean | 'unknown'> {
  if (old.access !== undefined && old.access !== 'admin') return false
  const owner = await api.whose(credential)
  if (owner !== undefined) return owner === old.id
  if (oldSecret?.equals(credential)) return true
  if (old.access === 'admin' && !account.others.some((key) => key.access === 'admin')) return true
  return oldSecret === undefined ? 'unknown' : false
}

/** With --self the old secret is known: any other is another key's. */
export function refuseOtherThanSelf(credential: Secret, what: string, value: Secret): void {
  if (value.reveal() === '' || value.equals(credential)) return
  throw new KeysError('target-refused', `${what} is not the admin key in use`, {
    hint: 'name the place that this key is kept in; one that is to hold it from now on must be empty',
  })
}

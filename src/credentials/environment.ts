import { KeysError } from '../errors.ts'
import { parseSecret, type Secret } from '../secret.ts'

export const adminKeyVariable = 'PICTIFY_ADMIN_KEY'

/** The credential in the environment. Throws `not-signed-in` when the variable is empty, `invalid-secret` for no key. */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): Secret | undefined {
  const value = env[adminKeyVariable]
  if (value === undefined) return undefined
  if (value.trim() === '') {
    throw new KeysError('not-signed-in', `${adminKeyVariable} is set, but empty`, {
      hint: 'give it an admin key (in CI: is the secret available to this job?), or unset it',
    })
  }
  return parseSecret(value, adminKeyVariable)
}

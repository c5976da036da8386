// The binding tells failures apart by their text alone: what it says becomes an error of ours here, and what it says that
// is not known here stays in the message.
import { type ErrorCode, KeysError } from '../errors.ts'
import { adminKeyVariable } from './environment.ts'

/** What is asked, and the line that signs in with the profile whose entry it is. */
export interface KeychainCall {
  /** What the keychain is called. */
  name: string
  platform: NodeJS.Platform
  login: (...flags: string[]) => string
}

type Login = KeychainCall['login']

const otherwise = (login: Login) =>
  `set ${adminKeyVariable}, or keep the key in the profile file: ${login('--store', 'file')}`

interface Kind {
  code: ErrorCode
  /** What the binding says, of all systems; macOS says it in the user's language, and is then of no kind. */
  said: RegExp
  message: (name: string) => string
  hint: (login: Login) => string
}

const kinds: Kind[] = [
  {
    code: 'keychain-denied',
    said: /user canceled|passphrase you entered is not correct|access.?denied|not allowed to access/i,
    message: (name) => `${name} was not allowed to give the key out`,
    hint: (login) => `run it again and allow the access; or ${otherwise(login)}`,
  },
  {
    code: 'keychain-locked',
    said: /prompt was dismissed|prompt dismissed|object locked|is ?locked|interaction is not allowed|no UI possible/i,
    message: (name) => `${name} is locked, and was not unlocked`,
    hint: (login) =>
      `unlock it and run it again (over SSH and in CI there is nobody to ask); or ${otherwise(login)}`,
  },
  {
    code: 'keychain-timeout',
    said: /did not receive a reply|reply timeout|timed out/i,
    message: (name) => `${name} does not answer`,
    hint: (login) => `see whether its service hangs, and start it anew; or ${otherwise(login)}`,
  },
  {
    code: 'keychain-entry',
    said: /not valid utf-?8|is malformed|matched by \d+ credentials|ambiguous/i,
    message: (name) => `the entry that ${name} has for this profile cannot be read`,
    hint: (login) =>
      `another program made or damaged it: remove it there (service pictify-keys), then run ${login()}`,
  },
  {
    code: 'keychain-unavailable',
    said: /no result found/i,
    message: (name) => `${name} has no default keyring to keep an entry in`,
    hint: (login) => `make one in the desktop's program for passwords and keys; or ${otherwise(login)}`,
  },
  {
    code: 'keychain-unavailable',
    said: /no dbus session|provider found|no secret service|dbus_session_bus_address|unable to autolaunch|failed to connect to socket|serviceunknown|was not provided by any|no_such_logon_session|no such keychain|no keychain is available|not available|connection refused|no such file/i,
    message: (name) => `${name} cannot be reached here`,
    hint: (login) => `it is part of a desktop session; elsewhere ${otherwise(login)}`,
  },
]

/** The error of a call that the binding says has failed. */
export function keychainFailure(
  { failed, message }: { failed: 'load' | 'call'; message: string },
  { name, platform, login }: KeychainCall,
): KeysError {
  if (failed === 'load') {
    return new KeysError(
      'keychain-unavailable',
      `there is no keychain that this installation can use: @napi-rs/keyring does not load on ${platform}`,
      {
        hint: `install pictify-keys anew with its optional dependencies (npm install --include=optional); or ${otherwise(login)}`,
        cause: new Error(message),
      },
    )
  }
  const kind = kinds.find(({ said }) => said.test(message))
  if (kind === undefined) {
    return new KeysError('credential-store', `${name} failed: ${message}`, { hint: otherwise(login) })
  }
  return new KeysError(kind.code, kind.message(name), { hint: kind.hint(login), cause: new Error(message) })
}

export function keychainTimeout(
  { name, login }: KeychainCall,
  limitMs: number,
  operation: string,
): KeysError {
  const unclear =
    operation === 'write' || operation === 'remove' ? '; whether it did what it was asked is not known' : ''
  return new KeysError('keychain-timeout', `${name} has not answered within ${limitMs / 1000} s${unclear}`, {
    hint: `is it asking for its password, perhaps in a window you do not see? answer there and run it again (--timeout gives it longer); or ${otherwise(login)}`,
  })
}

/** The error of a call whose process ended without a word. */
export function withoutAnswer({ name, login }: KeychainCall, why: string): KeysError {
  return new KeysError('credential-store', `${name} gave no answer: ${why}`, { hint: otherwise(login) })
}

import { expect, test } from 'vitest'
import { keychainFailure } from '../../src/credentials/keychain-failure.ts'

const login = (...flags: string[]) => ['pictify-keys login', ...flags, '--profile acme'].join(' ')
const said = (message: string) =>
  keychainFailure({ failed: 'call', message }, { name: 'the keychain', platform: 'linux', login })

test.each([
  // the Secret Service, as it says it
  ["Couldn't access platform storage: Secret Service: unlock prompt was dismissed", 'keychain-locked'],
  ["Couldn't access platform storage: Secret Service: object locked", 'keychain-locked'],
  ["Couldn't access platform storage: Secret Service: no result found", 'keychain-unavailable'],
  ['Platform failure: No DBus session or Secret Service provider found', 'keychain-unavailable'],
  [
    'Platform failure: DBus error: Failed to connect to socket /run/bus: Connection refused',
    'keychain-unavailable',
  ],
  [
    'Platform failure: DBus error: Unable to autolaunch a dbus-daemon without a $DISPLAY for X11',
    'keychain-unavailable',
  ],
  [
    'Platform failure: DBus error: The name org.freedesktop.secrets was not provided by any .service files',
    'keychain-unavailable',
  ],
  ['Platform failure: DBus error: Did not receive a reply. Possible causes include: …', 'keychain-timeout'],
  ['Entry is matched by 2 credentials: [Entry { inner: Wrapper { path: Path("/a/1") } }]', 'keychain-entry'],
  ['Password data is not valid UTF-8', 'keychain-entry'],
  // macOS
  ['Platform failure: User canceled the operation.', 'keychain-denied'],
  ['Platform failure: The user name or passphrase you entered is not correct.', 'keychain-denied'],
  ['Platform failure: User interaction is not allowed.', 'keychain-locked'],
  [
    "Couldn't access platform storage: No keychain is available. You may need to restart your computer.",
    'keychain-unavailable',
  ],
  // Windows
  ["Couldn't access platform storage: Windows ERROR_NO_SUCH_LOGON_SESSION", 'keychain-unavailable'],
] as const)('%s', (message, code) => {
  const error = said(message)
  expect(error).toMatchObject({ code, exit: 4 })
  expect(error.message).toContain('the keychain')
  expect(error.message).toBe(error.message.toLowerCase())
  // the line to run is whole
  expect(error.hint).toContain('--profile acme')
})

test('what nobody knows is passed on in its own words', () => {
  expect(said('Die Aktion wurde vom Benutzer abgebrochen.')).toMatchObject({
    code: 'credential-store',
    exit: 4,
    message: 'the keychain failed: Die Aktion wurde vom Benutzer abgebrochen.',
  })
})

// Completion of the built program, with its key in a real Secret Service: a Tab never makes that ask for its password.
import { beforeEach, describe, expect, inject, test } from 'vitest'
import { useKeychain } from '../credentials/keychain-account.ts'
import type { KeychainFacts } from '../credentials/secret-service.ts'

const facts = inject('servers')['keychain'] as KeychainFacts | undefined

describe.skipIf(!facts)('completion with the key in the keychain', () => {
  const home = useKeychain(facts)
  beforeEach(async () => {
    await home.signIn()
  })

  const complete = () =>
    home.account.run(['__complete', 'fish', '--', 'show', 'key_'], {
      env: { ...home.env, PICTIFY_DEBUG: '1' },
    })
  const ids = () => home.account.keys().map(({ id }) => id)
  const lock = async () => {
    await home.service.lock()
    await home.service.hideWindow()
  }

  test('asks the API while the keychain is open', async () => {
    const { stdout } = await complete()
    for (const id of ids()) expect(stdout).toContain(id)
  })

  test('is what list printed last while the keychain is locked', async () => {
    expect((await home.account.run(['list'], { env: home.env })).exit).toBe(0)
    await lock()
    const { stdout } = await complete()
    for (const id of ids()) expect(stdout).toContain(id)
  })

  test('is nothing where no list was had, and nobody is asked to unlock it', async () => {
    await lock()
    const ran = await complete()
    expect(ran).toMatchObject({ exit: 0, stdout: 'words\n' })
    // it said so itself: what asks in a window says nothing within the time that a completion has
    expect(ran.stderr).toContain('the Secret Service is locked')
  })
})

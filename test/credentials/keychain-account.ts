import path from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { openAccount, type Account } from '../cli/account.ts'
import type { Ran } from '../cli/program.ts'
import { type KeychainFacts, openSecretService, type SecretService } from './secret-service.ts'

/** The program in a home of its own, with a Secret Service and a sandbox of its own, and no key in its environment. */
interface KeychainAccount {
  service: SecretService
  account: Account
  env: Record<string, string | undefined>
  profileFile: string
  admin: () => string
  run: (...args: string[]) => Promise<Ran>
  /** `login` with the admin key on stdin. */
  signIn: (...args: string[]) => Promise<Ran>
}

/** For the suite it is called in: one for each test. */
export function useKeychain(facts: KeychainFacts | undefined): KeychainAccount {
  const user = {
    admin: () => user.account.sandbox.adminKey.reveal(),
    run: (...args) => user.account.run([...args, '--json'], { env: user.env }),
    signIn: (...args) =>
      user.account.run(['login', ...args, '--json'], { env: user.env, input: user.admin() }),
  } as KeychainAccount
  beforeEach(async () => {
    user.service = await openSecretService(facts as KeychainFacts)
    user.account = await openAccount({ keys: 3 })
    user.env = { ...user.service.env, PICTIFY_ADMIN_KEY: undefined }
    user.profileFile = path.join(user.account.home.directory, 'config', 'pictify-keys', 'config.json')
  })
  afterEach(async () => {
    await user.account.end()
    await user.service.end()
  })
  return user
}

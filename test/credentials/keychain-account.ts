import path from 'node:path'
import { openAccount, type Account } from '../cli/account.ts'
import type { Ran } from '../cli/program.ts'
import { type KeychainFacts, openSecretService, type SecretService } from './secret-service.ts'

/** The program in a home of its own, with a Secret Service and a sandbox of its own, and no key in its environment. */
export interface KeychainAccount {
  service: SecretService
  account: Account
  env: Record<string, string | undefined>
  profileFile: string
  run(...args: string[]): Promise<Ran>
  /** `login` with the admin key on stdin. */
  signIn(...args: string[]): Promise<Ran>
  end(): Promise<void>
}

export async function openKeychainAccount(facts: KeychainFacts): Promise<KeychainAccount> {
  const service = await openSecretService(facts)
  const account = await openAccount({ keys: 3 })
  const env = { ...service.env, PICTIFY_ADMIN_KEY: undefined }
  return {
    service,
    account,
    env,
    profileFile: path.join(account.home.directory, 'config', 'pictify-keys', 'config.json'),
    run: (...args) => account.run([...args, '--json'], { env }),
    signIn: (...args) =>
      account.run(['login', ...args, '--json'], { env, input: account.sandbox.adminKey.reveal() }),
    async end() {
      await account.end()
      await service.end()
    },
  }
}

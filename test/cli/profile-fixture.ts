import path from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { openAccount, type Account } from './account.ts'
import type { Ran } from './program.ts'

interface AccountOfProfile extends Account {
  /** An environment without a key. */
  none: { PICTIFY_ADMIN_KEY: undefined }
  profileFile: () => string
  /** Into the profile file; with the admin key, where no other text is given. */
  signIn: (input?: string) => Promise<Ran>
}

/** For the suite it is called in: an account for each test, for what the profile file holds. */
export function useProfile(): AccountOfProfile {
  const account = {
    none: { PICTIFY_ADMIN_KEY: undefined },
    profileFile: () => path.join(account.home.directory, 'config', 'pictify-keys', 'config.json'),
    signIn: (input = account.sandbox.adminKey.reveal()) =>
      account.run(['login', '--store', 'file', '--json'], { input, env: account.none }),
  } as AccountOfProfile
  beforeEach(async () => {
    Object.assign(account, await openAccount({ keys: 3 }))
  })
  afterEach(() => account.end())
  return account
}

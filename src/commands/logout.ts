import { adminKeyVariable } from '../credentials/environment.ts'
import { openCredentialStore } from '../credentials/file.ts'
import { defineCommand } from './command.ts'

export const logout = defineCommand({
  name: 'logout',
  summary: 'forget the kept admin key; the key itself goes on working',
  examples: ['pictify-keys logout', 'pictify-keys logout --profile staging'],

  async run({ config, env, out }) {
    const opened = await config()
    const { profile } = opened
    const removed = opened.hasAdminKey
    if (removed) await openCredentialStore(opened).remove()
    if (env[adminKeyVariable]) out.warn(`${adminKeyVariable} is still set, so commands go on with that key`)
    out.result({ logout: { profile, removed } }, () =>
      removed ? `signed out (profile ${profile})` : `there was no key to forget (profile ${profile})`,
    )
  },
})

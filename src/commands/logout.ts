import { adminKeyVariable } from '../credentials/environment.ts'
import { defineCommand } from './command.ts'
import { forgetKnownKeys } from './complete-keys.ts'
import { confirmForgetting } from './forgetting.ts'

export const logout = defineCommand({
  name: 'logout',
  summary: 'forget the kept admin key; the key itself goes on working',
  flags: {
    yes: { type: 'boolean', short: 'y', summary: 'skip the question about a key that may be missed' },
  },
  examples: ['pictify-keys logout', 'pictify-keys logout --profile staging'],

  async run(context, { yes }) {
    const { env, out } = context
    const config = await context.config()
    const { profile, store } = config
    const removed = store !== undefined
    if (removed) {
      await confirmForgetting(context, config, { yes })
      await (await context.credentialStore(config, store)).remove()
    }
    await forgetKnownKeys(context)
    // the address was the key's: without it, the next key is for the API that login is told of
    if (config.settings.apiUrl !== undefined) await config.change({ apiUrl: undefined })
    if (env[adminKeyVariable]) out.warn(`${adminKeyVariable} is still set, so commands go on with that key`)
    out.result({ logout: { profile, removed } }, () =>
      removed ? `signed out (profile ${profile})` : `there was no key to forget (profile ${profile})`,
    )
  },
})

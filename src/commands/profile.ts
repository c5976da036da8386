import type { Context } from '../context.ts'
import { profileHint } from '../credentials/lookup.ts'
import { profileLabel } from '../credentials/whose.ts'
import { KeysError } from '../errors.ts'
import { profileTable } from '../ui/profiles.ts'
import { defineCommand } from './command.ts'
import { forgetKnownKeys } from './complete-keys.ts'
import { lossesOf } from './forgetting.ts'
import { nameInForce, profileRows } from './profile-rows.ts'

export const profile = defineCommand({
  name: 'profile',
  summary: 'profiles for several teams: list them, use one by default, delete one',
  args: [
    { name: 'action', summary: 'list, use or delete', choices: ['list', 'use', 'delete'] },
    { name: 'name', summary: 'the profile', optional: true },
  ],
  flags: {
    yes: { type: 'boolean', short: 'y', summary: 'delete: skip the question' },
    force: { type: 'boolean', summary: 'delete: even where the keychain cannot be asked to forget the key' },
  },
  examples: [
    'pictify-keys profile list',
    'pictify-keys login --profile acme',
    'pictify-keys profile use acme',
    'pictify-keys profile delete acme',
  ],

  async run(context, { action, name, yes, force }) {
    switch (action) {
      case 'list':
        return list(context, name)
      case 'use':
        return use(context, await existing(context, name, 'Which profile is to be used by default?'))
      case 'delete':
        return remove(context, await existing(context, name, 'Which profile is to be deleted?'), {
          yes,
          force,
        })
    }
  },
})

async function list(context: Context, name: string | undefined): Promise<void> {
  if (name !== undefined) {
    throw new KeysError('usage', 'profile list takes no name', { hint: 'it lists all of them' })
  }
  const { out } = context
  const profiles = await profileRows(context)
  out.result({ profiles }, (data) => profileTable(data.profiles, out))
}

async function use(context: Context, name: string): Promise<void> {
  const { out, env } = context
  const config = await context.openProfile(name)
  await config.choose()
  const [row] = (await profileRows(context)).filter((each) => each.name === name)
  if ((env['PICTIFY_PROFILE'] ?? '') !== '' && env['PICTIFY_PROFILE'] !== name) {
    out.warn(`PICTIFY_PROFILE is set, and goes before what is chosen now`)
  }
  if (config.store === undefined) {
    out.warn(`nobody is signed in with profile ${name}: run ${context.loginLine(name)}`)
  }
  out.result({ profile: row }, () => `profile ${name} is used from now on, where no other is named`)
}

async function remove(
  context: Context,
  name: string,
  { yes, force }: { yes: boolean; force: boolean },
): Promise<void> {
  const { out, prompt } = context
  const config = await context.openProfile(name)
  const losses = await lossesOf(context, config)
  for (const loss of losses) out.warn(loss)
  const what = config.store === undefined ? 'its settings' : 'its key and its settings'
  // it is not about the keys in use
  const question = prompt.about(profileLabel(config))
  if (!yes) await question.confirm(`Delete profile ${name}, with ${what}?`, '--yes')
  const { store } = config
  if (store !== undefined) {
    try {
      await (await context.credentialStore(config, store)).remove()
    } catch (error) {
      if (!force || !(error instanceof KeysError) || error.code === 'interrupted') throw error
      out.warn(`the keychain may still have the key of profile ${name}: ${error.message}`)
    }
  }
  await config.remove()
  await forgetKnownKeys(context)
  const inForce = await nameInForce(context)
  out.result({ deleted: [name] }, () =>
    inForce === name
      ? `deleted profile ${name}, which commands still name; without it, run pictify-keys login`
      : `deleted profile ${name}; commands use ${inForce}`,
  )
}

/** The name of a profile that there is. Throws `profile-not-found`. */
async function existing(context: Context, name: string | undefined, question: string): Promise<string> {
  const { profiles } = await context.openProfile()
  if (name === undefined) {
    if (profiles.length === 0)
      throw notFound('there is no profile yet', `run ${context.loginLine(await nameInForce(context))}`)
    const choices = (await profileRows(context)).map((row) => ({
      name: `${row.name} (${row.apiUrl ?? 'signed out'})`,
      value: row.name,
    }))
    return context.prompt.about(undefined).select(question, choices, '<name>')
  }
  if (profiles.includes(name)) return name
  throw notFound(`there is no profile ${name}`, profileHint(profiles, context.loginLine(name)))
}

function notFound(message: string, hint: string): KeysError {
  return new KeysError('profile-not-found', message, { hint })
}

import { defaultBaseUrl } from '../api/base-url.ts'
import { adminKeyVariable } from '../credentials/environment.ts'
import type { Context } from '../context.ts'
import type { Config } from '../config.ts'
import type { CredentialSource, StoreKind } from '../credentials/credential.ts'
import { hasCode, KeysError } from '../errors.ts'
import { refuseElsewhere } from '../credentials/lookup.ts'
import { parseSecret, type Secret } from '../secret.ts'
import { defineCommand } from './command.ts'
import { confirmForgetting } from './forgetting.ts'
import { readSecretFrom } from './secret-input.ts'

export const login = defineCommand({
  name: 'login',
  summary: 'prove an admin key against the API, and keep it',
  flags: {
    store: {
      type: 'choice',
      choices: ['keychain', 'file'],
      default: 'keychain',
      summary: 'where the key is kept',
    },
    move: { type: 'boolean', summary: 'take the key that the profile has already, and keep it in --store' },
    replace: {
      type: 'boolean',
      summary: 'overwrite an entry of the keychain that this profile knows nothing of',
    },
    yes: { type: 'boolean', short: 'y', summary: 'skip the question about a key that lies nowhere else' },
  },
  examples: [
    'pictify-keys login',
    'pictify-keys login --profile acme --api-url https://api.acme.example < admin-key.txt',
    'pictify-keys login --store file',
    'pictify-keys login --move --store keychain',
  ],

  async run(context, { store: kind, move, replace, yes }) {
    const { out } = context
    const config = await context.config()
    const apiUrl = await context.apiUrl()
    const store = await context.credentialStore(config, kind, { replace })
    // before anybody is asked for a key that could then not be kept
    await store.proveWritable()
    const secret = move ? await heldKey(context, config, apiUrl) : await readAdminKey(context)
    out.conceal(secret)
    await prove(context, secret)
    if (!move) await confirmForgetting(context, config, { yes, successor: secret })
    const before = config.store
    if (move) await store.write(secret)
    else await store.write(secret, { apiUrl })
    if (before === 'keychain' && kind === 'file') await removeFromKeychain(context, config)
    if (context.env[adminKeyVariable])
      out.warn(`${adminKeyVariable} is set, and goes before what is kept now`)
    const { source } = store
    out.result(
      { login: { profile: config.profile, apiUrl, store: kind, ...placeOf(source) } },
      () => `signed in to ${apiUrl} (profile ${config.profile}); the key lies in ${placeName(source)}`,
    )
  },
})

function placeOf(source: CredentialSource) {
  if (source.kind === 'file') return { path: source.path }
  return source.kind === 'keychain' ? { service: source.service, account: source.account } : {}
}

function placeName(source: CredentialSource): string {
  if (source.kind === 'file') return source.path
  return source.kind === 'keychain' ? source.keychain : source.variable
}

/** The copy in the other place goes only now that the new one was read back. */
async function removeFromKeychain(context: Context, config: Config): Promise<void> {
  try {
    await (await context.credentialStore(config, 'keychain')).remove()
  } catch (error) {
    if (!(error instanceof KeysError) || error.code === 'interrupted') throw error
    context.out.warn(
      `the keychain still has the key of profile ${config.profile}: ${error.message}; remove it there by hand`,
    )
  }
}

/** The key that the profile has, for another place. */
async function heldKey(context: Context, config: Config, apiUrl: string): Promise<Secret> {
  const from: StoreKind | undefined = config.store
  if (from === undefined) {
    throw new KeysError('not-signed-in', `profile ${config.profile} has no key that could be moved`, {
      hint: 'leave --move away, and give the key',
    })
  }
  refuseElsewhere(config, apiUrl, defaultBaseUrl)
  const secret = await (await context.credentialStore(config, from)).read()
  if (secret !== undefined) return secret
  throw new KeysError('not-signed-in', `the key of profile ${config.profile} is not there any more`, {
    hint: 'leave --move away, and give the key',
  })
}

async function readAdminKey(context: Context): Promise<Secret> {
  const { out, prompt, stdin, loginLine } = context
  if (out.interactive)
    return parseSecret(await prompt.secret('Admin key (hidden):', 'the key on stdin'), 'the key')
  if ('isTTY' in stdin && stdin.isTTY) {
    throw new KeysError('needs-answer', 'there is nobody to ask for the admin key', {
      hint: `give the key on stdin: ${loginLine((await context.config()).profile)} < admin-key.txt`,
    })
  }
  return readSecretFrom(context, 'the key on stdin')
}

/** An admin key may list keys; any other may not. */
async function prove({ clientFor, signal }: Context, secret: Secret): Promise<void> {
  const api = await clientFor(secret)
  try {
    for await (const _ of api.keys.list({ status: 'active' }, { signal })) break
  } catch (error) {
    if (hasCode(error, 'insufficient-permissions')) {
      throw new KeysError(
        'insufficient-permissions',
        `the API takes the key ${secret.hint}, but it is not an admin key`,
        {
          hint: 'have a team admin create a key with admin access, and sign in with that',
          status: error.status,
          cause: error,
        },
      )
    }
    if (hasCode(error, 'invalid-api-key')) {
      throw new KeysError('invalid-api-key', `the API refuses the key ${secret.hint}`, {
        hint: 'it may be revoked, of another server (--api-url), or younger than 30 seconds',
        status: error.status,
        cause: error,
      })
    }
    throw error
  }
}

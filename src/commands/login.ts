import { openCredentialStore } from '../credentials/file.ts'
import { adminKeyVariable } from '../credentials/environment.ts'
import type { Context } from '../context.ts'
import { hasCode, KeysError } from '../errors.ts'
import { parseSecret, type Secret } from '../secret.ts'
import { defineCommand } from './command.ts'
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
  },
  examples: [
    'pictify-keys login --store file',
    'pictify-keys login --store file --profile staging --api-url https://api.staging.example < admin-key.txt',
  ],

  async run(context, { store }) {
    if (store === 'keychain') {
      // exits with 4, as every way of not being signed in does
      throw new KeysError('credential-store', 'there is no keychain that this version can use', {
        hint: `--store file keeps the key in the profile file, for your eyes only (0600); or set ${adminKeyVariable}`,
      })
    }
    const { out } = context
    const config = await context.config()
    const apiUrl = await context.apiUrl()
    const secret = await readAdminKey(context)
    out.conceal(secret)
    await prove(context, secret)
    // the profile remembers where its key belongs, so that it is never sent anywhere else by default
    await config.change({ apiUrl })
    const file = openCredentialStore(config)
    await file.write(secret)
    if (context.env[adminKeyVariable])
      out.warn(`${adminKeyVariable} is set, and goes before what is kept now`)
    out.result(
      { login: { profile: config.profile, apiUrl, store: 'file', path: config.path } },
      () => `signed in to ${apiUrl} (profile ${config.profile}); the key lies in ${config.path}`,
    )
  },
})

async function readAdminKey({ out, prompt, stdin }: Context): Promise<Secret> {
  if (out.interactive)
    return parseSecret(await prompt.secret('Admin key (hidden):', 'the key on stdin'), 'the key')
  if ('isTTY' in stdin && stdin.isTTY) {
    throw new KeysError('needs-answer', 'there is nobody to ask for the admin key', {
      hint: 'give the key on stdin: pictify-keys login --store file < admin-key.txt',
    })
  }
  return readSecretFrom(stdin, 'the key on stdin')
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

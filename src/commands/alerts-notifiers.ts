import path from 'node:path'
import type { OpenNotifier } from '../alerts/notifier.ts'
import { readUrl, type PostDeps } from '../alerts/post.ts'
import type { Context } from '../context.ts'
import { KeysError } from '../errors.ts'
import type { NotifierSettings } from '../fleet/fleet.ts'
import { authorities, createTransport } from '../http.ts'
import { Secret } from '../secret.ts'

type EmailNotifier = Extract<NotifierSettings, { kind: 'email' }>

/** The notifiers of the file, with what the environment has for them; one that cannot be used says why. */
export async function openNotifiers(
  context: Context,
  settings: readonly NotifierSettings[],
): Promise<{ notifiers: OpenNotifier[]; close: () => Promise<void> }> {
  const caFile = await caFileOf(context)
  let transport: ReturnType<typeof createTransport> | undefined
  const deps: PostDeps = {
    fetch: async (url, init) => (await (transport ??= open(context, caFile))).fetch(url, init),
    clock: context.clock,
    random: Math.random,
    userAgent: `pictify-keys/${context.version}`,
    debug: (line) => context.out.debug(line),
  }
  const notifiers = await Promise.all(
    settings.map(async (each): Promise<OpenNotifier> => {
      try {
        return await openNotifier(context, each, deps, caFile)
      } catch (error) {
        if (!(error instanceof KeysError)) throw error
        const hint = error.hint === undefined ? '' : `; ${error.hint}`
        return { name: each.name, kind: each.kind, problem: `${error.message}${hint}` }
      }
    }),
  )
  // a transport that could not be made was told of by each who wanted it
  return { notifiers, close: async () => (await transport?.catch(() => undefined))?.close() }
}

async function openNotifier(
  context: Context,
  settings: NotifierSettings,
  deps: PostDeps,
  caFile: string | undefined,
): Promise<OpenNotifier> {
  const { name, kind } = settings
  if (kind === 'email') {
    const { createEmail } = await import('../alerts/email.ts')
    return createEmail({
      ...settings,
      ...loginOf(context, settings),
      ...(await trustOf(context, caFile)),
      debug: deps.debug,
    })
  }
  const url = urlOf(context, settings.urlEnv)
  if (kind === 'slack') return (await import('../alerts/slack.ts')).createSlack({ name, url }, deps)
  const { createWebhook, readSigningSecret } = await import('../alerts/webhook.ts')
  const { secretEnv } = settings
  const secret =
    secretEnv === undefined ? undefined : readSigningSecret(secretEnv, secretOf(context, secretEnv))
  return createWebhook({ name, url, secret }, deps)
}

/** The value of a variable. Throws `notifier-failed` where it is not set. */
function valueOf({ env }: Context, variable: string): string {
  const value = env[variable]?.trim()
  if (value !== undefined && value !== '') return value
  throw new KeysError('notifier-failed', `${variable} is not set`, {
    hint: 'set it in the environment of whatever runs this',
  })
}

/** A value that from here on is masked in all talk. It is the job's own, which its CI masks already. */
function secretOf(context: Context, variable: string): string {
  const value = valueOf(context, variable)
  context.out.conceal(new Secret(value), true)
  return value
}

/** A URL lets in whoever has its path; its host is told, and common words are not masked wherever they stand. */
function urlOf(context: Context, variable: string): string {
  const url = readUrl(variable, valueOf(context, variable), context.insecureHttp)
  const { pathname, searchParams } = new URL(url)
  for (const part of [...pathname.split('/'), ...searchParams.values()]) {
    if (part.length >= longestWord) context.out.conceal(new Secret(part), true)
  }
  return url
}

/** What is longer in the path of a URL is no word. */
const longestWord = 12

function loginOf(context: Context, { userEnv, passwordEnv, name }: EmailNotifier) {
  if ((userEnv === undefined) !== (passwordEnv === undefined)) {
    throw new KeysError('notifier-failed', `${name} has a user without a password, or the other way round`, {
      hint: 'give both userEnv and passwordEnv, or none of them',
    })
  }
  return {
    user: userEnv === undefined ? undefined : valueOf(context, userEnv),
    password: passwordEnv === undefined ? undefined : new Secret(secretOf(context, passwordEnv)),
  }
}

async function trustOf({ env }: Context, caFile: string | undefined) {
  return {
    authorities: caFile === undefined ? undefined : await authorities(caFile, env['NODE_EXTRA_CA_CERTS']),
  }
}

function open({ env, nodeVersion }: Context, caFile: string | undefined): ReturnType<typeof createTransport> {
  return createTransport(env, { caFile, nodeVersion })
}

/** As the API's own connections have it: flag, environment, profile. */
async function caFileOf({ globals, config, cwd }: Context): Promise<string | undefined> {
  const { caFile, apiUrl } = globals
  const named = caFile ?? (apiUrl === undefined ? (await config()).settings.caFile : undefined)
  return named === undefined ? undefined : path.resolve(cwd, named)
}

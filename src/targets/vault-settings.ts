// Rules of this file:
// - the environment is read as the vault and bao programs read it: the names of OpenBao first, an empty one is none;
// - nothing here asks the server; what lies in files is read at the first request.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../system-error.ts'
import { KeysError } from '../errors.ts'
import { isLoopback, type ServerTls } from '../http.ts'
import { Secret } from '../secret.ts'
import { refusal } from './refusal.ts'
import { invalid } from './scheme.ts'
import type { TargetDeps } from './target.ts'

type Env = TargetDeps['env']

/** Where the server is, and which part of it is meant. */
export interface VaultPlace {
  /** With no slash at its end. */
  readonly address: string
  /** Empty where none is named. */
  readonly namespace: string
}

/** How somebody is known to the server. */
export type VaultLogin =
  /** Signed in already; `from` is the variable or file that says so. */
  | { readonly kind: 'given'; readonly secret: Secret; readonly from: string }
  /** To be signed in, as often as it takes. */
  | {
      readonly kind: 'approle' | 'kubernetes'
      readonly path: string
      readonly body: Readonly<Record<string, string>>
      readonly from: string
    }

/** `ADDR` is `BAO_ADDR`, else `VAULT_ADDR`. */
function variable(env: Env, name: string): { value: string; from: string } | undefined {
  for (const from of [`BAO_${name}`, `VAULT_${name}`]) {
    const value = env[from]
    if (value) return { value, from }
  }
  return undefined
}

/** The program that a person signs in with. */
export function vaultProgram(env: Env): 'vault' | 'bao' {
  return Object.keys(env).some((name) => name.startsWith('BAO_') && env[name]) ? 'bao' : 'vault'
}

/** Throws `invalid-target`, and `insecure-url` for plain http to another machine. */
export function vaultPlace(name: string, { env, insecureHttp = false }: TargetDeps): VaultPlace {
  const { value, from } = variable(env, 'AGENT_ADDR') ??
    variable(env, 'ADDR') ?? { value: 'https://127.0.0.1:8200', from: 'VAULT_ADDR' }
  const wrong = (what: string) =>
    invalid(`${name}: ${from} ${what}`, `write it in full: ${from}=https://vault.example.com:8200`)
  if (!/^https?:\/\//i.test(value)) throw wrong('does not start with https://')
  if (!URL.canParse(value)) throw wrong('is not a URL')
  const url = new URL(value)
  if (url.username !== '' || url.password !== '') throw wrong('has a user or a password in it')
  if (url.search !== '' || url.hash !== '') throw wrong('has a query or a fragment')
  if (url.protocol === 'http:' && !insecureHttp && !isLoopback(url.hostname)) {
    throw new KeysError(
      'insecure-url',
      `${name}: ${from} is plain http to ${url.host}, which would send the key in clear`,
      { hint: 'use https, or --insecure-http if it is meant; http to this machine itself is always allowed' },
    )
  }
  return {
    address: url.origin + url.pathname.replace(/\/+$/, ''),
    namespace: (variable(env, 'NAMESPACE')?.value ?? '').replace(/^\/+|\/+$/g, ''),
  }
}

/** The environment that decides about proxies: one for the server alone goes before all others. */
export function vaultProxies(env: Env): Env {
  const proxy = variable(env, 'PROXY_ADDR')?.value ?? variable(env, 'HTTP_PROXY')?.value
  return proxy === undefined ? env : { ...env, http_proxy: proxy, https_proxy: proxy, no_proxy: '' }
}

/** Throws `target-refused` for what cannot be read. */
export async function vaultTls(name: string, env: Env): Promise<ServerTls> {
  const [cert, key] = [variable(env, 'CLIENT_CERT'), variable(env, 'CLIENT_KEY')]
  if ((cert === undefined) !== (key === undefined)) {
    throw refusal(
      `${name}: of VAULT_CLIENT_CERT and VAULT_CLIENT_KEY only ${(cert ?? key)?.from} is set`,
      'set both, or neither',
    )
  }
  const ca = await authorities(name, env)
  const servername = variable(env, 'TLS_SERVER_NAME')?.value
  return {
    ...(ca && { ca }),
    ...(cert && { cert: await readPem(name, cert.from, cert.value) }),
    ...(key && { key: await readPem(name, key.from, key.value) }),
    ...(servername !== undefined && { servername }),
    ...(skipsVerify(name, env) && { rejectUnauthorized: false }),
  }
}

/** Whether any certificate will do. */
export function skipsVerify(name: string, env: Env): boolean {
  const { value = '', from = '' } = variable(env, 'SKIP_VERIFY') ?? {}
  if (['', '0', 'f', 'false'].includes(value.toLowerCase())) return false
  if (['1', 't', 'true'].includes(value.toLowerCase())) return true
  throw refusal(`${name}: ${from} is neither true nor false`, `set ${from}=true, or unset it`)
}

async function authorities(name: string, env: Env): Promise<string[] | undefined> {
  const inline = variable(env, 'CACERT_BYTES')
  if (inline) return [pem(name, inline.from, inline.value)]
  const file = variable(env, 'CACERT')
  if (file) return [await readPem(name, file.from, file.value)]
  const folder = variable(env, 'CAPATH')
  if (!folder) return undefined
  const files = await readdir(folder.value, { withFileTypes: true }).catch((cause: unknown) => {
    throw unreadable(name, folder.from, folder.value, cause)
  })
  const texts = await Promise.all(
    files
      .filter((entry) => !entry.isDirectory())
      .map((entry) => readText(name, folder.from, join(folder.value, entry.name), '')),
  )
  return [pem(name, folder.from, texts.filter((text) => text.includes('-----BEGIN')).join('\n'))]
}

async function readPem(name: string, from: string, path: string): Promise<string> {
  return pem(name, from, await readText(name, from, path))
}

function pem(name: string, from: string, text: string): string {
  if (text.includes('-----BEGIN')) return text
  throw refusal(`${name}: ${from} holds nothing in PEM format`, 'it should have lines that begin -----BEGIN')
}

/** `folderText`: what a link to a folder counts as, of which mounted volumes have some. */
async function readText(name: string, from: string, path: string, folderText?: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    if (folderText !== undefined && systemCode(cause) === 'EISDIR') return folderText
    throw unreadable(name, from, path, cause)
  })
}

function unreadable(name: string, from: string, path: string, cause: unknown): KeysError {
  return refusal(`${name}: cannot read ${path} of ${from}`, 'name what is there and may be read', cause)
}

const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount/token'

/**
 * What there is to sign in with: VAULT_TOKEN; VAULT_ROLE_ID (AppRole); VAULT_K8S_ROLE (a pod's service account); what
 * `vault login` left. Undefined: nothing, as behind an agent that adds its own.
 */
export async function findVaultLogin(name: string, { env }: TargetDeps): Promise<VaultLogin | undefined> {
  const given = variable(env, 'TOKEN')
  if (given) return { kind: 'given', secret: new Secret(given.value.trim()), from: given.from }
  const mount = (which: string, usual: string) =>
    (variable(env, which)?.value ?? usual).replace(/^\/+|\/+$/g, '').replace(/^auth\//, '')

  const roleId = variable(env, 'ROLE_ID')
  if (roleId) {
    const secretId = variable(env, 'SECRET_ID')?.value
    return {
      kind: 'approle',
      path: `auth/${mount('APPROLE_MOUNT', 'approle')}/login`,
      body: { role_id: roleId.value, ...(secretId !== undefined && { secret_id: secretId }) },
      from: roleId.from,
    }
  }
  const role = variable(env, 'K8S_ROLE')
  if (role) {
    const path = variable(env, 'K8S_JWT_PATH') ?? { value: serviceAccount, from: role.from }
    const jwt = (await readText(name, path.from, path.value)).trim()
    return {
      kind: 'kubernetes',
      path: `auth/${mount('K8S_MOUNT', 'kubernetes')}/login`,
      body: { role: role.value, jwt },
      from: role.from,
    }
  }
  return leftBehind(name, env['HOME'] ?? env['USERPROFILE'])
}

async function leftBehind(name: string, home: string | undefined): Promise<VaultLogin | undefined> {
  if (!home) return undefined
  const from = join(home, '.vault-token')
  try {
    const text = (await readFile(from, 'utf8')).trim()
    return text === '' ? undefined : { kind: 'given', secret: new Secret(text), from }
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined
    throw refusal(`${name}: cannot read ${from}`, 'see who may read it, or sign in another way', error)
  }
}

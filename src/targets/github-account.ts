// Rules of this file:
// - a token goes to the host that its variable is for, and to no other.
import { refusal } from './refusal.ts'
import { invalid } from './scheme.ts'
import type { TargetDeps } from './target.ts'

/** Which GitHub is spoken to, and as whom; as `gh` and GitHub Actions say it in the environment. */
export interface GitHubAccount {
  /** `github.com`, a tenant of ghe.com, or an Enterprise Server, with its port where it has one. */
  readonly host: string
  /** No slash at its end. */
  readonly apiUrl: string
  /** The variable that holds the token, or the one that should. */
  readonly variable: string
  readonly token: string | undefined
}

/** `GH_HOST` goes before `GITHUB_API_URL`, which Actions sets without being asked. Throws `invalid-target`. */
export function gitHubAccount(name: string, env: TargetDeps['env']): GitHubAccount {
  const { host, apiUrl } = hostOf(name, env)
  const variables = tokenVariables(host)
  const variable = variables.find((each) => env[each]?.trim()) ?? variables[0]
  return { host, apiUrl, variable, token: env[variable]?.trim() || undefined }
}

/** The token. Throws `target-refused` where there is none, or what there is can be none. */
export function tokenOf(
  name: string,
  { host, token, variable }: GitHubAccount,
  env: TargetDeps['env'],
): string {
  if (token === undefined) {
    const other = ['GH_TOKEN', 'GITHUB_TOKEN', 'GH_ENTERPRISE_TOKEN', 'GITHUB_ENTERPRISE_TOKEN'].find(
      (each) => env[each]?.trim(),
    )
    const aside = other === undefined ? '' : ` (${other} is for other hosts and is not sent there)`
    throw refusal(
      `${name}: there is no token for ${host}${aside}`,
      `set ${variable}; where gh is signed in, ${fromGh(variable, host)} does`,
    )
  }
  if (/[^\x21-\x7e]/.test(token)) {
    throw refusal(`${name}: what ${variable} holds is no token`, `set it to the token and nothing else`)
  }
  return token
}

/** The shell's words that hand on the login of `gh`. */
export function fromGh(variable: string, host: string): string {
  return `export ${variable}="$(gh auth token${host === 'github.com' ? '' : ` --hostname ${host}`})"`
}

function hostOf(name: string, env: TargetDeps['env']): Pick<GitHubAccount, 'host' | 'apiUrl'> {
  const named = env['GH_HOST']?.trim().toLowerCase()
  if (named) {
    if (!/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/.test(named)) {
      throw invalid(`${name}: GH_HOST is not the name of a host`, 'write it as in GH_HOST=github.example.com')
    }
    const host = named
      .replace(/^(www|api)\.github\.com$/, 'github.com')
      .replace(/^api\.(.+\.ghe\.com)$/, '$1')
    return { host, apiUrl: isCloud(host) ? `https://api.${host}` : `https://${host}/api/v3` }
  }
  const url = env['GITHUB_API_URL']?.trim()
  if (!url) return { host: 'github.com', apiUrl: 'https://api.github.com' }
  if (!URL.canParse(url) || !isPlain(new URL(url))) {
    throw invalid(
      `${name}: GITHUB_API_URL is not the address of an API`,
      'write it as in GITHUB_API_URL=https://github.example.com/api/v3, or name the host by GH_HOST',
    )
  }
  const { host, origin, pathname } = new URL(url)
  const bare = host.replace(/^api\.(github\.com|.+\.ghe\.com)$/, '$1')
  return { host: bare, apiUrl: origin + pathname.replace(/\/+$/, '') }
}

/** A token is sent there: nobody on the way may read it. */
function isPlain({ protocol, username, password, search, hash }: URL): boolean {
  return protocol === 'https:' && username + password + search + hash === ''
}

function isCloud(host: string): boolean {
  return host === 'github.com' || host.endsWith('.ghe.com')
}

function tokenVariables(host: string): [string, string] {
  return isCloud(host) ? ['GH_TOKEN', 'GITHUB_TOKEN'] : ['GH_ENTERPRISE_TOKEN', 'GITHUB_ENTERPRISE_TOKEN']
}

import type { Context } from '../context.ts'
import type { CredentialSource } from '../credentials/credential.ts'
import { isLoopback } from '../http.ts'
import type { StatusReport } from '../ui/status.ts'
import { quoted } from '../command-line.ts'
import type { Findings } from './status-report.ts'

/** As `engines` of package.json has it. */
const oldestNode = '20.18.1'

/** Whether there is a newer release is not asked: nobody but the API is called. */
export function lookAtVersions(
  { version, nodeVersion }: Context,
  { ok, warn }: Findings,
): StatusReport['node'] {
  const supported = compareVersions(nodeVersion, oldestNode) >= 0
  const message = `pictify-keys ${version} on Node ${nodeVersion}`
  if (supported) ok('versions', message)
  else {
    warn('versions', {
      code: 'node-unsupported',
      message: `${message}, which is too old`,
      hint: `install Node ${oldestNode} or later`,
    })
  }
  return { version: nodeVersion, oldest: oldestNode, supported }
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map((part) => parseInt(part, 10)))
  for (const [index, part] of (right ?? []).entries()) {
    const difference = (left?.[index] ?? 0) - part
    if (difference !== 0) return difference
  }
  return 0
}

/** How the API is reached: encrypted, by which proxy, trusting whom. */
export async function lookAtConnection(
  context: Context,
  apiUrl: string,
  findings: Findings,
): Promise<StatusReport['connection']> {
  const { env, globals } = context
  const url = new URL(apiUrl)
  const encrypted = url.protocol === 'https:'
  const verified = encrypted && env['NODE_TLS_REJECT_UNAUTHORIZED'] !== '0'
  const { proxyFor } = await import('../proxy.ts')
  const proxy = proxyFor(url, env)
  const kept = globals.apiUrl === undefined ? (await context.config()).settings.caFile : undefined
  const caFile = globals.caFile ?? kept ?? null
  const extra = env['NODE_EXTRA_CA_CERTS']
  const trusted = [...(caFile === null ? [] : [caFile]), ...(extra ? [extra] : [])]
  const message = [
    apiUrl,
    ...(encrypted ? [] : [isLoopback(url.hostname) ? 'plain http, on this machine' : 'plain http']),
    proxy === undefined ? 'no proxy' : `through the proxy ${proxy}`,
    ...(trusted.length === 0 ? [] : [`trusting ${trusted.join(', ')} too`]),
  ].join(', ')
  if (encrypted && !verified) {
    findings.warn('connection', {
      code: 'tls-unverified',
      message: `${message}; the server's certificate is not checked (NODE_TLS_REJECT_UNAUTHORIZED)`,
      hint: 'unset NODE_TLS_REJECT_UNAUTHORIZED; --ca-file <path> trusts an authority of your own',
    })
  } else if (!encrypted && !isLoopback(url.hostname)) {
    findings.warn('connection', {
      code: 'insecure-url',
      message: `${message}: the credential travels in clear`,
      hint: 'give an https:// address with --api-url',
    })
  } else findings.ok('connection', message)
  return { encrypted, verified, proxy: proxy ?? null, caFile }
}

/** Where the credential lies, and who can read it there. */
export async function lookAtCredential(
  context: Context,
  { ok, warn }: Findings,
): Promise<NonNullable<StatusReport['credential']>> {
  const { secret, source } = await context.credential()
  const mode = source.kind === 'file' ? ((await (await context.config()).mode()) ?? 0) : 0
  const described = { ...source, key: secret.hint, protection: protectionOf(source, mode) }
  const message = `${secret.hint} ${placeOf(source)}, ${described.protection}`
  if (source.kind !== 'file' || (mode & 0o077) === 0) ok('credential', message)
  else {
    warn('credential', {
      code: 'credential-exposed',
      message: `${source.path} can be read by others on this machine (mode ${mode.toString(8)})`,
      hint: `chmod 600 ${quoted(source.path)}; and rotate the key if anybody may have read it: pictify-keys rotate --self`,
    })
  }
  return described
}

function protectionOf({ kind }: CredentialSource, mode: number): string {
  if (kind === 'environment') return 'as this shell keeps it'
  if (kind === 'keychain') return 'encrypted by it, open to your programs'
  return `in clear, mode ${mode.toString(8).padStart(4, '0')}`
}

function placeOf(source: CredentialSource): string {
  if (source.kind === 'environment') return `from ${source.variable}`
  if (source.kind === 'file') return `in ${source.path}`
  return `in ${source.keychain} (${source.service}, ${source.account})`
}

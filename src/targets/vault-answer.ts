// Rules of this file:
// - what the server says of a refusal is passed on without anything that looks like a secret.
import { KeysError } from '../errors.ts'
import { redact, type Secret } from '../secret.ts'
import { parseJsonFields } from './json-field.ts'
import { refusal } from './refusal.ts'

export interface Answer {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  readonly text: string
}

/**
 * Throws for what neither a repetition nor the caller can make good: `target-refused`, `target-failed`, and
 * `target-unclear` for a write that may have been made all the same.
 */
export function refuseStatus(
  answer: Answer,
  { method }: { method: string },
  { name, address, cli }: { name: string; address: string; cli: string },
): void {
  const { status } = answer
  if ((status >= 200 && status < 300) || status === 400 || status === 404) return
  const message = (what: string) => `${name}: ${what}`
  if (status === 307 || status === 308) {
    const to = answer.headers.get('location') ?? ''
    const active = URL.canParse(to) ? new URL(to).origin : 'the active node'
    throw refusal(message(`${address} is a standby node and sends on to ${active}`), `set VAULT_ADDR to that`)
  }
  const node = nodeStates[status]
  if (node !== undefined) throw refusal(message(`${address} ${node}`), 'set VAULT_ADDR to the active node')
  if (isSealed(answer)) {
    throw new KeysError('target-failed', message(`${address} is sealed`), {
      hint: `whoever runs it must unseal it: ${cli} operator unseal`,
    })
  }
  if (status === 429) {
    throw new KeysError('target-failed', message('the server asks to wait, again and again'), {
      hint: 'its rate limit is used up: run the same command again later',
    })
  }
  if (status === 412) {
    throw new KeysError('target-failed', message('the node that answers does not have the latest yet'), {
      hint: 'its replication lags: run the same command again later',
    })
  }
  if (status === 413)
    throw refusal(message('the server takes nothing as large as that'), 'see its max_request_size')
  if (status < 500) throw refusal(message(`the server answers ${said(answer)}`), 'is VAULT_ADDR right?')
  const code = method === 'GET' ? 'target-failed' : 'target-unclear'
  throw new KeysError(code, message(`the server is out of order: ${said(answer)}`), {
    hint: `see ${cli} status, then run the same command again`,
  })
}

/** A refusal that the server itself has not given. */
export function refusedOnTheWay(name: string, address: string, answer: Answer): KeysError {
  return refusal(
    `${name}: ${address} answers ${answer.status}, and not as Vault does`,
    'is VAULT_ADDR right, and is there a proxy or a firewall that refuses it?',
  )
}

/** A login that may read only its own path is told of any other that it may not. */
function spelling(path: string): string {
  return /\/data\/data\//.test(path)
    ? 'leave the data/ of KV v2 away, it is put there by itself'
    : 'check how the place is spelt'
}

/** What a policy would have to say. */
export function forbidden(name: string, { path, needs }: { path: string; needs: string }): KeysError {
  return refusal(
    `${name}: the login may not ${needs} ${path}`,
    `${spelling(path)}; or its policy must grant it: path "${path}" { capabilities = ["${needs.split(' or ').join('", "')}"] }; see docs/targets.md`,
  )
}

/** The answers of nodes that do not serve, as health checks give them. */
const nodeStates: Readonly<Record<number, string>> = {
  472: 'is a secondary for disaster recovery',
  473: 'is a performance standby that does not answer',
  501: 'is not initialized',
}

function isSealed(answer: Answer): boolean {
  return answer.status === 503 && /\bsealed\b/i.test(answer.text)
}

/** A node that lags has soon caught up; one that is sealed stays it until somebody comes. */
export function throttledMs(answer: Answer): number | undefined {
  if (answer.status === 412) return 500
  return isSealed(answer) ? Infinity : undefined
}

/** What went wrong, as the server says it; empty where it says nothing. */
export function errorsOf({ text }: Pick<Answer, 'text'>): string {
  try {
    const { errors } = JSON.parse(text) as { errors?: unknown }
    return Array.isArray(errors) ? errors.map(String).join('; ').trim() : ''
  } catch {
    // not the server itself, but something before it
    return ''
  }
}

/** The same for a message: short, on one line, and without anything that looks like a secret or is one of these. */
export function said(answer: Answer, secrets: readonly Secret[] = []): string {
  const text = redact(errorsOf(answer).replace(/\s+/g, ' '), secrets).slice(0, 200)
  return text === '' ? String(answer.status) : `${answer.status}: ${text}`
}

export function inVaultsWords(hint: string | undefined): string {
  return (hint ?? 'try again')
    .replace('--ca-file or NODE_EXTRA_CA_CERTS', 'VAULT_CACERT')
    .replace('the base URL', 'VAULT_ADDR')
    .replace(', or give it longer with --timeout', '')
}

/** A part of an answer as it is written; undefined where it is not there, or null. */
export function part(text: string, ...names: string[]): string | undefined {
  let found: string | undefined = text.trim()
  for (const name of names) {
    found = found?.startsWith('{') ? parseJsonFields(found, 'vault').text(name) : undefined
  }
  return found === 'null' ? undefined : found
}

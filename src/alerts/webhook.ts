import { createHmac } from 'node:crypto'
import { KeysError } from '../errors.ts'
import { post, type PostDeps } from './post.ts'
import type { Notifier } from './notifier.ts'

/** The bytes that both sides know. */
export type SigningSecret = Buffer

/**
 * A secret as Standard Webhooks has it: `whsec_` and 24 to 64 bytes in base64. Throws `notifier-failed`, without it.
 */
export function readSigningSecret(variable: string, text: string): SigningSecret {
  const [, encoded = ''] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text.trim()) ?? []
  const bytes = Buffer.from(encoded, 'base64')
  if (bytes.length >= 24 && bytes.length <= 64) return bytes
  throw new KeysError('notifier-failed', `${variable} is not a signing secret`, {
    hint: 'it is whsec_ and 24 to 64 bytes in base64: echo "whsec_$(openssl rand -base64 32)"',
  })
}

/** The headers of Standard Webhooks: `v1` is HMAC-SHA-256 of `id.timestamp.body`. */
export function signatureHeaders(
  id: string,
  at: number,
  body: string,
  secret: SigningSecret | undefined,
): Record<string, string> {
  const timestamp = String(Math.floor(at / 1_000))
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp }
  if (secret === undefined) return headers
  const signature = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')
  return { ...headers, 'webhook-signature': `v1,${signature}` }
}

export function createWebhook(
  { name, url, secret }: { name: string; url: string; secret: SigningSecret | undefined },
  deps: PostDeps,
): Notifier {
  return {
    name,
    kind: 'webhook',
    close: async () => {},
    send({ id, data }, signal) {
      const body = JSON.stringify(data)
      const headers = () => signatureHeaders(id, deps.clock.now(), body, secret)
      return post({ name, url, body, headers }, deps, signal)
    },
  }
}

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

// An API whose every string is out to get the terminal it ends up on.

/** Short, so that a file may have it in its name. */
export const evilId = '\x1b[77J\u202e\n'
/** Every way to move a cursor, forge a line, hide or reorder text. */
export const evil = [
  '\x1b[77J\x1b]52;c;aGk=\x07\x1b]8;;http://x.example\x1b\\\x1b]0;title\x9c\x1bP77q\x1b\\\x1bc\x1b(0',
  '\x9b77K\x90\x85\x08\x7f\x00\x0b\x0c\x0e',
  '\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u200c\u200d\u200e\u200f\u061c\ufeff\u2060\u00ad',
  '\u2028\u2029\r\n::warning::forged\r\nkey_forged  forged  live  active\n\terror: forged\u0085forged',
  `e${'\u0301'.repeat(60)} 👩‍👩‍👧‍👦 ${'\u{e0041}'.repeat(9)}\u3164\ufff9\u{1d173}\ufe0f`,
].join(' ')
/** Not for an API that speaks UTF-8 alone, but for one that escapes. */
const loneSurrogate = '\ud83d'

export interface HostileApi {
  readonly url: string
  /** Every answer from now on is this one. Undefined: the account's own, spoilt. */
  answer: { status: number; headers?: Record<string, string>; body: string } | undefined
  close(): Promise<void>
}

/** Stands before a real sandbox and spoils what it answers: every name, id, instant, address and sentence. */
export async function createHostileApi(upstream: string): Promise<HostileApi> {
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      if (api.answer !== undefined) {
        response.writeHead(api.answer.status, api.answer.headers).end(api.answer.body)
        return
      }
      const plainPath = decodeURIComponent(request.url ?? '').replaceAll(evilId, '')
      const { authorization = '', 'content-type': type, 'idempotency-key': once } = request.headers
      const answer = await fetch(upstream + encodeURI(plainPath), {
        method: request.method ?? 'GET',
        headers: {
          authorization,
          ...(type !== undefined && { 'content-type': type }),
          ...(typeof once === 'string' && { 'idempotency-key': once }),
        },
        ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
      })
      const text = await answer.text()
      const headers = { 'x-request-id': 'a b', date: answer.headers.get('date') ?? '' }
      response.writeHead(answer.status, { ...headers, 'content-type': 'application/json' })
      response.end(text === '' ? '' : JSON.stringify(spoilt(JSON.parse(text) as unknown, '')))
    })().catch((error: unknown) => response.destroy(error as Error))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const api: HostileApi = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answer: undefined,
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
  return api
}

/** What the program checks stays readable to it: types and states are words of the contract, a secret is a secret. */
const kept = new Set(['type', 'status', 'access', 'secret', 'date', 'timestamp', 'action'])

function spoilt(value: unknown, field: string): unknown {
  if (typeof value === 'string') {
    if (field === 'id' || field === 'keyId') return value + evilId
    // Node reads an instant of the older form whatever is in brackets behind it
    if (field.endsWith('At')) return `${new Date(value).toUTCString()} (${evilId}\x07)`
    return kept.has(field) ? value : value + evil + loneSurrogate
  }
  if (Array.isArray(value)) return value.map((item: unknown) => spoilt(item, field))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([name, item]) => [
    field === 'countries' ? name + evil : name,
    spoilt(item, name),
  ])
  return Object.fromEntries(entries) as unknown
}

/**
 * What in a text would act on a terminal, but for its own line ends, our colours, and, where something of ours is drawn
 * anew (`drawn`), what moves the cursor about for that: never by 77. Empty: nothing.
 */
export function actsOnTerminal(text: string, { colours = false, drawn = false } = {}): string[] {
  const undrawn = drawn ? text.replaceAll(/\x1b\[\??(?!77)[\d;]*[ABCDGHJKhl]|\r/g, '') : text
  const rest = colours ? undrawn.replaceAll(/\x1b\[\d{1,2}m/g, '') : undrawn
  const found = rest
    .replaceAll(/\r*\n/g, '')
    .match(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\ufffd]|\p{M}{5,}/gu)
  const forged = rest.match(/^(?:::|key_forged|error: forged|forged)/gm)
  return [...(found ?? []).map((text) => JSON.stringify(text)), ...(forged ?? [])]
}

import type { Context } from '../context.ts'
import { formatDuration } from '../duration.ts'
import { KeysError } from '../errors.ts'
import { parseSecret, type Secret } from '../secret.ts'

/** No secret is longer; what is, was piped in by mistake. */
const mostCharacters = 64 * 1024
/** What is piped in is there at once, or a program before us is still at work on it. */
const longestMs = 60_000
const worthSayingMs = 1_000

/**
 * Reads a secret from a pipe to its end. Throws `invalid-secret`, and `needs-answer` where the end does not come; `what`
 * names the input in its message.
 */
export async function readSecretFrom(context: Piped, what: string): Promise<Secret> {
  return parseSecret(await readPiped(context, what), what)
}

type Piped = Pick<Context, 'stdin' | 'clock' | 'out' | 'signal'>

/** As `readSecretFrom`, for a key of another kind, whatever it looks like. */
export async function readPiped({ stdin, clock, out, signal }: Piped, what: string): Promise<string> {
  const over = new AbortController()
  const limit = async (): Promise<never> => {
    const either = AbortSignal.any([over.signal, signal])
    await clock.sleep(worthSayingMs, either)
    const leftMs = longestMs - worthSayingMs
    const sentence = `waiting up to ${formatDuration(leftMs)} for ${what}`
    out.event({ event: 'stdin-wait', for: what, waitEndsInMs: leftMs }, sentence)
    await clock.sleep(leftMs, either)
    throw new KeysError('needs-answer', `${what} did not end within ${formatDuration(longestMs)}`, {
      hint: 'give it by a file (< admin-key.txt) or a pipe, and close that',
    })
  }
  const reading = readText(stdin, what)
  try {
    return await Promise.race([reading, limit()])
  } finally {
    over.abort()
    // what comes of a read that nobody waits for any more is nobody's error
    reading.catch(() => undefined)
  }
}

async function readText(stream: NodeJS.ReadableStream, what: string): Promise<string> {
  let text = ''
  stream.setEncoding('utf8')
  for await (const chunk of stream) {
    text += String(chunk)
    if (text.length > mostCharacters) {
      throw new KeysError('invalid-secret', `${what}: the value is far too long for a key`, {
        hint: 'pipe in the key alone',
      })
    }
  }
  return text
}

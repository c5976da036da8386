import { KeysError } from '../errors.ts'
import { parseSecret, type Secret } from '../secret.ts'

/** No secret is longer; what is, was piped in by mistake. */
const mostCharacters = 64 * 1024

/** Reads a secret from a pipe to its end. Throws `invalid-secret`; `what` names the input in its message. */
export async function readSecretFrom(stream: NodeJS.ReadableStream, what: string): Promise<Secret> {
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
  return parseSecret(text, what)
}

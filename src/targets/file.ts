import { Secret } from '../secret.ts'
import { createFileTarget, type FileFormat } from './edited-file.ts'
import { refusal } from './refusal.ts'
import type { Held, Target } from './target.ts'

/** What may stand behind the secret and is kept: the newline that editors and `echo` leave. `version` names it. */
const endings: Record<string, string> = { none: '', lf: '\n', crlf: '\r\n' }

const format: FileFormat = {
  get(bytes) {
    const text = bytes.toString('utf8')
    if (!Buffer.from(text).equals(bytes) || text.includes('\0')) {
      throw refusal('it is not UTF-8 text', 'name a file that holds the key and nothing else')
    }
    const version = text.endsWith('\r\n') ? 'crlf' : text.endsWith('\n') ? 'lf' : 'none'
    const value = text.slice(0, text.length - endingOf(version).length)
    const variable = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=/.exec(value)?.[1]
    if (variable !== undefined) {
      throw refusal('it holds variables, and file: would replace them all', `use env:<path>#${variable}`)
    }
    if (/[\r\n]/.test(value)) {
      throw refusal(
        'it has several lines, and file: would replace them all',
        'name a file that holds the key and nothing else',
      )
    }
    return { value: new Secret(value), version }
  },
  set(_bytes, secret, held) {
    if (/[\r\n\0]/.test(secret.reveal())) {
      throw refusal('the new value is not one line of text', 'put it there by a command: exec:<command>')
    }
    return contents(secret, held)
  },
  putBack: (_bytes, held) => held && contents(held.value, held),
}

function contents(value: Secret, held: Held | undefined): Buffer {
  return Buffer.from(value.reveal() + endingOf(held?.version))
}

function endingOf(version: string | undefined): string {
  return endings[version ?? 'none'] ?? ''
}

/** A file that holds the secret and nothing else. `path` is absolute. */
export function createWholeFileTarget({ name, path }: { name: string; path: string }): Target {
  return createFileTarget({ name, place: path, path, format })
}

// Rules of this file:
// - a secret is a Secret from the moment it is read to the moment it is handed over;
// - it prints as [secret] everywhere and opens by reveal() only;
// - what is shown of one is its prefix and its last four characters, never more.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { inspect } from 'node:util'
import { KeysError } from './errors.ts'

const masked = '[secret]'
const pattern = /pk_(?:live|test)_[A-Za-z0-9_-]+/g

/** A key's secret value. Never enumerable, never serialised. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The value itself. Call it only where the value leaves for its destination. */
  reveal(): string {
    return this.#value
  }

  /** `pk_live_…wxyz`, or `…` when it is too short to show four characters of. */
  get hint(): string {
    const prefix = /^pk_(?:live|test)_/.exec(this.#value)?.[0] ?? ''
    return this.#value.length - prefix.length >= 12 ? `${prefix}…${this.#value.slice(-4)}` : `${prefix}…`
  }

  /** `live` or `test` by its prefix; undefined for anything else. */
  get type(): 'live' | 'test' | undefined {
    return /^pk_(live|test)_/.exec(this.#value)?.[1] as 'live' | 'test' | undefined
  }

  equals(other: Secret): boolean {
    const digest = (secret: Secret) => createHash('sha256').update(secret.#value).digest()
    return timingSafeEqual(digest(this), digest(other))
  }

  /** The first `length` hex characters of HMAC-SHA-256 of the secret under `key`. */
  fingerprint(key: string, length: number): string {
    return createHmac('sha256', key).update(this.#value).digest('hex').slice(0, length)
  }

  toString(): string {
    return masked
  }

  toJSON(): string {
    return masked
  }

  [inspect.custom](): string {
    return masked
  }
}

/** Replaces every given secret, and anything shaped like a Pictify key, by `[secret]`. */
export function redact(text: string, secrets: Iterable<Secret> = []): string {
  let clean = text
  for (const secret of secrets) {
    const value = secret.reveal()
    if (value !== '') clean = clean.split(value).join(masked)
  }
  return clean.replace(pattern, masked)
}

/**
 * Reads a secret as a person or a pipe gives it: one trailing newline is allowed, nothing else.
 * Throws `invalid-secret` for what cannot be a Pictify key, and says what is wrong with it without showing it.
 */
export function parseSecret(text: string, what: string): Secret {
  const value = text.replace(/\r?\n$/, '')
  const wrong = whatIsWrong(value)
  if (wrong !== undefined) {
    throw new KeysError('invalid-secret', `${what}: ${wrong}`, {
      hint: 'copy the secret once more, from pk_live_ or pk_test_ to its last character',
    })
  }
  return new Secret(value)
}

function whatIsWrong(value: string): string | undefined {
  if (value === '') return 'the value is empty'
  if (/^(["'`]).*\1$/s.test(value)) return 'the value has quotes around it'
  if (/[\r\n]/.test(value)) return 'the value has a newline in it'
  if (/\s/.test(value)) return 'the value has spaces in it'
  if (/^Bearer/i.test(value)) return 'the value starts with "Bearer"; give the key alone'
  if (/^key_/.test(value)) return 'the value is a key id, not a secret'
  if (!/^[\x21-\x7e]+$/.test(value)) return 'the value has characters that no key has'
  if (!/^pk_(live|test)_./.test(value)) return 'the value does not start with pk_live_ or pk_test_'
  return undefined
}

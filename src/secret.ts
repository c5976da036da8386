// Rules of this file:
// - a secret is a Secret from the moment it is read to the moment it is handed over;
// - it prints as [secret] everywhere and opens by reveal() only;
// - what is shown of one is its prefix and its last four characters, never more;
// - what is masked of one may be too much, never too little.
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

  /** @internal so that the types that users get need none of Node's */
  [inspect.custom](): string {
    return masked
  }
}

/**
 * Replaces every given secret, and anything shaped like a Pictify key, by `[secret]`. Of a given secret that is every
 * part of eight characters or more, in any case: as it is, in hex, in base64, and as URLs and JSON escape it.
 */
export function redact(text: string, secrets: Iterable<Secret> = []): string {
  const known = [...secrets]
  let clean = text
  for (const secret of known) {
    const value = secret.reveal()
    if (value !== '') clean = clean.split(value).join(masked)
  }
  clean = clean.replace(pattern, masked)
  return known.length === 0 ? clean : withoutParts(clean, known.map(partsOf))
}

/** A part of a secret shorter than this is in other text by chance. */
const partLength = 8

/** Every part of a secret's body, in every form of it, lower case; and every half of such a part, as a number. */
interface Parts {
  whole: Set<string>
  halves: Set<number>
}
const partsKnown = new WeakMap<Secret, Parts>()

function partsOf(secret: Secret): Parts {
  const known = partsKnown.get(secret)
  if (known !== undefined) return known
  const body = secret.reveal().replace(/^pk_(?:live|test)_/, '')
  const parts: Parts = { whole: new Set(), halves: new Set() }
  // a body as short as that is masked as a whole alone
  for (const form of body.length < partLength ? [] : formsOf(body)) {
    const text = lowerCase(form)
    for (let at = 0; at + partLength <= text.length; at += 1) parts.whole.add(text.slice(at, at + partLength))
    for (let at = 0; at + partLength / 2 <= text.length; at += 1) parts.halves.add(halfAt(text, at))
  }
  partsKnown.set(secret, parts)
  return parts
}

function formsOf(body: string): string[] {
  const bytes = Buffer.from(body)
  // What base64 makes of it goes by what stands before it; the characters at its ends are half of something else.
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6)),
  )
  return [
    body,
    bytes.toString('hex'),
    ...base64,
    ...base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
    encodeURIComponent(body),
    JSON.stringify(body).slice(1, -1),
  ]
}

function withoutParts(text: string, parts: readonly Parts[]): string {
  if (!mayHoldPart(text, parts)) return text
  const lower = lowerCase(text)
  const isPart = (at: number) => {
    const part = lower.slice(at, at + partLength)
    return parts.some(({ whole }) => whole.has(part))
  }
  let clean = ''
  let kept = 0
  for (let at = 0; at + partLength <= lower.length; at += 1) {
    if (!isPart(at)) continue
    let end = at + partLength
    while (end < lower.length && isPart(end + 1 - partLength)) end += 1
    clean += text.slice(kept, at).replace(/pk_(?:live|test)_$/, '') + masked
    kept = end
    at = end - 1
  }
  return clean + text.slice(kept)
}

/** Of whatever lies across it, every part holds one of these steps whole: a build's output is long, and holds none. */
function mayHoldPart(text: string, parts: readonly Parts[]): boolean {
  const step = partLength / 2
  for (let at = 0; at + step <= text.length; at += step) {
    const half = halfAt(text, at)
    for (const { halves } of parts) if (halves.has(half)) return true
  }
  return false
}

/** Four characters as one number, in which the case of a letter is lost. */
function halfAt(text: string, at: number): number {
  let half = 0
  for (let next = at; next < at + partLength / 2; next += 1) {
    half = (half << 7) | ((text.charCodeAt(next) | 0x20) & 0x7f)
  }
  return half
}

/** Of the alphabet alone, so that every character stays in its place. */
function lowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
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

/** The different secrets in a text (a line of `.env`, of JSON, of a log), in the order they come. */
export function secretsWithin(text: string): Secret[] {
  return [...new Set(text.match(pattern))].map((value) => new Secret(value))
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

// Rules of this file:
// - what is found is told apart from what only looks so by the secret itself and by its line, never by a service;
// - whose it may be else is told by its own shape and by the name right before it: a minified line names everything;
// - a secret is a Secret from here on.
import { Secret } from '../secret.ts'
import { otherServiceOf } from './tree-others.ts'

/** A secret in a text, from `at` to before `end`. */
export interface FoundSecret {
  secret: Secret
  at: number
  end: number
  /** How it is written, where not as it is: Kubernetes keeps secrets so. */
  encoding: 'base64' | undefined
  /** The name it is set to in an environment file. */
  variable: string | undefined
  /** The service whose keys begin the same, where it looks to be one of those: `Stripe`. */
  mayBeOf: string | undefined
}

/** No secret is longer as it is written, nor is more of a line looked at on either side of it. */
export const longestSecret = 600
export const lineReach = 1_000

/** A secret as it is; with a zero after each character (UTF-16 inside of a binary); in base64. */
const forms = [
  /pk_(?:live|test)_[\w-]{16,200}(?![\w-])/g,
  /p\0k\0_\0(?:l\0i\0v\0e|t\0e\0s\0t)\0_\0(?:[\w-]\0){15,199}[\w-](?!\0[\w-]\0)/g,
  /cGtf(?:bGl2ZV|dGVzdF)[\w+/-]{20,280}={0,2}/g,
] as const
const shape = /^pk_(?:live|test)_([\w-]{16,200})(?![\w-])/

/** The secrets that begin in a text at `from` or later, and before `until`, in their order. */
export function secretsIn(text: string, from = 0, until = text.length): FoundSecret[] {
  const found = forms.flatMap((form) => {
    const own: FoundSecret[] = []
    const pattern = new RegExp(form)
    pattern.lastIndex = from
    for (let match = pattern.exec(text); match && match.index < until; match = pattern.exec(text)) {
      const secret = secretOf(text, match[0], match.index)
      if (secret !== undefined) own.push(secret)
    }
    return own
  })
  return found.sort((a, b) => a.at - b.at)
}

function secretOf(text: string, written: string, at: number): FoundSecret | undefined {
  const encoding = written.startsWith('cGtf') ? 'base64' : undefined
  const plain = encoding ? Buffer.from(written, encoding).toString('latin1') : written.replaceAll('\0', '')
  const [value, body] = shape.exec(plain) ?? []
  const end = at + written.length
  if (value === undefined || body === undefined || isPlaceholder(body)) return undefined
  // what a document cuts off is no secret
  if (
    encoding === undefined &&
    /^(?:\.\.\.|\u2026|\u00e2\u0080\u00a6|[*\u2022{$]|<(?!\/))/.test(text.slice(end, end + 3))
  )
    return undefined
  const line = lineAround(text, at, end)
  if (/pictify-keys:\s?ignore/i.test(line)) return undefined
  const before = text.slice(Math.max(0, at - lineReach), at)
  const [, variable] = /(?:^|\n)[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)=["']?$/.exec(before) ?? []
  const mayBeOf = otherServiceOf(body, before.replaceAll('\0', ''))
  return { secret: new Secret(value), at, end, encoding, variable, mayBeOf }
}

/** What of a line lies within reach, without the zeros of UTF-16. */
function lineAround(text: string, at: number, end: number): string {
  const before = text.slice(Math.max(0, at - lineReach), at)
  const after = text.slice(end, end + lineReach)
  const line = before.slice(before.lastIndexOf('\n') + 1) + after.replace(/\n.*/s, '')
  return line.replaceAll('\0', '')
}

/** A random text of that length has one of them by a chance in ten thousands. */
const words =
  /your|example|placeholder|dummy|sample|fake|changeme|change_me|replace|insert|secret|redacted|masked|hidden|xxxx|000000|1234567|abcdefg|foobar|deadbeef|lorem|goes_?here|_here\b|my_?key|api_?key/i

/** Whether a secret's part behind its prefix is one that a person made up, for a document or a test. */
function isPlaceholder(body: string): boolean {
  return words.test(body) || !isMixed(body) || entropyOf(body) < leastEntropy || isRun(body)
}

/** Digits, capitals and small letters, two of them at least, and not so as in words. */
function isMixed(body: string): boolean {
  const kinds = [/[a-z]/, /[A-Z]/, /[0-9]/].filter((kind) => kind.test(body))
  return kinds.length > 1 && !isWords(body)
}

/** `checkout-service-2026`, `SomebodyElse0003`: words, set off by hyphens or capitals, and short numbers. */
function isWords(body: string): boolean {
  const parts = body.match(/[A-Z]?[a-z]+|[A-Z]+|\d+/g) ?? []
  const numbers = parts.filter((part) => /^\d/.test(part))
  const areSetOff = body.split(/[_-]+/).every((piece) => /^(?:[A-Z]?[a-z]+|\d*)$/.test(piece))
  return (
    numbers.every(({ length }) => length <= 4) &&
    (areSetOff || (numbers.length < 2 && parts.every((part) => /^(?:[A-Z]?[a-z]{2,}|\d+)$/.test(part))))
  )
}

/** Bits a character: of 16 random hexadecimal digits nearly all have more, and what repeats itself has less. */
const leastEntropy = 2.8

/** Shannon's, in bits a character, by how often each comes. */
function entropyOf(body: string): number {
  const counts = new Map<string, number>()
  for (const character of body) counts.set(character, (counts.get(character) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / body.length) * Math.log2(count / body.length)
  return bits
}

/** `abcdefgh12345678`, `a1b2c3d4e5f6g7h8`: most characters follow the one before, or the one before that. */
function isRun(body: string): boolean {
  return [1, 2].some((step) => {
    let following = 0
    for (let at = step; at < body.length; at += 1) {
      if (body.charCodeAt(at) === body.charCodeAt(at - step) + 1) following += 1
    }
    return following > (body.length - step) / 2
  })
}

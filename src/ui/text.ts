// Rules of this file:
// - what came from outside (the server, a file, a flag) is cleaned here before a terminal sees it;
// - cleaning removes, it never rejects: a strange name must still be shown, revoked and deleted.

/**
 * Control and format characters (escapes, bidirectional overrides and isolates, zero width), line and paragraph
 * separators, lone surrogates, and whatever else takes no place: variation selectors, fillers, tags.
 */
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu
const unsafeButLines = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu
/**
 * What JSON.stringify leaves in the clear although a terminal or an editor acts on it; and what begins a command of a CI's
 * within a line: `##[`, `##vso[`.
 */
const unsafeInJson =
  /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|\p{M}(?<=\p{M}{5})|#(?<=##)(?=(?:[vV][sS][oO])?\[)/gu
/** More marks on one letter than any language has grow over the lines above and below. */
const flood = /(\p{M}{4})\p{M}+/gu
/** Our own colours. */
const colour = /\u001b\[\d{1,2}m/

/** One line, with nothing in it that a terminal acts on. */
export function oneLine(text: string): string {
  return text
    .replace(/[\r\n\t]+/g, ' ')
    .replace(unsafe, '')
    .replace(flood, '$1')
}

/** As `oneLine`, but its newlines stay. */
export function lines(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(/\t/g, ' ').replace(unsafeButLines, '').replace(flood, '$1')
}

/** As `lines`, for text that we coloured ourselves. */
export function coloured(text: string): string {
  const parts = text.split(new RegExp(`(${colour.source})`))
  return parts.map((part, index) => (index % 2 === 1 ? part : lines(part))).join('')
}

/** Lines that follow the first stand in from the margin, so that nothing in them looks like a line of its own. */
export function hanging(text: string): string {
  return text.replaceAll('\n', '\n  ')
}

/** A copy of JSON-like data whose every string is `oneLine`. Other objects (dates, secrets) stay as they are. */
export function cleaned<T>(data: T): T {
  return mapStrings(data, oneLine)
}

/** A copy of JSON-like data whose every string, names of fields included, went through `change`. */
export function mapStrings<T>(data: T, change: (text: string) => string): T {
  const map = (value: unknown): unknown => {
    if (typeof value === 'string') return change(value)
    if (Array.isArray(value)) return value.map(map)
    if (typeof value === 'object' && value !== null && isPlain(value)) {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [change(key), map(item)]))
    }
    return value
  }
  return map(data) as T
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** JSON in which every character that a terminal acts on is an escape sequence. */
export function toJson(data: unknown, indent?: number): string {
  const text = JSON.stringify(data, undefined, indent)
  return text.replace(unsafeInJson, escaped)
}

/** Items of a list in one part of a document. */
const itemsInPart = 100

/** What `toJson` makes of a document, in parts: a long list in it is never one text, which would take its room again. */
export function* toJsonParts(document: unknown): Generator<string> {
  const isLong = (value: unknown) => Array.isArray(value) && value.length > itemsInPart
  const isObject = typeof document === 'object' && document !== null && isPlain(document)
  if (!isObject || !Object.values(document).some(isLong)) {
    yield toJson(document)
    return
  }
  let before = '{'
  for (const [name, value] of Object.entries(document) as [string, unknown][]) {
    if (value === undefined) continue
    yield `${before}${toJson(name)}:`
    before = ','
    if (!Array.isArray(value)) {
      yield toJson(value)
      continue
    }
    yield '['
    for (let start = 0; start < value.length; start += itemsInPart) {
      const items = toJson(value.slice(start, start + itemsInPart)).slice(1, -1)
      yield start === 0 ? items : `,${items}`
    }
    yield ']'
  }
  yield '}'
}

function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}

/** As `toJson`, a line for each item; looks for what is to be escaped once for all of them. */
export function toJsonLines(items: readonly unknown[]): string[] {
  const plain = items.map((item) => JSON.stringify(item))
  return plain.join('').search(unsafeInJson) === -1 ? plain : items.map((item) => toJson(item))
}

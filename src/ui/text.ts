// Rules of this file:
// - what came from outside (the server, a file, a flag) is cleaned here before a terminal sees it;
// - cleaning removes, it never rejects: a strange name must still be shown, revoked and deleted.

/** C0 and C1 control characters, DEL, bidirectional overrides, zero-width and line-separating characters. */
const unsafe =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g
const unsafeButLines = new RegExp(
  unsafe.source.replace('\\u0000-\\u001f', '\\u0000-\\u0009\\u000b-\\u001f'),
  'g',
)
/** What JSON.stringify leaves in the clear although a terminal or an editor acts on it. */
const unsafeInJson =
  /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g

/** One line, with nothing in it that a terminal acts on. */
export function oneLine(text: string): string {
  return text.replace(/[\r\n\t]+/g, ' ').replace(unsafe, '')
}

/** As `oneLine`, but its newlines stay. */
export function lines(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(/\t/g, ' ').replace(unsafeButLines, '')
}

/** A copy of JSON-like data whose every string is `oneLine`. Other objects (dates, secrets) stay as they are. */
export function cleaned<T>(data: T): T {
  return clean(data) as T
}

function clean(value: unknown): unknown {
  if (typeof value === 'string') return oneLine(value)
  if (Array.isArray(value)) return value.map(clean)
  if (typeof value === 'object' && value !== null && isPlain(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [oneLine(key), clean(item)]))
  }
  return value
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** JSON in which every character that a terminal acts on is an escape sequence. */
export function toJson(data: unknown, indent?: number): string {
  const text = JSON.stringify(data, undefined, indent)
  return text.replace(unsafeInJson, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** As `toJson`, a line for each item; looks for what is to be escaped once for all of them. */
export function toJsonLines(items: readonly unknown[]): string[] {
  const plain = items.map((item) => JSON.stringify(item))
  return plain.join('').search(unsafeInJson) === -1 ? plain : items.map((item) => toJson(item))
}

// Rules of this file:
// - values are found and read exactly as the dotenv package does; what other readers would read otherwise is refused;
// - the file's bytes are never decoded and encoded again: an edit cuts out one value and puts another there;
// - after every edit the result is read again, and all else must read as before.
import type { KeysError } from '../errors.ts'
import { Secret } from '../secret.ts'
import { refusal, together } from './refusal.ts'
import type { Held } from './target.ts'

type Quoting = 'unquoted' | 'double' | 'single' | 'backtick'

const quotes: Record<Quoting, string> = { unquoted: '', double: '"', single: "'", backtick: '`' }

/** What may stand in each kind of quotes and mean itself to dotenv, to a shell and to compose files alike. */
const allowed: Record<Quoting, RegExp> = {
  unquoted: /^[\w.:/@%+,-][\w.:/@%+,=-]*$/,
  double: /^[^"\\$`\p{C}]*$/u,
  single: /^[^'\\\p{C}]*$/u,
  backtick: /^[^`\\$\p{C}]*$/u,
}

/** dotenv's own, with the places of its groups. */
const assignment =
  /(?:^|^)\s*(?:export\s+)?([\w.-]+)(?:\s*=\s*?|:\s+?)(\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*`(?:\\`|[^`])*`|[^#\r\n]+)?\s*(?:#.*)?(?:$|$)/dgm

interface Entry {
  name: string
  /** Of the name, from 1. */
  line: number
  /** Trimmed, with its quotes. */
  raw: string
  /** Where `raw` lies in the text. */
  start: number
  end: number
}

interface Parsed {
  bytes: Buffer
  /** As dotenv sees it: UTF-8, every line end a newline. */
  text: string
  /** The place in `bytes` of every code unit of `text`, and of its end. */
  places: number[]
  entries: Entry[]
}

/** What the variable holds; undefined when it is not there. Throws `target-refused` for what cannot be read or edited. */
export function getVariable(bytes: Buffer, name: string): Held | undefined {
  const entry = findEntry(parse(bytes), name)
  return entry && held(entry)
}

/** Every variable, with what it holds, as far as that can be read. Throws `target-refused` for what is no text. */
export function variablesOf(bytes: Buffer): { name: string; value: Secret }[] {
  return parse(bytes).entries.map((entry) => ({ name: entry.name, value: held(entry).value }))
}

/** The file with the variable set; appended when it is not there. Throws `target-refused`. */
export function setVariable(bytes: Buffer, name: string, value: Secret, quoting?: string): Buffer {
  const parsed = parse(bytes)
  const entry = findEntry(parsed, name)
  if (entry) {
    const raw = quote(value.reveal(), isQuoting(quoting) ? quoting : quotingOf(entry.raw), name)
    return proved(parsed, name, splice(parsed, entry.start, entry.end, raw), value.reveal())
  }
  const line = `${name}=${quote(value.reveal(), 'unquoted', name)}`
  const ending = lastLineEnd(bytes)
  // Without a newline at its end the file gets none: the two cases can be told apart when the line is removed.
  const added = endsLine(bytes) ? line + ending : bytes.length > 0 ? ending + line : line
  return proved(parsed, name, Buffer.concat([bytes, Buffer.from(added)]), value.reveal())
}

/** The file as it was before `setVariable` gave `previous` place to `value`, of which this is the inverse, byte for byte. */
export function putBackVariable(bytes: Buffer, name: string, previous: Held): Buffer {
  const parsed = parse(bytes)
  const entry = findEntry(parsed, name)
  if (!entry) throw refusal(`${name} is not there any more`, 'put the old value back by hand')
  if (!isQuoting(previous.version)) return setVariable(bytes, name, previous.value)
  const mark = quotes[previous.version]
  const raw = mark + previous.value.reveal() + mark
  return proved(parsed, name, splice(parsed, entry.start, entry.end, raw), previous.value.reveal())
}

/** The file without the line that `setVariable` appended to it. Refuses a line that is not as we left it. */
export function removeVariable(bytes: Buffer, name: string): Buffer {
  const parsed = parse(bytes)
  const entry = findEntry(parsed, name)
  if (!entry) return bytes
  const { text } = parsed
  const start = text.lastIndexOf('\n', entry.start - 1) + 1
  const newline = text.indexOf('\n', entry.end)
  const end = newline === -1 ? text.length : newline
  if (text.slice(start, end) !== `${name}=${entry.raw}`) {
    throw refusal(`line ${entry.line} was edited after it was added`, `remove ${name} from it by hand`)
  }
  const cut =
    newline === -1 ? splice(parsed, Math.max(0, start - 1), end, '') : splice(parsed, start, newline + 1, '')
  return proved(parsed, name, cut, undefined)
}

function held(entry: Entry): Held {
  const quoting = quotingOf(entry.raw)
  const width = quotes[quoting].length
  return { value: new Secret(entry.raw.slice(width, entry.raw.length - width)), version: quoting }
}

function quotingOf(raw: string): Quoting {
  return raw.startsWith('"')
    ? 'double'
    : raw.startsWith("'")
      ? 'single'
      : raw.startsWith('`')
        ? 'backtick'
        : 'unquoted'
}

function isQuoting(text: string | undefined): text is Quoting {
  return text !== undefined && Object.hasOwn(quotes, text)
}

function quote(value: string, preferred: Quoting, name: string): string {
  const quoting = [preferred, 'double' as const, 'single' as const].find((kind) => allowed[kind].test(value))
  if (!quoting || value === '') {
    throw refusal(
      `the new value of ${name} cannot be written on one line of it`,
      'keep it in a file of its own: file:<path>',
    )
  }
  return quotes[quoting] + value + quotes[quoting]
}

function parse(bytes: Buffer): Parsed {
  if (bytes.includes(0) || /^(?:\xff\xfe|\xfe\xff)/.test(bytes.toString('latin1', 0, 2))) {
    throw refusal('it is not UTF-8 text', 'save it as UTF-8')
  }
  const { text, places } = decode(bytes)
  const entries: Entry[] = []
  let line = 1
  let counted = 0
  for (const match of text.matchAll(assignment)) {
    const [nameStart, nameEnd] = match.indices?.[1] ?? [0, 0]
    const group = match.indices?.[2]
    const raw = (match[2] ?? '').trim()
    const start =
      group && raw !== ''
        ? group[0] + (match[2] ?? '').indexOf(raw)
        : text.slice(nameEnd).search(/[=:]/) + nameEnd + 1
    line += text.slice(counted, nameStart).split('\n').length - 1
    counted = nameStart
    entries.push({ name: match[1] ?? '', line, raw, start, end: start + raw.length })
  }
  return { bytes, text, places, entries }
}

/** Invalid bytes become U+FFFD as they do for dotenv; `places` leads back to the bytes they were. */
function decode(bytes: Buffer): Pick<Parsed, 'text' | 'places'> {
  const places: number[] = []
  let text = ''
  let place = 0
  for (const character of bytes.toString('utf8')) {
    const isSecondHalf = character === '\n' && bytes[place - 1] === 0x0d
    if (!isSecondHalf) {
      text += character === '\r' ? '\n' : character
      for (let unit = 0; unit < character.length; unit++) places.push(place)
    }
    place += character === '\ufffd' ? replacedBytes(bytes, place) : Buffer.byteLength(character)
  }
  places.push(bytes.length)
  return { text, places }
}

/** How many bytes one U+FFFD stands for. */
function replacedBytes(bytes: Buffer, place: number): number {
  for (const length of [3, 2]) {
    const few = bytes.subarray(place, place + length)
    if (few.length === length && few.toString('utf8') === '\ufffd') return length
  }
  return 1
}

/** The one entry of that name, or undefined. All that is wrong with the file is said at once. */
function findEntry({ text, entries, bytes, places }: Parsed, name: string): Entry | undefined {
  const own = entries.filter((entry) => entry.name === name)
  const entry = own[0]
  const problems: KeysError[] = []
  if (own.length > 1) {
    const lines = own.map((each) => each.line)
    problems.push(
      refusal(
        `holds ${name} ${count(own.length)}, on lines ${list(lines)}`,
        `keep one of its lines and remove the others`,
      ),
    )
  }
  const last = own.at(-1) ?? entries.at(-1)
  for (const each of last ? entries.slice(0, entries.indexOf(last) + 1) : []) {
    if (/^["'`]/.test(each.raw) && !each.raw.includes(each.raw.charAt(0), 1)) {
      problems.push(refusal(`the quote opened on line ${each.line} is never closed`, `close it`))
    }
  }
  if (entry && problems.length === 0) {
    const wrong =
      whatIsWrong(entry, text) ?? (isValid(bytes, places, entry) ? undefined : 'is not UTF-8 text')
    if (wrong)
      problems.push(
        refusal(`the value of ${name} on line ${entry.line} ${wrong}`, `write it as ${name}=value`),
      )
  }
  if (problems.length > 0) throw together(problems)
  return entry
}

function whatIsWrong({ raw, start, end }: Entry, text: string): string | undefined {
  const mark = quotes[quotingOf(raw)]
  const value = mark === '' ? raw : raw.slice(1, -1)
  if (text.slice(text.lastIndexOf('\n', start - 1) + 1, start).trim() === '') return 'begins on the next line'
  if (mark !== '' && (!raw.endsWith(mark) || value.includes(mark))) return 'goes on after its closing quote'
  if (/[\n\u2028\u2029]/.test(value)) return 'has several lines'
  if (value.includes('\\')) return 'has backslash escapes, which programs read differently'
  if (mark !== "'" && /[$]/.test(value)) return 'refers to other variables by $'
  const newline = text.indexOf('\n', end)
  const rest = text.slice(end, newline === -1 ? undefined : newline)
  if (rest.startsWith('#')) return 'has a # right behind it, which some programs read as a part of it'
  return undefined
}

function isValid(bytes: Buffer, places: number[], { raw, start, end }: Entry): boolean {
  return bytes.subarray(places[start], places[end]).equals(Buffer.from(raw))
}

function splice({ bytes, places }: Parsed, start: number, end: number, put: string): Buffer {
  return Buffer.concat([bytes.subarray(0, places[start]), Buffer.from(put), bytes.subarray(places[end])])
}

/** The edited bytes, once they are seen to read as they should. */
function proved(before: Parsed, name: string, bytes: Buffer, value: string | undefined): Buffer {
  const after = parse(bytes)
  const others = (parsed: Parsed) =>
    JSON.stringify(
      parsed.entries.filter((entry) => entry.name !== name).map((entry) => [entry.name, entry.raw]),
    )
  const entry = findEntry(after, name)
  if ((entry && held(entry).value.reveal()) !== value || others(before) !== others(after)) {
    throw refusal(
      `${name} cannot be changed without changing how the rest is read`,
      `write it as ${name}=value`,
    )
  }
  return bytes
}

function endsLine(bytes: Buffer): boolean {
  return bytes.at(-1) === 0x0a || bytes.at(-1) === 0x0d
}

function lastLineEnd(bytes: Buffer): string {
  return /(\r\n|\n|\r)[^\r\n]*$/.exec(bytes.toString('latin1'))?.[1] ?? '\n'
}

function count(times: number): string {
  return times === 2 ? 'twice' : `${times} times`
}

function list(numbers: number[]): string {
  return `${numbers.slice(0, -1).join(', ')} and ${numbers.at(-1)}`
}

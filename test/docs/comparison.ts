// What a document says is printed, held against what was. What is another each time (ids, instants, ports) is compared by
// its kind, and an id of a document stands for one and the same id from its first mention to its last.

/** Ids of the document by those that they stand for here, and back. */
export interface Bindings {
  real: Map<string, string>
  written: Map<string, string>
}

export const noBindings = (): Bindings => ({ real: new Map(), written: new Map() })

export function bind({ real, written }: Bindings, inDocument: string, here: string): void {
  real.set(inDocument, here)
  written.set(here, inDocument)
}

/** A command of a document with the ids that its own stand for here. */
export function withRealIds(text: string, { real }: Bindings): string {
  return replaceAll(text, real)
}

/** What was printed here with the ids of the document. */
export function withWrittenIds(text: string, { written }: Bindings): string {
  return replaceAll(text, written)
}

function replaceAll(text: string, by: ReadonlyMap<string, string>): string {
  const longestFirst = [...by].sort(([a], [b]) => b.length - a.length)
  return longestFirst.reduce((changed, [from, to]) => changed.replaceAll(from, to), text)
}

interface Kind {
  pattern: string
  /** Whether it stands for one thing throughout. */
  isBound?: boolean
}

const duration = '\\d+(?:\\.\\d+)?(?:ms|mo|[smhdy])\\b(?: \\d+[smhd]\\b)?'
const kinds: Record<string, Kind> = {
  liveSecret: { pattern: 'pk_live_[\\w-]*(?:…[\\w-]*)?' },
  testSecret: { pattern: 'pk_test_[\\w-]*(?:…[\\w-]*)?' },
  digest: { pattern: '\\b[0-9a-f]{64}\\b', isBound: true },
  keyId: { pattern: '\\bkey_[a-z0-9]+\\b', isBound: true },
  mark: { pattern: '(?<=-)(?:[0-9a-f]{6}|none)-[0-9a-z]{1,10}(?=\\))' },
  rotationId: { pattern: '\\b(?=[a-f\\d]*\\d|[a-f]{6}\\b)[0-9a-f]{6}\\b', isBound: true },
  probe: { pattern: '\\b[0-9a-f]{16}\\b' },
  instant: { pattern: '\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:\\d\\d(?::\\d\\d(?:\\.\\d+)?)?(?:Z| UTC)?' },
  date: { pattern: '\\d{4}-\\d\\d-\\d\\d' },
  time: { pattern: '\\b\\d\\d:\\d\\d:\\d\\d\\b' },
  process: { pattern: '\\b(?:process|pid) \\d+' },
  url: { pattern: '(?:127\\.0\\.0\\.1|localhost):\\d{4,5}', isBound: true },
  version: { pattern: '(?<![\\d.])\\d+\\.\\d+\\.\\d+(?![\\d.])' },
  /** A number in JSON. */
  figure: { pattern: '(?<=": )-?\\d+(?:\\.\\d+)?' },
  age: { pattern: `just now|never|(?:in )?${duration}(?: ago)?` },
}

const tokens = new RegExp(
  Object.entries(kinds)
    .map(([name, { pattern }]) => `(?<${name}>${pattern})`)
    .join('|'),
  'g',
)
const escape = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
/** `…` stands for anything. */
const literal = (text: string) => text.split('…').map(escape).join('[^]*?')

/** Whether a line that was printed is what the document says, and the ids that it then binds. */
function matchLine(written: string, printed: string, bindings: Bindings): [string, string][] | undefined {
  const [expected, actual] = [tidy(written), tidy(printed)]
  if (expected === actual && ![...expected.matchAll(tokens)].some(isBound)) return []
  let pattern = ''
  let at = 0
  const found = [...expected.matchAll(tokens)]
  for (const match of found) {
    const [name = ''] = nameOf(match)
    pattern += `${literal(expected.slice(at, match.index))}(${kinds[name]?.pattern ?? ''})`
    at = match.index + match[0].length
  }
  const matched = new RegExp(`^${pattern}${literal(expected.slice(at))}$`).exec(actual)
  if (matched === null) return undefined
  const bound = found.flatMap((match, index): [string, string][] =>
    isBound(match) ? [[match[0], matched[index + 1] ?? '']] : [],
  )
  const fits = ([inDocument, here]: [string, string]) =>
    (bindings.real.get(inDocument) ?? here) === here &&
    (bindings.written.get(here) ?? inDocument) === inDocument
  return bound.every(fits) ? bound : undefined
}

function nameOf(match: RegExpMatchArray): [string, string] {
  const found = Object.entries(match.groups ?? {}).find(([, value]) => value !== undefined)
  return found ?? ['', '']
}

const isBound = (match: RegExpMatchArray) => kinds[nameOf(match)[0]]?.isBound === true

/** Columns of tables are as wide as what is in them. */
function tidy(line: string): string {
  return line.trimEnd().replace(/(?<=\S) {2,}/g, '  ')
}

/**
 * Whether what was printed is what the document says; binds its ids where it is. A line `…` is any number of lines, and a
 * line may have been broken for the terminal, which is as wide as the places and names on this machine leave it.
 */
export function isPrinted(
  written: readonly string[],
  printed: readonly string[],
  bindings: Bindings,
): boolean {
  const [first, ...rest] = written
  if (first === undefined) return printed.length === 0
  if (first.trim() === '…') {
    return (
      printed.some((_, from) => isPrinted(rest, printed.slice(from), bindings)) ||
      isPrinted(rest, [], bindings)
    )
  }
  return unbroken(printed).some(({ line, others }) => {
    const bound = matchLine(first, line, bindings)
    if (bound === undefined) return false
    const before = { real: new Map(bindings.real), written: new Map(bindings.written) }
    for (const [inDocument, here] of bound) bind(bindings, inDocument, here)
    if (isPrinted(rest, others, bindings)) return true
    bindings.real = before.real
    bindings.written = before.written
    return false
  })
}

/** The first line as it stands, and with one or more that stand in below it. */
function unbroken([line, ...others]: readonly string[]): { line: string; others: string[] }[] {
  if (line === undefined) return []
  const [next, ...rest] = others
  const more =
    next === undefined || !/^ {2,}\S/.test(next) ? [] : unbroken([`${line} ${next.trim()}`, ...rest])
  return [{ line, others }, ...more]
}

/** As `isPrinted`, for JSON: the same fields, kinds and texts; numbers may be others. */
export function isSameJson(written: unknown, printed: unknown, bindings: Bindings): boolean {
  if (typeof written === 'string' && typeof printed === 'string')
    return isPrinted([written], [printed], bindings)
  if (Array.isArray(written) && Array.isArray(printed)) {
    return (
      written.length === printed.length &&
      written.every((each, at) => isSameJson(each, printed[at], bindings))
    )
  }
  if (isRecord(written) && isRecord(printed)) {
    const names = Object.keys(written)
    return (
      names.length === Object.keys(printed).length &&
      names.every((name) => name in printed && isSameJson(written[name], printed[name], bindings))
    )
  }
  return typeof written === 'number' ? typeof printed === 'number' : written === printed
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

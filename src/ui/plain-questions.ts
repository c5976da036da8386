// Rules of this file:
// - it prints lines and reads lines, for whoever hears a screen instead of seeing it: nothing is drawn anew;
// - it takes what inquirer.ts takes, and answers as that does;
// - a line that came together with others was pasted, and answers nothing.
import type { Streams } from './prompts.ts'
import { drain } from './question-input.ts'

interface Item<T> {
  name?: string
  value: T
  description?: string
  checked?: boolean
}

type Verdict = boolean | string | Promise<boolean | string>

const severalLines = 'several lines came at once: type one'

/** The first line that `read` makes something of; what it says of the others is told. */
async function lineOf<T>(
  streams: Streams,
  prompt: string,
  read: (line: string) => T | Problem | Promise<T | Problem>,
): Promise<T> {
  for (;;) {
    streams.output.write(`${prompt} `)
    const line = await nextLine(streams)
    const answer = line === undefined ? new Problem(severalLines) : await read(line)
    if (!(answer instanceof Problem)) return answer
    streams.output.write(`${answer.text}\n`)
  }
}

/** A line, without blanks at its ends; undefined where more than that came at once. */
async function nextLine(streams: Streams): Promise<string | undefined> {
  const { input } = streams
  const { typed, rest } = await typedUntil(streams, /[\r\n]/)
  // the terminal hands over one line at a time, and keeps the beginning of another: both are seen here
  const { hasCome, interruptions } = await drain(input)
  rawMode(input, false)
  if (interruptions > 0) throw ending()
  return hasCome || rest !== '' ? undefined : typed.trim()
}

/** What comes before that, the character itself, and what has come after it. */
async function typedUntil(
  { input, signal }: Streams,
  end: RegExp,
): Promise<{ typed: string; ended: string; rest: string }> {
  signal.throwIfAborted()
  let text = ''
  let onData = (_: Buffer | string) => {}
  let onAbort = () => {}
  try {
    await new Promise<void>((resolve, reject) => {
      onAbort = () => reject(ending())
      onData = (chunk) => {
        text += String(chunk)
        if (end.test(text)) resolve()
      }
      signal.addEventListener('abort', onAbort, { once: true })
      input.on('data', onData)
    })
  } finally {
    signal.removeEventListener('abort', onAbort)
    input.off('data', onData)
  }
  // only now: more may have come in the same turn
  const at = text.search(end)
  return { typed: text.slice(0, at), ended: text.charAt(at), rest: text.slice(at + 1) }
}

function rawMode(input: NodeJS.ReadableStream, isRaw: boolean): void {
  ;(input as { setRawMode?: (mode: boolean) => void }).setRawMode?.(isRaw)
}

/** A line that the terminal does not show: nothing at all is shown in its place. */
export async function password({ message }: { message: string }, streams: Streams): Promise<string> {
  const { input, output } = streams
  rawMode(input, true)
  for (;;) {
    output.write(`${message} `)
    const { typed, rest, ended } = await typedUntil(streams, /[\r\n\x03\x04]/)
    const { hasCome, interruptions } = await drain(input)
    output.write('\n')
    if (interruptions > 0 || ended === '\x03' || ended === '\x04') throw ending()
    if (!hasCome && rest === '') return edited(typed)
    output.write(`${severalLines}\n`)
  }
}

/** As a terminal would have edited the line: a key back takes one away, Ctrl-U all of it. */
function edited(typed: string): string {
  let line = ''
  for (const key of typed) {
    if (key === '\x7f' || key === '\b') line = line.slice(0, -1)
    else if (key === '\x15') line = ''
    else line += key
  }
  return line
}

class Problem {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

function ending(): Error {
  return Object.assign(new Error('interrupted'), { name: 'AbortError' })
}

export function confirm({ message }: { message: string }, streams: Streams): Promise<boolean> {
  return lineOf(streams, `${message} (y or n, Enter for n)`, (line) => {
    if (/^y(es)?$/i.test(line)) return true
    return /^(n|no)?$/i.test(line) ? false : new Problem('type y or n')
  })
}

export function input(
  {
    message,
    default: standard = '',
    validate = () => true,
  }: { message: string; default?: string; prefill?: string; validate?: (text: string) => Verdict },
  streams: Streams,
): Promise<string> {
  const prompt = standard === '' ? message : `${message} (Enter for ${standard})`
  return lineOf(streams, prompt, async (line) => {
    const answer = line === '' ? standard : line
    const verdict = await validate(answer)
    return verdict === true ? answer : new Problem(String(verdict))
  })
}

export function select<T>(
  { message, choices }: { message: string; choices: readonly Item<T>[] },
  streams: Streams,
): Promise<T> {
  list(message, choices, streams)
  return lineOf(streams, 'number:', (line) => picked(line, choices, 1)?.[0]?.value ?? wrongNumber(choices))
}

export function checkbox<T>(
  {
    message,
    choices,
    validate = () => true,
  }: {
    message: string
    choices: readonly Item<T>[]
    validate?: (chosen: readonly { value: T }[]) => Verdict
  },
  streams: Streams,
): Promise<T[]> {
  list(message, choices, streams)
  const checked = choices.filter((choice) => choice.checked)
  const numbers = checked.map((choice) => choices.indexOf(choice) + 1).join(' ')
  const prompt = numbers === '' ? 'numbers, with blanks between:' : `numbers (Enter for ${numbers}):`
  return lineOf(streams, prompt, async (line) => {
    const chosen = line === '' ? checked : picked(line, choices)
    if (chosen === undefined) return wrongNumber(choices)
    const verdict = await validate(chosen)
    return verdict === true ? chosen.map(({ value }) => value) : new Problem(String(verdict))
  })
}

/** So many are read out at once. */
const mostListed = 20

/** A number takes what is listed under it, any other text lists what has all its words. */
export async function search<T>(
  {
    message,
    choices,
    many,
  }: { message: string; choices: readonly Item<T>[]; many: boolean; pageSize: number },
  streams: Streams,
): Promise<T[]> {
  let found = choices
  const show = () => {
    list(message, found.slice(0, mostListed), streams)
    if (found.length > mostListed) streams.output.write(`and ${found.length - mostListed} more\n`)
  }
  show()
  const prompt = many ? 'numbers, or words to search for:' : 'number, or words to search for:'
  return lineOf(streams, prompt, (line) => {
    const chosen = picked(line, found.slice(0, mostListed), many ? Infinity : 1)
    if (chosen !== undefined && chosen.length > 0) return chosen.map(({ value }) => value)
    const words = line.toLowerCase().split(/\s+/)
    const matching = choices.filter(({ name = '', description = '' }) =>
      words.every((word) => `${name} ${description}`.toLowerCase().includes(word)),
    )
    if (matching.length === 0) return new Problem('nothing matches')
    found = matching
    show()
    return new Problem(`${found.length} found`)
  })
}

function list(message: string, choices: readonly Item<unknown>[], { output }: Streams): void {
  const lines = choices.map(
    ({ name = '', description }, index) => `${index + 1}. ${name}${description ? `: ${description}` : ''}\n`,
  )
  output.write(`${message}\n${lines.join('')}`)
}

/** What the numbers of a line stand for, each once; undefined where it is no such numbers, or more than `most`. */
function picked<T>(line: string, choices: readonly Item<T>[], most = Infinity): Item<T>[] | undefined {
  const words = line.split(/[\s,]+/).filter((word) => word !== '')
  if (words.length > most) return undefined
  const items = [...new Set(words)].map((word) =>
    /^\d+$/.test(word) ? choices[Number(word) - 1] : undefined,
  )
  return items.some((item) => item === undefined) ? undefined : (items as Item<T>[])
}

function wrongNumber(choices: readonly unknown[]): Problem {
  return new Problem(`type a number from 1 to ${choices.length}`)
}

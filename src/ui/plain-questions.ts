// Rules of this file:
// - it prints lines and reads lines, for whoever hears a screen instead of seeing it: nothing is drawn anew;
// - it takes what inquirer.ts takes, and answers as that does.
import { createInterface } from 'node:readline'
import type { Streams } from './prompts.ts'

export { password } from './inquirer.ts'

interface Item<T> {
  name?: string
  value: T
  description?: string
  checked?: boolean
}

type Verdict = boolean | string | Promise<boolean | string>

/** The first line that `read` makes something of; what it says of the others is told. */
async function lineOf<T>(
  { input, output, signal }: Streams,
  prompt: string,
  read: (line: string) => T | Problem | Promise<T | Problem>,
): Promise<T> {
  signal.throwIfAborted()
  const lines = createInterface({ input, terminal: false })
  const closing = new AbortController()
  const onAbort = () => closing.abort()
  signal.addEventListener('abort', onAbort, { once: true })
  output.write(`${prompt} `)
  try {
    return await new Promise<T>((resolve, reject) => {
      closing.signal.addEventListener('abort', () => reject(ending()), { once: true })
      lines.on('line', (line) => {
        Promise.resolve(read(line.trim())).then((answer) => {
          if (answer instanceof Problem) output.write(`${answer.text}\n${prompt} `)
          else resolve(answer)
        }, reject)
      })
    })
  } finally {
    signal.removeEventListener('abort', onAbort)
    lines.close()
  }
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

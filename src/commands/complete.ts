import type { Context } from '../context.ts'
import { oneLine } from '../ui/text.ts'
import { defineCommand } from './command.ts'
import type { KnownKey } from './complete-keys.ts'
import { bashInsertion, bashWords, fishText } from './complete-shells.ts'
import { type Candidate, type Wanted, wantedAfter } from './complete-words.ts'

/**
 * What the scripts of `completion` ask. The first line says what the rest is: `words`, `nospace` (the word goes on), or
 * `files`, which the shell knows better. Then a candidate a line, a tab, and a summary; for bash the text to be inserted.
 */
export const complete = defineCommand({
  name: '__complete',
  summary: 'what a command line can go on with, for the scripts of `completion`',
  args: [
    { name: 'shell', summary: 'bash, zsh or fish', choices: ['bash', 'zsh', 'fish'] },
    { name: 'line', summary: 'the line as that shell has it', many: true },
  ],
  // a window that asks for a password in the middle of a line would get the rest of it
  asksNobody: true,
  lineIn: ({ shell, line }) => read(shell, line).words,

  async run(context, { shell, line }) {
    const { words, current, insert } = read(shell, line)
    let answer: Answer = { kind: 'words', candidates: [] }
    try {
      answer = await answerTo(context, await wantedAfter(words, current), current)
    } catch (error) {
      // in the middle of a line nobody wants an error
      context.out.debug(String(error))
    }
    const shown = answer.candidates.flatMap(({ value, summary }) => {
      const text = isPlain(value) ? insert(value) : undefined
      return text === undefined ? [] : [shell === 'bash' ? text : `${text}\t${oneLine(summary)}`]
    })
    await context.out.lines([answer.kind, ...shown])
  },
})

interface TypedLine {
  /** Between the program and the word the cursor is in. */
  words: string[]
  current: string
  /** What the shell is to get for a candidate; undefined where it is none. */
  insert: (value: string) => string | undefined
}

function read(shell: string, line: readonly string[]): TypedLine {
  if (shell !== 'bash') {
    const current = line.at(-1) ?? ''
    // both choose among all by rules of their own, and quote what they insert
    return {
      words: line.slice(0, -1),
      current: shell === 'fish' ? fishText(current) : current,
      insert: (value) => value,
    }
  }
  const [text = '', inPlace = ''] = line
  const typed = bashWords(text)
  while (/^[A-Za-z_]\w*=/.test(typed[0]?.text ?? '') && typed.length > 1) typed.shift()
  const last = typed.at(-1) ?? { text: '', raw: '', quote: '' }
  // bash takes a part of the word for the word, cut at a colon, an equals sign or a quote
  const cut = last.raw.endsWith(inPlace) ? last.raw.length - inPlace.length : 0
  return {
    words: typed.slice(1, -1).map((word) => word.text),
    current: last.text,
    insert: (value) => bashInsertion(value, last)?.slice(cut),
  }
}

/** Whatever a line or a terminal acts on is offered in no shell: a key of such a name has its id. */
function isPlain(value: string): boolean {
  return value === oneLine(value)
}

interface Answer {
  kind: 'words' | 'nospace' | 'files'
  candidates: readonly Candidate[]
}

async function answerTo(context: Context, wanted: Wanted, current: string): Promise<Answer> {
  if (wanted.kind === 'file') return { kind: 'files', candidates: [] }
  const candidates = await candidatesFor(context, wanted, current)
  const goesOn = candidates.length > 0 && candidates.every(({ value }) => /[/:=#]$/.test(value))
  return { kind: goesOn ? 'nospace' : 'words', candidates }
}

async function candidatesFor(
  context: Context,
  wanted: Wanted,
  current: string,
): Promise<readonly Candidate[]> {
  switch (wanted.kind) {
    case 'candidates':
      return wanted.candidates
    case 'key': {
      const { knownKeys } = await import('./complete-keys.ts')
      const keys = await knownKeys(context)
      const shown = keys.filter(({ status }) => wanted.status === undefined || status === wanted.status)
      return keyCandidates(shown, current.slice(wanted.prefix.length))
        .filter(({ value }) => !wanted.given.includes(value))
        .map(({ value, summary }) => ({ value: wanted.prefix + value, summary }))
    }
    case 'target': {
      const { targetCandidates } = await import('./complete-targets.ts')
      return prefixed(wanted.prefix, await targetCandidates(current.slice(wanted.prefix.length), context))
    }
    case 'profile': {
      const { profiles } = await context.config()
      return prefixed(
        wanted.prefix,
        profiles.map((name) => ({ value: name, summary: 'a profile' })),
      )
    }
    case 'rotation': {
      const { openRotations } = await import('./complete-rotations.ts')
      return [...(await openRotations(context.stateDir)), ...(wanted.also ?? [])]
    }
    case 'file':
    case 'nothing':
      return []
  }
}

function prefixed(prefix: string, candidates: readonly Candidate[]): Candidate[] {
  return candidates.map(({ value, summary }) => ({ value: prefix + value, summary }))
}

/** By their ids where one was begun; else by their names, and by id where a name says too little. */
function keyCandidates(keys: readonly KnownKey[], current: string): Candidate[] {
  const facts = ({ type, status }: KnownKey) => (status === 'active' ? type : `${type}, ${status}`)
  if (current.startsWith('key_')) {
    return keys.map((key) => ({ value: key.id, summary: `${key.name}, ${facts(key)}` }))
  }
  const counts = new Map<string, number>()
  for (const { name } of keys) counts.set(name, (counts.get(name) ?? 0) + 1)
  return keys.map((key) =>
    counts.get(key.name) === 1 && isPlain(key.name)
      ? { value: key.name, summary: `${key.id}, ${facts(key)}` }
      : { value: key.id, summary: `${key.name}, ${facts(key)}` },
  )
}

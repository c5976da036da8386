import { KeysError } from '../errors.ts'
import type { Pasting } from './question-input.ts'
import { oneLine } from './text.ts'

/**
 * Questions to a person. Without a terminal each throws `needs-answer` (exit 2), naming the flag that would have answered;
 * Ctrl-C throws `interrupted`. What is pasted answers none of them: Enter does.
 */
export interface Prompts {
  /** Resolves only on yes; throws `not-confirmed` on no. */
  confirm(question: string, flag: string): Promise<void>
  /** Asks for the exact text (a name typed to confirm); throws `not-confirmed` for any other. */
  typed(question: string, expected: string, flag: string): Promise<void>
  /** One line, without blanks at its ends. */
  text(question: string, flag: string, options?: TextOptions): Promise<string>
  /** Hidden input. */
  secret(question: string, flag: string): Promise<string>
  select<T>(question: string, choices: readonly Choice<T>[], flag: string): Promise<T>
  /** One of many, found by typing. */
  search<T>(question: string, choices: readonly Choice<T>[], flag: string): Promise<T>
  /** At least one of many, found by typing. */
  searchMany<T>(question: string, choices: readonly Choice<T>[], flag: string): Promise<T[]>
  /** Any of a few; `check` as in `TextOptions`. */
  checkbox<T>(
    question: string,
    choices: readonly Choice<T>[],
    flag: string,
    check?: (chosen: T[]) => void | Promise<void>,
  ): Promise<T[]>
  /** The same questions, but about these keys, whichever are in use. */
  about(whose: string | undefined): Prompts
}

export interface Choice<T> {
  name: string
  value: T
  /** What stands there once it is chosen; its name by default. */
  short?: string | undefined
  /** Said of it while the cursor is on it; searched as the name is. */
  description?: string | undefined
  /** Of a checkbox: whether it is chosen to begin with. */
  checked?: boolean | undefined
}

export interface TextOptions {
  /** Throws a KeysError for what is no answer: the person is told, and asked again. */
  check?: ((answer: string) => void | Promise<void>) | undefined
  /** What Enter alone means. */
  default?: string | undefined
  /** Stands there to be changed. */
  initial?: string | undefined
}

export interface PromptsOptions {
  /** Whether a person can be asked. */
  interactive: boolean
  stdin: () => NodeJS.ReadableStream
  /** Questions are talk: they go to stderr, so that stdout stays data. */
  stderr: NodeJS.WritableStream
  signal: AbortSignal
  /** Whether questions have colours. */
  colour?: boolean
  /** Lines only: nothing is drawn anew, no key means anything but Enter. */
  plain?: boolean
  /** Ctrl-C was typed so often at a question, where the terminal makes no signal of it. */
  onCtrlC?: (times: number) => void
  /** What stands before each question: whose keys it is about. */
  whose?: () => Promise<string | undefined>
}

export function createPrompts(options: PromptsOptions): Prompts {
  const { signal, stderr } = options

  async function ask<T>(question: string, flag: string, pasting: Pasting, put: Put<T>): Promise<T> {
    if (!options.interactive) {
      throw new KeysError('needs-answer', `there is nobody to ask: ${question}`, { hint: `give ${flag}` })
    }
    const plain = options.plain === true
    const [questions, { openInput }, { openQuestionOutput }, { paragraph }, whose] = await Promise.all([
      (plain ? import('./plain-questions.ts') : import('./inquirer.ts')) as Promise<Questions>,
      import('./question-input.ts'),
      import('./question-output.ts'),
      import('./wrapping.ts'),
      options.whose?.(),
    ])
    const text = oneLine(whose === undefined ? question : `${whose} › ${question}`)
    // a question that is longer than a line is broken between words, behind the mark that the library begins it with
    const message = plain
      ? text
      : paragraph(`  ${text}`, columns() - 1, 2)
          .join('\n')
          .trimStart()
    const input = openInput(options.stdin(), { pasting, raw: !plain })
    const output = openQuestionOutput(stderr, { colour: options.colour ?? true })
    const marksPaste = input.isTerminal && !plain
    try {
      if (await input.settle()) throw interrupted(signal)
      if (marksPaste) stderr.write('\x1b[?2004h')
      return await put(questions, message, { input: input.stream, output: output.stream, signal })
    } catch (error) {
      if (error instanceof Error && endings.has(error.name)) throw interrupted(signal, error)
      throw error
    } finally {
      if (marksPaste) stderr.write('\x1b[?2004l')
      output.close()
      input.close()
      // not before the terminal is as it was: the third ends the process at once
      options.onCtrlC?.(input.interruptions())
    }
  }

  const columns = () => (stderr as { columns?: number }).columns ?? 80
  const pageSize = () => Math.max(3, Math.min(10, ((stderr as { rows?: number }).rows ?? 24) - 6))
  const searched = <T>(question: string, choices: readonly Choice<T>[], flag: string, many: boolean) =>
    ask(question, flag, 'taken', (questions, message, streams) =>
      questions.search(
        { message, choices: choices.map(printable), many, pageSize: pageSize(), columns: columns() },
        streams,
      ),
    ) as Promise<T[]>

  return {
    async confirm(question, flag) {
      const yes = await ask(question, flag, 'left', (questions, message, streams) =>
        questions.confirm({ message, default: false }, streams),
      )
      if (!yes) throw notConfirmed()
    },

    async typed(question, expected, flag) {
      const answer = await ask(question, flag, 'taken', (questions, message, streams) =>
        questions.input({ message }, streams),
      )
      if (answer.trim() !== oneLine(expected).trim()) {
        throw notConfirmed('that is not what was to be typed: nothing was done')
      }
    },

    async text(question, flag, { check, default: standard, initial } = {}) {
      const answer = await ask(question, flag, 'taken', (questions, message, streams) =>
        questions.input(
          {
            message,
            ...(standard !== undefined && { default: standard }),
            ...(initial !== undefined && { default: initial, prefill: 'editable' as const }),
            validate: async (text) => whatIsWrong(async () => check?.(text.trim())),
          },
          streams,
        ),
      )
      return answer.trim()
    },

    secret: (question, flag) =>
      ask(question, flag, 'taken', (questions, message, streams) =>
        questions.password({ message, mask: false, toggleMask: false }, streams),
      ),

    select: <T>(question: string, choices: readonly Choice<T>[], flag: string) =>
      ask(question, flag, 'left', (questions, message, streams) =>
        questions.select<T>({ message, choices: choices.map(printable), pageSize: pageSize() }, streams),
      ),

    async search<T>(question: string, choices: readonly Choice<T>[], flag: string) {
      const [chosen] = await searched(question, choices, flag, false)
      return chosen as T
    },

    searchMany: (question, choices, flag) => searched(question, choices, flag, true),

    about: (whose) => createPrompts({ ...options, whose: async () => whose }),

    checkbox: <T>(
      question: string,
      choices: readonly Choice<T>[],
      flag: string,
      check?: (chosen: T[]) => void | Promise<void>,
    ) =>
      ask(question, flag, 'left', (questions, message, streams) =>
        questions.checkbox<T>(
          {
            message,
            choices: choices.map((choice) => ({ ...printable(choice), checked: choice.checked === true })),
            pageSize: pageSize(),
            loop: false,
            validate: (chosen) => whatIsWrong(async () => check?.(chosen.map(({ value }) => value))),
          },
          streams,
        ),
      ),
  }
}

type Put<T> = (questions: Questions, message: string, streams: Streams) => Promise<T>

/** What a question is read from and drawn on. */
export interface Streams {
  input: NodeJS.ReadableStream
  output: NodeJS.WritableStream
  signal: AbortSignal
}

interface Item<T> {
  name: string
  value: T
  short: string
  description?: string
  checked?: boolean
}
type Verdict = boolean | string | Promise<boolean | string>

/** What puts the questions: inquirer, or lines. */
export interface Questions {
  confirm(config: { message: string; default: boolean }, streams: Streams): Promise<boolean>
  input(
    config: {
      message: string
      default?: string
      prefill?: 'editable'
      validate?: (text: string) => Verdict
    },
    streams: Streams,
  ): Promise<string>
  password(config: { message: string; mask: boolean; toggleMask: boolean }, streams: Streams): Promise<string>
  select<T>(config: { message: string; choices: Item<T>[]; pageSize: number }, streams: Streams): Promise<T>
  checkbox<T>(
    config: {
      message: string
      choices: Item<T>[]
      pageSize: number
      loop: boolean
      validate: (chosen: readonly { value: T }[]) => Verdict
    },
    streams: Streams,
  ): Promise<T[]>
  search(
    config: { message: string; choices: Item<unknown>[]; many: boolean; pageSize: number; columns: number },
    streams: Streams,
  ): Promise<unknown[]>
}

function printable<T>({ name, value, short = name, description }: Choice<T>): Item<T> {
  return {
    name: oneLine(name),
    value,
    short: oneLine(short),
    ...(description !== undefined && { description: oneLine(description) }),
  }
}

/** True, or what the person is told. */
async function whatIsWrong(check: () => Promise<void>): Promise<true | string> {
  try {
    await check()
    return true
  } catch (error) {
    if (!(error instanceof KeysError) || error.code === 'interrupted') throw error
    return oneLine(error.hint === undefined ? error.message : `${error.message}; ${error.hint}`)
  }
}

function interrupted({ reason }: AbortSignal, cause?: unknown): KeysError {
  return new KeysError('interrupted', reason instanceof KeysError ? reason.message : 'interrupted', { cause })
}

/** What inquirer throws on Ctrl-C and when its signal aborts. */
const endings = new Set(['ExitPromptError', 'AbortPromptError', 'CancelPromptError', 'AbortError'])

function notConfirmed(message = 'nothing was done'): KeysError {
  return new KeysError('not-confirmed', message)
}

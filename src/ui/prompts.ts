import { KeysError } from '../errors.ts'
import type * as inquirer from './inquirer.ts'
import { oneLine } from './text.ts'

/** Questions to a person. Without a terminal each throws `needs-answer` (exit 2), naming the flag that would have answered. */
export interface Prompts {
  /** Throws `interrupted` on Ctrl-C; resolves only on yes; throws `usage` ("not confirmed") on no. */
  confirm(question: string, flag: string): Promise<void>
  /** Asks for the exact text (a name typed to confirm). */
  typed(question: string, expected: string, flag: string): Promise<void>
  text(question: string, flag: string): Promise<string>
  /** Hidden input. */
  secret(question: string, flag: string): Promise<string>
  select<T>(question: string, choices: { name: string; value: T }[], flag: string): Promise<T>
}

export interface PromptsOptions {
  /** Whether a person can be asked. */
  interactive: boolean
  stdin: () => NodeJS.ReadableStream
  /** Questions are talk: they go to stderr, so that stdout stays data. */
  stderr: NodeJS.WritableStream
  signal: AbortSignal
}

export function createPrompts(options: PromptsOptions): Prompts {
  const ask = async <T>(
    question: string,
    flag: string,
    put: (prompts: Inquirer, message: string, streams: Streams) => Promise<T>,
  ): Promise<T> => {
    if (!options.interactive) {
      throw new KeysError('needs-answer', `there is nobody to ask: ${question}`, { hint: `give ${flag}` })
    }
    const prompts = await import('./inquirer.ts')
    try {
      const streams = { input: options.stdin(), output: options.stderr, signal: options.signal }
      return await put(prompts, oneLine(question), streams)
    } catch (error) {
      if (error instanceof Error && endings.has(error.name)) {
        throw new KeysError('interrupted', reasonOf(options.signal), { cause: error })
      }
      throw error
    }
  }

  return {
    async confirm(question, flag) {
      const yes = await ask(question, flag, (prompts, message, streams) =>
        prompts.confirm({ message, default: false }, streams),
      )
      if (!yes) throw notConfirmed()
    },

    async typed(question, expected, flag) {
      const answer = await ask(question, flag, (prompts, message, streams) =>
        prompts.input({ message }, streams),
      )
      if (answer.trim() !== oneLine(expected).trim()) throw notConfirmed()
    },

    text: (question, flag) =>
      ask(question, flag, (prompts, message, streams) => prompts.input({ message }, streams)),

    secret: (question, flag) =>
      ask(question, flag, (prompts, message, streams) => prompts.password({ message, mask: false }, streams)),

    select: <T>(question: string, choices: { name: string; value: T }[], flag: string) =>
      ask(question, flag, (prompts, message, streams) =>
        prompts.select<T>(
          { message, choices: choices.map(({ name, value }) => ({ name: oneLine(name), value })) },
          streams,
        ),
      ),
  }
}

function reasonOf({ reason }: AbortSignal): string {
  return reason instanceof KeysError ? reason.message : 'interrupted'
}

type Inquirer = typeof inquirer
interface Streams {
  input: NodeJS.ReadableStream
  output: NodeJS.WritableStream
  signal: AbortSignal
}

/** What inquirer throws on Ctrl-C and when its signal aborts. */
const endings = new Set(['ExitPromptError', 'AbortPromptError', 'CancelPromptError'])

function notConfirmed(): KeysError {
  return new KeysError('usage', 'not confirmed, nothing was changed')
}

import { createClient } from '../../src/api/client.ts'
import type { Client } from '../../src/api/contract.ts'
import { systemClock } from '../../src/clock.ts'
import type { Context } from '../../src/context.ts'
import { KeysError } from '../../src/errors.ts'
import type { Command } from '../../src/commands/command.ts'
import { readFlag } from '../../src/flags.ts'
import { globalFlags, type Globals } from '../../src/globals.ts'
import { answersTo } from '../../src/rotation/marked-name.ts'
import { createSandbox, type Sandbox, type SandboxOptions } from '../../src/sandbox/server.ts'
import type { Secret } from '../../src/secret.ts'
import { plain } from '../../src/ui/paint.ts'
import type { Choice, Prompts } from '../../src/ui/prompts.ts'

/** A person at a terminal: answers by the beginning of the question; a question without an answer is an error. */
export type Answers = Record<string, string | boolean | readonly string[]>

export interface Played {
  stdout: string
  stderr: string
  result: unknown
  questions: string[]
  error: unknown
}

export interface Stage {
  sandbox: Sandbox
  /** Runs a command in this process with what was typed, as `cli.ts` would hand it over. */
  play(command: Command, typed?: Record<string, unknown>, answers?: Answers): Promise<Played>
  end(): Promise<void>
}

const standardGlobals = Object.fromEntries(
  Object.entries(globalFlags).map(([key, flag]) => [key, readFlag(key, flag, undefined, {})]),
) as Globals

/** A command's own test bed: a sandbox, a person who answers, and everything that was printed. */
export async function setStage(options: SandboxOptions = {}): Promise<Stage> {
  const sandbox = await createSandbox({ propagationMs: 0, seed: 5, ...options })
  const clientFor = (credential: Secret): Client =>
    createClient({
      fetch: (url, init) => globalThis.fetch(url, init),
      baseUrl: sandbox.url,
      credential,
      version: '0.0.0',
      answersTo,
    })

  return {
    sandbox,
    end: () => sandbox.close(),
    async play(command, typed = {}, answers = {}) {
      const played: Played = { stdout: '', stderr: '', result: undefined, questions: [], error: undefined }
      const context: Context = {
        api: async () => clientFor(sandbox.adminKey),
        clientFor: async (secret) => clientFor(secret),
        credential: async () => ({
          secret: sandbox.adminKey,
          source: { kind: 'environment', variable: 'X' },
        }),
        config: () => Promise.reject(new Error('no profile here')),
        openProfile: () => Promise.reject(new Error('no profile here')),
        credentialStore: () => Promise.reject(new Error('no profile here')),
        loginLine: () => 'pictify-keys login',
        apiUrl: async () => sandbox.url,
        out: recorder(played),
        prompt: person(played, answers),
        secretScreen: () => Promise.reject(new Error('no screen here')),
        clock: systemClock,
        signal: new AbortController().signal,
        onInterrupt: () => () => {},
        onWait: () => () => {},
        env: {},
        globals: standardGlobals,
        cwd: '/',
        stateDir: '/nowhere',
        cacheDir: '/nowhere',
        stdin: process.stdin,
        processes: { pid: process.pid, startOf: async () => undefined },
        version: '0.0.0',
        nodeVersion: '20.20.0',
        insecureHttp: false,
        program: '/opt/pictify-keys/bin/pictify-keys.js',
      }
      const inputs = Object.fromEntries([
        ...command.args.map(({ name, many }) => [name, typed[name] ?? (many ? [] : undefined)] as const),
        ...Object.entries(command.flags).map(
          ([key, flag]) => [key, readFlag(key, flag, typed[key], {})] as const,
        ),
      ])
      try {
        await command.run(context, inputs as never)
      } catch (error) {
        played.error = error
      }
      return played
    },
  }
}

function recorder(played: Played): Context['out'] {
  const talk = (text: string) => void (played.stderr += `${text}\n`)
  return {
    json: false,
    interactive: true,
    toTerminal: false,
    columns: 80,
    width: 80,
    paint: plain,
    live: undefined,
    result(data, human) {
      played.result = data
      played.stdout += `${human(data)}\n`
    },
    line: async (text) => void (played.stdout += `${text}\n`),
    lines: async (texts) => void (played.stdout += texts.map((text) => `${text}\n`).join('')),
    text: async (piece) => void (played.stdout += piece),
    say: (...texts) => talk(texts.join('\n')),
    show: (...texts) => talk(texts.join('\n')),
    conceal: () => {},
    attend: () => {},
    outputs: () => {},
    summary: () => {},
    warn: (text) => talk(`warning: ${text}`),
    event: (_, sentence) => void (sentence !== undefined && talk(sentence)),
    debug: () => {},
    error: ({ message }) => talk(`error: ${message}`),
  }
}

function person(played: Played, answers: Answers): Prompts {
  const answer = (question: string) => {
    played.questions.push(question)
    const [, given] = Object.entries(answers).find(([start]) => question.startsWith(start)) ?? []
    if (given === undefined) throw new Error(`nobody expected the question: ${question}`)
    return given
  }
  const no = () => new KeysError('not-confirmed', 'nothing was done')
  const prompts: Prompts = {
    about: () => prompts,
    confirm: async (question) => {
      if (answer(question) !== true) throw no()
    },
    typed: async (question, expected) => {
      if (answer(question) !== expected) throw no()
    },
    async text(question, _flag, { check, default: standard = '', initial = '' } = {}) {
      const given = answer(question)
      // Enter alone
      const typed = given === true ? initial || standard : String(given)
      await check?.(typed)
      return typed
    },
    secret: async (question) => String(answer(question)),
    select: async (question, choices) => only(question, pick(question, choices, [String(answer(question))])),
    search: async (question, choices) => only(question, pick(question, choices, [String(answer(question))])),
    searchMany: async (question, choices) => pick(question, choices, answer(question) as readonly string[]),
    async checkbox(question, choices, _flag, check) {
      const given = answer(question)
      const chosen =
        given === true
          ? choices.filter(({ checked }) => checked).map(({ value }) => value)
          : pick(question, choices, given as readonly string[])
      await check?.(chosen)
      return chosen
    },
  }
  return prompts
}

/** The choices whose names begin so. */
function pick<T>(question: string, choices: readonly Choice<T>[], names: readonly string[]): T[] {
  return names.map((name) => {
    const chosen = choices.find((choice) => choice.name.startsWith(name))
    if (!chosen) {
      const all = choices.map((choice) => choice.name).join(' | ')
      throw new Error(`no such choice: ${question} ${name}, of ${all}`)
    }
    return chosen.value
  })
}

function only<T>(question: string, [chosen, ...others]: T[]): T {
  if (chosen === undefined || others.length > 0) throw new Error(`not one choice: ${question}`)
  return chosen
}

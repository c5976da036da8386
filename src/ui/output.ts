// Rules of this file:
// - stdout carries data, stderr carries talk; nothing else in the program writes to either;
// - with --json, stdout is exactly one JSON document and stderr is one JSON object a line;
// - no control character from outside reaches a terminal.
// - warnings, errors, events and debug lines are redacted; only data and `say` may show a secret on purpose.
import { KeysError } from '../errors.ts'
import { redact } from '../secret.ts'
import { plain, type Paint } from './paint.ts'
import { cleaned, lines, oneLine, toJson } from './text.ts'

export interface Output {
  /** Whether `--json` was given. */
  readonly json: boolean
  /** Whether a person can be asked: stdin and stderr are terminals, and `CI` and `--json` are not set. */
  readonly interactive: boolean
  /** Columns of the terminal, 80 where there is none. */
  readonly columns: number
  /** Colours for what `result` prints; text as it is where stdout gets none. */
  readonly paint: Paint
  /**
   * The result of a command: `data` as one JSON document with --json, else the sentence or table `human` makes of it.
   * `human` gets a copy of the data whose strings are safe to print.
   */
  result<T>(data: T, human: (data: T) => string): void
  /** One line of data on stdout as it is (ndjson, csv, ids); waits while the reader is slow. */
  line(text: string): Promise<void>
  /** As `line`, for several at once: of a hundred thousand, what is done for each one counts. */
  lines(texts: readonly string[]): Promise<void>
  /** Talk for a person, on stderr; nothing with --json or --quiet. */
  say(text: string): void
  /** As `say`, but also with --quiet; with --json an event `{"event":"warning","message":…}`. */
  warn(text: string): void
  /** Progress: with --json one JSON object a line on stderr, else the sentence (when one is given) as `say` does. */
  event(event: { event: string; [field: string]: unknown }, sentence?: string): void
  /** Only with --debug: one line on stderr, redacted. */
  debug(text: string): void
  error(error: KeysError): void
}

/** An Output with an end: `flush` resolves once all has left, and throws what went wrong with stdout. */
export interface StreamOutput extends Output {
  flush(): Promise<void>
}

/** Thrown where the reader of stdout has gone away (`| head`): nobody wants the rest, and that is no failure. */
export class ReaderGone extends Error {
  override readonly name = 'ReaderGone'
}

export interface OutputOptions {
  stdout: NodeJS.WriteStream
  stderr: NodeJS.WriteStream
  /** Whether stdin is a terminal. */
  canAsk: boolean
  env: Readonly<Record<string, string | undefined>>
  json: boolean
  quiet: boolean
  debug: boolean
  /** Colours for each stream; text as it is by default. */
  paint?: { stdout: Paint; stderr: Paint } | undefined
}

const bufferedCharacters = 64 * 1024

export function createOutput(options: OutputOptions): StreamOutput {
  const { stdout, stderr, json } = options
  const paint = options.paint ?? { stdout: plain, stderr: plain }
  const quiet = options.quiet
  let buffer = ''
  let scheduled = false
  let failure: NodeJS.ErrnoException | undefined

  stdout.on('error', (error: NodeJS.ErrnoException) => (failure ??= error))
  // Talk that nobody can read is no reason to stop the work.
  stderr.on('error', () => undefined)

  const talk = (text: string) => void stderr.write(`${text}\n`)
  const talkEvent = (event: object) => talk(redact(toJson(event)))

  /** Hands what is buffered to stdout; false when its reader is slow. */
  const pour = (): boolean => {
    if (buffer === '' || failure !== undefined) return true
    const text = buffer
    buffer = ''
    return stdout.write(text)
  }
  const pourSoon = () => {
    if (scheduled) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      pour()
    })
  }

  const put = async (texts: readonly string[]): Promise<void> => {
    if (failure !== undefined) throw whatFailed(failure)
    for (const text of texts) buffer += stdout.isTTY ? `${oneLine(text)}\n` : `${text}\n`
    if (buffer.length < bufferedCharacters) pourSoon()
    else if (!pour()) await drained(stdout)
  }

  return {
    json,
    interactive: options.canAsk && stderr.isTTY === true && (options.env['CI'] ?? '') === '' && !json,
    columns: stdout.columns ?? 80,
    paint: paint.stdout,

    result(data, human) {
      pour()
      const text = json ? toJson(data, stdout.isTTY ? 2 : undefined) : human(cleaned(data))
      if (text !== '') stdout.write(text.endsWith('\n') ? text : `${text}\n`)
    },

    line: (text) => put([text]),
    lines: put,

    say(text) {
      if (!json && !quiet) talk(lines(text))
    },

    warn(text) {
      const message = redact(lines(text))
      if (json) talkEvent({ event: 'warning', message })
      else talk(`${paint.stderr.yellow('warning:')} ${message}`)
    },

    event(event, sentence) {
      if (quiet) return
      if (json) talkEvent(event)
      else if (sentence !== undefined) talk(lines(sentence))
    },

    debug(text) {
      if (!options.debug) return
      const message = redact(lines(text))
      if (json) talkEvent({ event: 'debug', message })
      else talk(paint.stderr.dim(message))
    },

    error(error) {
      pour()
      const message = redact(lines(error.message))
      const hint = error.hint === undefined ? undefined : redact(lines(error.hint))
      if (json) return talkEvent({ error: { code: error.code, message, hint, status: error.status } })
      talk(`${paint.stderr.red('error:')} ${message}`)
      if (hint !== undefined) talk(`  ${hint.replaceAll('\n', '\n  ')}`)
    },

    async flush() {
      pour()
      // An empty write calls back after everything before it.
      await Promise.all([stdout, stderr].map((stream) => new Promise((resolve) => stream.write('', resolve))))
      if (failure !== undefined) throw whatFailed(failure)
    },
  }
}

function whatFailed(failure: NodeJS.ErrnoException): Error {
  if (failure.code === 'EPIPE') return new ReaderGone()
  return new KeysError('output-failed', `cannot write to stdout: ${failure.message}`, { cause: failure })
}

/** Resolves when the stream takes more, or is gone. */
function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of ['drain', 'error', 'close']) stream.off(event, done)
      resolve()
    }
    for (const event of ['drain', 'error', 'close']) stream.on(event, done)
  })
}

// Rules of this file:
// - stdout carries data, stderr carries talk; nothing else in the program writes to either;
// - with --json, stdout is exactly one JSON document and stderr is one JSON object a line;
// - no control character from outside reaches a terminal, and nothing from outside begins a line of ours;
// - all talk is redacted; only data and `show` may show a secret on purpose;
// - where a CI can hide a secret in its log, it is told of each before anything else can show it.
import { KeysError } from '../errors.ts'
import { redact, type Secret } from '../secret.ts'
import { plain, type Paint } from './paint.ts'
import { cleaned, coloured, hanging, lines, mapStrings, oneLine, toJson } from './text.ts'

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
  /** Talk for a person, on stderr, each text a line; nothing with --json or --quiet. */
  say(...texts: string[]): void
  /** As `say`, but also with --quiet: what the next question is about. A secret in it is shown. */
  show(...texts: string[]): void
  /** One line as `say` prints it, but also with --quiet; with --json an event `{"event":"warning","message":…}`. */
  warn(text: string): void
  /** Progress: with --json one JSON object a line on stderr, else the sentence (when one is given) as `say` does. */
  event(event: { event: string; [field: string]: unknown }, sentence?: string): void
  /** Only with --debug: on stderr, redacted; lines that follow the first are set in. */
  debug(text: string): void
  /** From here on this secret is masked in all talk, and in the log of a CI that can do that. */
  conceal(secret: Secret): void
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
  /** Whether stderr is a file. No CI reads that as it is written, so no secret is put there for it to mask. */
  stderrIsFile?: boolean | undefined
  /** Colours for each stream; text as it is by default. */
  paint?: { stdout: Paint; stderr: Paint } | undefined
}

const bufferedCharacters = 64 * 1024
/** What is shorter is in other text by chance: masking it would garble that. */
const shortestSecret = 8

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
  const concealed = new Map<string, Secret>()
  const redacted = (text: string) => redact(text, concealed.values())
  const talkEvent = (event: object) => talk(toJson(mapStrings(event, redacted)))
  const talkLines = (texts: readonly string[]) => talk(texts.map(oneLine).join('\n'))

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
      const text = json
        ? toJson(data, stdout.isTTY ? 2 : undefined)
        : printable(human(cleaned(data)), paint.stdout)
      if (text !== '') stdout.write(text.endsWith('\n') ? text : `${text}\n`)
    },

    line: (text) => put([text]),
    lines: put,

    say(...texts) {
      if (!json && !quiet) talkLines(texts.map(redacted))
    },

    show(...texts) {
      if (!json) talkLines(texts)
    },

    warn(text) {
      const message = redacted(oneLine(text))
      if (json) talkEvent({ event: 'warning', message })
      else talk(`${paint.stderr.yellow('warning:')} ${message}`)
    },

    event(event, sentence) {
      if (quiet) return
      if (json) talkEvent(event)
      else if (sentence !== undefined) talk(redacted(oneLine(sentence)))
    },

    debug(text) {
      if (!options.debug) return
      const message = redacted(lines(text))
      if (json) talkEvent({ event: 'debug', message })
      else talk(paint.stderr.dim(hanging(message)))
    },

    error(error) {
      pour()
      const message = redacted(lines(error.message))
      const hint = error.hint === undefined ? undefined : redacted(lines(error.hint))
      if (json) return talkEvent({ error: { code: error.code, message, hint, status: error.status } })
      talk(`${paint.stderr.red('error:')} ${hanging(message)}`)
      if (hint !== undefined) talk(`  ${hanging(hint)}`)
    },

    conceal(secret) {
      const value = secret.reveal()
      if (value.length < shortestSecret || concealed.has(value)) return
      concealed.set(value, secret)
      // The runner takes such a line out of the log, and the value out of all that follows. Of the two streams it reads
      // stderr first, and stdout is for data.
      if (options.env['GITHUB_ACTIONS'] === 'true' && options.stderrIsFile !== true) {
        talk(`::add-mask::${workflowData(value)}`)
      }
    },

    async flush() {
      pour()
      // An empty write calls back after everything before it.
      await Promise.all([stdout, stderr].map((stream) => new Promise((resolve) => stream.write('', resolve))))
      if (failure !== undefined) throw whatFailed(failure)
    },
  }
}

/** What a command made of data for people: its own colours and lines stay, whatever else a terminal acts on goes. */
function printable(text: string, paint: Paint): string {
  return paint === plain ? lines(text) : coloured(text)
}

/** As the runner of GitHub Actions wants values in its commands. */
function workflowData(value: string): string {
  return value.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
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

// Rules of this file:
// - stdout carries data, stderr carries talk; nothing else in the program writes to either;
// - with --json, stdout is exactly one JSON document and stderr is one JSON object a line;
// - no control character from outside reaches a terminal, and nothing from outside begins a line of ours;
// - all talk is redacted; only data and `show` may show a secret on purpose;
// - where a CI can hide a secret in its log, it is told of each that the job did not have, before anything can show it;
// - in a CI nothing from outside becomes one of its commands, on either stream.
import { Exit, KeysError } from '../errors.ts'
import { redact, type Secret } from '../secret.ts'
import { createAwaited } from './awaited.ts'
import { harmless, isCi, type Ci } from './ci/ci.ts'
import { handOn, summarise, type Summary } from './ci/handover.ts'
import { drained } from './drained.ts'
import { createFoot, type Foot, type Live } from './foot.ts'
import { plain, type Paint } from './paint.ts'
import { createTalk } from './talk.ts'
import { cleaned, coloured, hanging, lines, mapStrings, oneLine, toJson, toJsonParts } from './text.ts'
import { inWholeWords } from './whole-words.ts'

export type { Summary } from './ci/handover.ts'

export interface Output {
  /** Whether `--json` was given. */
  readonly json: boolean
  /** Whether a person can be asked: stdin and stderr are terminals, this is no CI, and `--json` is not set. */
  readonly interactive: boolean
  /** Whether stdout is a terminal, which keeps what is printed. */
  readonly toTerminal: boolean
  /** Columns of the terminal that talk goes to, 80 where there is none. */
  readonly columns: number
  /** Columns that what `result` prints may take: without a terminal as many as it needs, unless `COLUMNS` says how many. */
  readonly width: number
  /** Colours for what `result` prints; text as it is where stdout gets none. */
  readonly paint: Paint
  /** Where something may be drawn anew: at a terminal, where a person watches and wants no lines alone. */
  readonly live: Live | undefined
  /**
   * The result of a command: `data` as one JSON document with --json, else the sentence or table `human` makes of it.
   * `human` gets a copy of the data whose strings are safe to print.
   */
  result<T>(data: T, human: (data: T) => string): void
  /** One line of data on stdout as it is (ndjson, csv, ids); waits while the reader is slow. */
  line(text: string): Promise<void>
  /** As `line`, for several at once: of a hundred thousand, what is done for each one counts. */
  lines(texts: readonly string[]): Promise<void>
  /** Data on stdout as it is, a piece of a document that is too long to be one text; waits while the reader is slow. */
  text(piece: string): Promise<void>
  /** Talk for a person, on stderr, each text a line; nothing with --json or --quiet. */
  say(...texts: string[]): void
  /** As `say`, but also with --quiet: what the next question is about. A secret in it is shown. */
  show(...texts: string[]): void
  /** One line as `say` prints it, but also with --quiet; with --json an event `{"event":"warning","message":…}`. */
  warn(text: string): void
  /**
   * Progress: with --json one JSON object a line on stderr, else the sentence (when one is given) as `say` does. How long
   * what it tells of may take is in `boundMs` or `waitEndsInMs`.
   */
  event(event: { event: string; [field: string]: unknown }, sentence?: string): void
  /** Only with --debug: on stderr, redacted; lines that follow the first are set in. */
  debug(text: string): void
  /** From here on this secret is masked in all talk, and in the log of a CI that can do that, but for one `isTheJobs` own. */
  conceal(secret: Secret, isTheJobs?: boolean): void
  /** From here on, without a terminal, a minute without a line gets one that says what is being waited for. */
  attend(): void
  /** Ids and states for the later steps of a CI's job. */
  outputs(values: Readonly<Record<string, string | undefined>>): void
  /** What came of it, for the page that a CI shows of a job. */
  summary(summary: Summary): void
  error(error: KeysError): void
}

/** An Output with an end: `flush` resolves once all has left, and throws what went wrong with stdout. */
export interface StreamOutput extends Output {
  rest: Foot['rest']
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
  /** Lines only (`--plain`): nothing is drawn anew. */
  plain?: boolean | undefined
  /** What the CI this runs in does with logs (`detectCi`). */
  ci?: Ci | undefined
  /** Unix milliseconds. */
  now: () => number
  /** Colours for each stream; text as it is by default. */
  paint?: { stdout: Paint; stderr: Paint } | undefined
}

const bufferedCharacters = 64 * 1024
/** What is shorter is in other text by chance: masking it would garble that. */
const shortestSecret = 8

export function createOutput(options: OutputOptions): StreamOutput {
  const { stdout, stderr, json, ci, now } = options
  const { quiet, paint = { stdout: plain, stderr: plain } } = options
  let buffer = ''
  let scheduled = false
  let failure: NodeJS.ErrnoException | undefined

  stdout.on('error', (error: NodeJS.ErrnoException) => (failure ??= error))
  // Talk that nobody can read is no reason to stop the work.
  stderr.on('error', () => undefined)

  /** Whether it is a person's terminal; one that a CI makes up is none. */
  const isSeen = (stream: NodeJS.WriteStream) => stream.isTTY === true && !isCi(options.env)
  /** Lines are broken for the eye alone, and not for whoever has them read out. */
  const inRows = (stream: NodeJS.WriteStream) => (line: string) =>
    isSeen(stream) && !options.plain ? inWholeWords(line, stream.columns || 80) : line
  const concealed = new Map<string, Secret>()
  const redacted = (text: string) => redact(text, concealed.values())
  const clean = (text: string) => oneLine(redacted(text))
  const drawnOn = { paint: paint.stderr, clean, lines: json || quiet || options.plain === true }
  const foot = createFoot({ ...options, ...drawnOn })
  const write = (text: string) => foot.write(text)
  const how = { isLog: !isSeen(stderr), inRows: inRows(stderr), commands: !json }
  const talk = createTalk({ write, ci, now, ...how })
  const talkJson = (object: object) => talk.raw(toJson(mapStrings(object, redacted)))
  const talkEvent = ({ event, ...fields }: { event: string; [field: string]: unknown }) =>
    talkJson({ event, at: new Date(now()).toISOString(), ...fields })
  const awaited = createAwaited(now)

  function tellAwaited(): void {
    if (quiet) return
    if (json) talkEvent({ event: 'still-waiting', ...awaited.facts() })
    else talk.say(redacted(oneLine(awaited.sentence())))
  }

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

  /** For a program it is left as it is; a terminal, and a CI's log, would act on it. */
  const dataLine = (text: string): string => {
    if (stdout.isTTY) return oneLine(text)
    return ci === undefined ? text : harmless(lines(text))
  }

  const put = async (data: string): Promise<void> => {
    if (failure !== undefined) throw whatFailed(failure)
    buffer += data
    if (buffer.length < bufferedCharacters) pourSoon()
    else if (!pour()) await drained(stdout)
  }

  const warn = (text: string): void => {
    const message = redacted(oneLine(text))
    if (json) talkEvent({ event: 'warning', message })
    else talk.issue('warning', paint.stderr.yellow('warning:'), message)
  }
  const ways = { line: json ? undefined : (line: string) => talk.raw(line), warn }

  return {
    json,
    interactive: options.canAsk && isSeen(stderr) && !json,
    toTerminal: stdout.isTTY === true,
    get columns() {
      return stderr.columns || 80
    },
    get width() {
      if (isSeen(stdout)) return stdout.columns || 80
      return Math.max(0, Number(options.env['COLUMNS'])) || Infinity
    },
    paint: paint.stdout,
    live: foot.live,
    rest: foot.rest,

    result(data, human) {
      pour()
      foot.end()
      talk.close()
      const forPeople = () => {
        const text = printable(human(cleaned(data)), paint.stdout)
          .split('\n')
          .map(inRows(stdout))
          .join('\n')
        return ci === undefined ? text : harmless(text)
      }
      if (json && !stdout.isTTY) for (const part of toJsonParts(data)) stdout.write(part)
      const text = !json ? forPeople() : stdout.isTTY ? toJson(data, 2) : '\n'
      if (text !== '') stdout.write(text.endsWith('\n') ? text : `${text}\n`)
    },

    line: (text) => put(`${dataLine(text)}\n`),
    lines: (texts) => put(texts.map((text) => `${dataLine(text)}\n`).join('')),
    text: (piece) =>
      put(stdout.isTTY || ci !== undefined ? piece.split('\n').map(dataLine).join('\n') : piece),

    say(...texts) {
      if (json || quiet) return
      // at a terminal what was printed before stands above
      pour()
      talk.say(...texts.map((text) => oneLine(redacted(text))))
    },

    show(...texts) {
      if (!json) talk.say(...texts.map(oneLine))
    },

    warn,

    event(event, sentence) {
      if (quiet) return
      awaited.note(event, sentence)
      if (json) return talkEvent(event)
      if (sentence === undefined) return
      const text = redacted(oneLine(sentence))
      if (event.event === 'step') talk.open(text)
      else talk.say(text)
    },

    debug(text) {
      if (!options.debug) return
      const message = redacted(lines(text))
      if (json) talkEvent({ event: 'debug', message })
      else talk.say(paint.stderr.dim(hanging(message)))
    },

    error(error) {
      pour()
      foot.end()
      const message = redacted(lines(error.message))
      const hint = error.hint === undefined ? undefined : redacted(lines(error.hint))
      const { code, status } = error
      if (json) {
        return talkJson({ error: { code, message, hint, status, docs: `docs/errors.md#${code}` } })
      }
      talk.close()
      // a rotation that waits is no failure of the job's
      const level = error.exit === Exit.waiting ? 'warning' : 'error'
      talk.issue(level, paint.stderr.red('error:'), message, hint)
      // for a person at a terminal; whoever interrupted it knows why
      if (stderr.isTTY && code !== 'interrupted') {
        talk.say(paint.stderr.dim(`  more: pictify-keys explain ${code}`))
      }
    },

    conceal(secret, isTheJobs = false) {
      const value = secret.reveal()
      if (value.length < shortestSecret || concealed.has(value)) return
      concealed.set(value, secret)
      // Taken out of the log as it is read, and out of all that follows; of the streams, stdout is for data.
      if (ci?.mask && !isTheJobs) talk.raw(ci.mask(value))
    },

    attend() {
      talk.attend(tellAwaited)
    },

    outputs(values) {
      if (ci?.output) handOn(ci.output, mapStrings(values, redacted), ways)
    },

    summary(summary) {
      if (ci?.summary) summarise(ci.summary, mapStrings(summary, redacted), ways)
    },

    async flush() {
      pour()
      foot.end()
      talk.close()
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

function whatFailed(failure: NodeJS.ErrnoException): Error {
  if (failure.code === 'EPIPE') return new ReaderGone()
  return new KeysError('output-failed', `cannot write to stdout: ${failure.message}`, { cause: failure })
}

// Rules of this file:
// - stdout carries data, stderr carries talk; nothing else in the program writes to either;
// - with --json, stdout is exactly one JSON document and stderr is one JSON object a line;
// - no control character from outside reaches a terminal.
import type { KeysError } from '../errors.ts'

export interface Output {
  /** Whether `--json` was given. */
  readonly json: boolean
  /** Whether a person can be asked: stdin and stderr are terminals, and `CI` and `--json` are not set. */
  readonly interactive: boolean
  /** Columns of the terminal, 80 where there is none. */
  readonly columns: number
  /** The result of a command: `data` as one JSON document with --json, else the sentence or table `human` makes of it. */
  result<T>(data: T, human: (data: T) => string): void
  /** One line of data on stdout as it is (ndjson, csv, ids); waits while the reader is slow. */
  line(text: string): Promise<void>
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

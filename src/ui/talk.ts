// Rules of this file:
// - at a terminal talk is as it is; anywhere else it is a log: every line begins with the time (ISO 8601, UTC);
// - in a CI a line is one of its commands because this program means it to be, or holds none;
// - a log is never silent for a minute while something is waited for: some CIs end a job that says nothing.
import type { Ci } from './ci/ci.ts'
import { harmless } from './ci/ci.ts'
import { hanging } from './text.ts'

export interface Talk {
  /** Whether this is a log, and not a person's terminal. */
  readonly isLog: boolean
  /** Texts of one or more clean lines. */
  say(...texts: string[]): void
  /** A line as it is: JSON, or what `say` would not leave alone. */
  raw(line: string): void
  /** A warning or an error; where the CI shows such beside the job, it is handed over for that. */
  issue(level: 'warning' | 'error', label: string, message: string, hint?: string): void
  /** What follows, up to the next, is about this; a CI that can fold it does. */
  open(title: string): void
  close(): void
  /** From now on, once a minute without a line, calls back for one; until the first call nothing does. */
  attend(onSilence: () => void): void
}

export interface TalkOptions {
  /** Whole lines for stderr. */
  write: (text: string) => void
  ci: Ci | undefined
  isLog: boolean
  /** Breaks a line for a terminal. */
  inRows: (line: string) => string
  /** Whether lines may be what a CI acts on: with --json they are JSON, but for masks. */
  commands: boolean
  /** Unix milliseconds. */
  now: () => number
}

/** Less than a minute, for what it has to go through. */
const silenceMs = 50_000

export function createTalk({ write, ci, isLog, inRows, commands, now }: TalkOptions): Talk {
  let isOpen = false
  let timer: NodeJS.Timeout | undefined

  const raw = (line: string) => {
    timer?.refresh()
    write(`${line}\n`)
  }
  const stamp = () => `${new Date(now()).toISOString().slice(0, 19)}Z  `
  const say = (...texts: string[]) => {
    const said = texts.flatMap((text) => text.split('\n'))
    // what keeps two things apart for the eye is nothing that happened
    const lines = isLog ? said.filter((line) => line !== '').map((line) => stamp() + line) : said.map(inRows)
    if (lines.length > 0) raw(ci === undefined ? lines.join('\n') : harmless(lines.join('\n')))
  }
  const close = () => {
    if (isOpen && ci?.group) raw(ci.group.close(now()))
    isOpen = false
  }

  return {
    isLog,
    say,
    raw,

    issue(level, label, message, hint) {
      if (commands && ci?.annotation) {
        raw(ci.annotation(level, harmless(hint === undefined ? message : `${message}\n${hint}`)))
        return
      }
      say(`${label} ${hanging(message)}`, ...(hint === undefined ? [] : [`  ${hanging(hint)}`]))
    },

    open(title) {
      close()
      if (!commands || ci?.group === undefined) return say(title)
      isOpen = true
      raw(ci.group.open(harmless(title), now()))
    },

    close,

    attend(onSilence) {
      if (!isLog || timer !== undefined) return
      timer = setTimeout(() => {
        onSilence()
        timer?.refresh()
      }, silenceMs)
      timer.unref()
    },
  }
}

// Rules of this file:
// - lines alone are the rule: only a terminal that can be drawn on, with a person before it who wants that, has a foot;
// - whatever else is said stands above what is drawn there.
import { isCi } from './ci/ci.ts'
import type { Region, Size } from './live.ts'
import type { Paint } from './paint.ts'

/** The foot of a terminal, for what is drawn anew. */
export interface Live {
  readonly paint: Paint
  /** Whether the terminal has more than ASCII. */
  readonly unicode: boolean
  /** Text from outside as it may be drawn: one line, no secret in it. */
  clean(text: string): string
  /** From here on `lines` are drawn there, and drawn anew all the time; they must be clean. */
  open(lines: (size: Size) => readonly string[]): Promise<Region>
  /** Leaves the terminal to `work`, which asks a person something; what is said meanwhile is said after that. */
  aside<T>(work: () => Promise<T>): Promise<T>
}

export interface FootOptions {
  stderr: NodeJS.WriteStream
  env: Readonly<Record<string, string | undefined>>
  paint: Paint
  clean: (text: string) => string
  /** Whether nothing is to be drawn, whatever the terminal is. */
  lines: boolean
}

export interface Foot {
  live: Live | undefined
  /** Whole lines for stderr. */
  write: (text: string) => void
  /** Takes away what is drawn there. */
  end: () => void
  /** As `end`, until what it returns is called. */
  rest: () => () => void
}

export function createFoot({ stderr, env, paint, clean, lines }: FootOptions): Foot {
  let region: Region | undefined
  let reopen: (() => Region) | undefined
  let held: string[] | undefined
  const end = () => {
    region?.end()
    region = undefined
    reopen = undefined
    tellHeld()
  }
  const tellHeld = () => {
    const texts = held ?? []
    held = undefined
    for (const text of texts) write(text)
  }
  const write = (text: string) => void (held ? held.push(text) : (region ?? stderr).write(text))
  const isDrawn = !lines && stderr.isTTY === true && env['TERM'] !== 'dumb' && !isCi(env)
  const live: Live = {
    paint,
    unicode: env['TERM'] !== 'linux',
    clean,
    async open(drawn) {
      const { openRegion } = await import('./live.ts')
      end()
      reopen = () => openRegion({ stream: stderr, lines: drawn, reflows: reflows(env) })
      region = reopen()
      return { draw: () => region?.draw(), write, end }
    },
    async aside(work) {
      region?.end()
      region = undefined
      held = []
      try {
        return await work()
      } finally {
        region = reopen?.()
        tellHeld()
      }
    },
  }
  const rest = () => {
    if (region === undefined) return () => {}
    region.end()
    region = undefined
    return () => void (region ??= reopen?.())
  }
  return { live: isDrawn ? live : undefined, write, end, rest }
}

/** Few terminals leave lines that got too long as they are: xterm itself, the console of Linux, and GNU screen. */
function reflows(env: FootOptions['env']): boolean {
  return env['XTERM_VERSION'] === undefined && env['TERM'] !== 'linux' && env['STY'] === undefined
}

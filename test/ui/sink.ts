import { Writable } from 'node:stream'
import type { Ci } from '../../src/ui/ci/ci.ts'
import { createOutput } from '../../src/ui/output.ts'
import type { Paint } from '../../src/ui/paint.ts'

export const at = '2026-11-21T17:00:00.000Z'
/** What a log has before every line. */
export const stamp = '2026-11-21T17:00:00Z  '
export const stamped = (text: string) => text.replace(/^(?=.)/gm, stamp)

/** A stream that keeps what is written to it, or fails, or holds it up. */
export class Sink extends Writable {
  text = ''
  isTTY = false
  columns: number | undefined
  failWith: NodeJS.ErrnoException | undefined
  held: (() => void)[] | undefined

  override _write(chunk: Buffer, _: string, done: (error?: Error | null) => void): void {
    if (this.failWith) return done(this.failWith)
    this.text += chunk.toString()
    if (this.held) this.held.push(done)
    else done()
  }
}

/** An output to two sinks, at a time of its own. */
export function open(
  options: {
    json?: boolean
    quiet?: boolean
    debug?: boolean
    env?: Record<string, string>
    tty?: boolean
    ci?: Ci | undefined
    now?: () => number
    paint?: { stdout: Paint; stderr: Paint }
  } = {},
) {
  const [stdout, stderr] = [new Sink(), new Sink()]
  stdout.isTTY = stderr.isTTY = options.tty ?? false
  const out = createOutput({
    stdout: stdout as unknown as NodeJS.WriteStream,
    stderr: stderr as unknown as NodeJS.WriteStream,
    canAsk: true,
    env: {},
    json: false,
    quiet: false,
    debug: false,
    now: () => Date.UTC(2026, 10, 21, 17),
    ...options,
  })
  return { out, stdout, stderr }
}

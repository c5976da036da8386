// Rules of this file:
// - what a kubeconfig starts to sign in ends with the call that it was started for, or when its time is over;
// - it stays in our group, for it may ask at the terminal; so what it starts itself is not ended with it.
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import path from 'node:path'
import type * as sdk from '@kubernetes/client-node'
import type { Clock } from '../clock.ts'

/** Less than a target's own time, so that it can still be said what was waited for. Milliseconds. */
const limitMs = 20_000

/** A program that was ended, for it had not signed in in time. */
export class Overlong extends Error {
  constructor(command: string) {
    super(`${path.basename(command)} had not ended after ${limitMs / 1_000}s, and was ended`)
  }
}

/** Has what the library starts to sign in ended in time; returns the way to end it at once. */
export function limitPrograms(config: sdk.KubeConfig, clock: Clock): () => void {
  const running = new Set<ChildProcess>()

  function end(child: ChildProcess): void {
    child.kill('SIGKILL')
    // what it has started may hold the other ends
    child.stdout?.destroy()
    child.stderr?.destroy()
  }

  function start(command: string, args: string[] | undefined, options: SpawnOptions): ChildProcess {
    const child = spawn(command, args ?? [], options)
    const over = new AbortController()
    running.add(child)
    child.once('close', () => {
      running.delete(child)
      over.abort()
    })
    clock.sleep(limitMs, over.signal).then(
      () => {
        // where the library listens for what it tells of
        child.emit('error', new Overlong(command))
        end(child)
      },
      () => undefined,
    )
    return child
  }

  // the library has no setting for it, and starts them by this
  const { authenticators } = config as unknown as { authenticators: { execFn?: unknown }[] }
  for (const each of authenticators) if (each.execFn) each.execFn = start
  return () => running.forEach(end)
}

import type { Context } from '../context.ts'

/** What interrupts a rotation: the first stops at the next safe point, the second undoes as well, the third is the system's. */
export interface Interruption {
  stop: AbortSignal
  undo: AbortSignal
  /** From here on interruptions are what they are elsewhere. */
  end(): void
}

/** `tell` is called with how many there have been. */
export function listen(context: Context, tell: (count: number) => void): Interruption {
  const stop = new AbortController()
  const undo = new AbortController()
  const unlisten = context.onInterrupt((_signal, count) => {
    tell(count)
    if (count === 1) stop.abort()
    else undo.abort()
  })
  return { stop: stop.signal, undo: undo.signal, end: unlisten }
}

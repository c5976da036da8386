import type { Secret } from '../../src/secret.ts'
import type { Held, Target } from '../../src/targets/target.ts'

/** A place that keeps a value beside the one that applications read, and what was done there. */
export interface Shelf {
  target: Target
  current: () => Secret | undefined
  pending: () => Secret | undefined
  /** What was done there, in order. */
  done: string[]
}

export function createShelf(held: Secret): Shelf {
  let current: Secret | undefined = held
  let pending: Secret | undefined
  const done: string[] = []
  const target: Target = {
    name: 'shelf:app',
    place: 'shelf:app',
    readback: 'value',
    check: async () => {},
    read: async (): Promise<Held | undefined> => current && { value: current },
    async stage(secret) {
      done.push('stage')
      pending = secret
      return pending
    },
    async write(secret) {
      done.push('write')
      current = secret
      pending = undefined
    },
    async restore(before, written) {
      done.push('restore')
      if (current?.equals(written)) current = before?.value
      pending = undefined
    },
  }
  return { target, current: () => current, pending: () => pending, done }
}

import type { Clock } from '../../src/clock.ts'

/** A clock that stands still until it is told to go on. */
export interface VirtualClock extends Clock {
  /** Moves time on by `ms`; what slept until then wakes. */
  advance(ms: number): void
}

/** Begins on a Wednesday at noon, UTC. */
export function createVirtualClock(start = Date.parse('2026-03-11T12:00:00.000Z')): VirtualClock {
  let now = start
  let sleepers: { until: number; wake: () => void }[] = []
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (ms <= 0) return resolve()
        sleepers.push({ until: now + ms, wake: resolve })
        signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
      }),
    advance(ms) {
      now += ms
      const due = sleepers.filter(({ until }) => until <= now)
      sleepers = sleepers.filter(({ until }) => until > now)
      for (const { wake } of due) wake()
    },
  }
}

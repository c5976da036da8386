/** An answer that can be given again, and the request it belongs to. */
export interface Remembered<T> {
  /** What the request was, as one text. */
  request: string
  /** Unix milliseconds. */
  at: number
  answer: T
}

const keptMs = 86_400_000
const keptCount = 10_000

/** Answers by `Idempotency-Key`, kept for 24 hours. */
export interface IdempotencyMemory<T> {
  find(key: string, now: number): Remembered<T> | undefined
  add(key: string, remembered: Remembered<T>): void
  entries(): [string, Remembered<T>][]
}

export function createIdempotencyMemory<T>(past: [string, Remembered<T>][] = []): IdempotencyMemory<T> {
  const answers = new Map(past)
  const isOver = (remembered: Remembered<T>, now: number) => now - remembered.at >= keptMs
  return {
    find(key, now) {
      const remembered = answers.get(key)
      return remembered && !isOver(remembered, now) ? remembered : undefined
    },
    add(key, remembered) {
      // the order of the map is the order of time: what is over lies in front
      for (const [old, { at }] of answers) {
        if (remembered.at - at < keptMs && answers.size < keptCount) break
        answers.delete(old)
      }
      answers.delete(key)
      answers.set(key, remembered)
    },
    entries: () => [...answers],
  }
}

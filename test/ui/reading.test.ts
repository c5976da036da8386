import { expect, test } from 'vitest'
import type { Wait } from '../../src/api/contract.ts'
import type { Output } from '../../src/ui/output.ts'
import { createReading } from '../../src/ui/reading.ts'

/** Reading told without a terminal, at times of ours. */
function lines() {
  let now = Date.UTC(2026, 2, 1, 12)
  const events: object[] = []
  const told: (string | undefined)[] = []
  let listener: ((wait: Wait) => void) | undefined
  const reading = createReading({
    out: {
      live: undefined,
      event(event: object, sentence?: string) {
        events.push(event)
        told.push(sentence)
      },
    } as unknown as Output,
    clock: { now: () => now, sleep: () => Promise.reject(new Error('nobody sleeps')) },
    onWait(given) {
      listener = given
      return () => void (listener = undefined)
    },
  })
  return {
    reading,
    events,
    told,
    pass: (seconds: number) => void (now += seconds * 1_000),
    wait: (wait: Wait) => listener?.(wait),
    isListening: () => listener !== undefined,
  }
}

test('what is soon read is not told of', () => {
  const { reading, told, pass } = lines()
  reading.report({ what: 'keys', done: 100, total: undefined })
  pass(9)
  reading.report({ what: 'keys', done: 900, total: undefined })
  expect(told).toEqual([])
})

test('a line every ten seconds says how far it is, and how much of the whole', () => {
  const { reading, told, events, pass } = lines()
  for (let done = 1_000; done <= 25_000; done += 1_000) {
    pass(1)
    reading.report({ what: 'events', done, total: 1_234_567 })
  }
  reading.report({ what: 'events', done: 25_500, total: undefined })
  pass(5)
  reading.report({ what: 'keys', done: 26_000, total: undefined })
  expect(told).toEqual([
    '10,000 of 1,234,567 events read (0 %)',
    '20,000 of 1,234,567 events read (1 %)',
    '26,000 keys read',
  ])
  expect(events[0]).toEqual({ event: 'reading', what: 'events', done: 10_000, total: 1_234_567 })
})

test('more than was announced is not more than the whole', () => {
  const { reading, told, pass } = lines()
  pass(10)
  reading.report({ what: 'events', done: 12, total: 10 })
  expect(told).toEqual(['12 of 10 events read (100 %)'])
})

test('a wait is told while reading is on, and left to others after it', async () => {
  const { reading, told, wait, isListening } = lines()
  wait({ reason: 'rate-limit', what: 'reading the audit log', ms: 42_000 })
  expect(told).toEqual([
    "the API's rate limit is used up: reading the audit log goes on in 42s, at 12:00:42 UTC",
  ])
  await reading.end()
  expect(isListening()).toBe(false)
})

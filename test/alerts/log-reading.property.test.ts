import { expect, it } from 'vitest'
import type { Key } from '../../src/api/contract.ts'
import { hourMs, type AlertLog } from '../../src/alerts/log-digest.ts'
import { readAlertLog, type Earlier, type KeptLog, type LogSettings } from '../../src/alerts/log-reading.ts'
import { hoursVerdict, networkVerdict } from '../../src/alerts/place-verdicts.ts'
import { createLogReaders, readAccountLog } from '../../src/audit/account-log.ts'
import { createOutsideHours } from '../../src/audit/working-hours.ts'
import { fc } from '../property.ts'
import { accountKeys, eventOf, loggedAccount, type Logged } from './logged-account.ts'

const minuteMs = 60_000
const dayMs = 24 * hourMs
const start = Date.UTC(2026, 2, 20, 11, 17, 31)

/** So many requests, so far apart: most keys are used like this, and one event here and there tells little. */
const burst = fc.record({
  keyId: fc.constantFrom('key_web', 'key_web', 'key_jobs', 'key_admin', 'key_gone'),
  ip: fc.constantFrom(
    ...[
      '8.8.8.8',
      '8.8.8.9',
      '8.8.4.4',
      '203.0.113.7',
      '198.51.100.2',
      '2001:db8::1',
      '10.0.0.3',
      'nowhere',
      '',
    ],
  ),
  userAgent: fc.constantFrom(
    'pictify-node/1.4.2',
    'curl/8.0',
    '',
    'pictify-keys/0.1.0',
    'pictify-keys/0.1.0 (p)',
  ),
  method: fc.constantFrom('GET', 'POST'),
  from: fc.oneof(
    fc.integer({ min: -10 * dayMs, max: 4 * dayMs }),
    // about where a check begins and ends to read
    fc.record({
      check: fc.nat({ max: 6 }),
      before: fc.constantFrom(0, 10 * minuteMs, 7 * dayMs, dayMs),
      by: fc.constantFrom(-1, 0, 1, minuteMs - 1),
    }),
  ),
  everyMs: fc.constantFrom(1, 700, minuteMs, 17 * minuteMs, hourMs, 7 * hourMs),
  count: fc.integer({ min: 1, max: 40 }),
  lateMs: fc.constantFrom(0, 0, 1, minuteMs, 10 * minuteMs),
})
const account = fc.record({
  bursts: fc.array(burst, { minLength: 1, maxLength: 14 }),
  checks: fc.array(fc.constantFrom(1_000, 5 * minuteMs, 55 * minuteMs, 5 * hourMs, 26 * hourMs), {
    minLength: 2,
    maxLength: 7,
  }),
  sinceMs: fc.constantFrom(4 * dayMs, 7 * dayMs, 7 * dayMs + 90 * minuteMs),
  recentMs: fc.constantFrom(hourMs, dayMs, dayMs + 20 * minuteMs),
  workingHours: fc.option(
    fc.record({
      days: fc.constantFrom([1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 6, 7], [3]),
      from: fc.integer({ min: 0, max: 1_439 }),
      to: fc.integer({ min: 0, max: 1_439 }),
      timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'Asia/Kathmandu'),
    }),
  ),
})

/** As a file gives it back. */
const reread = (kept: KeptLog | undefined): Earlier =>
  kept === undefined
    ? { kept, why: 'nothing was kept' }
    : { kept: JSON.parse(JSON.stringify(kept)) as KeptLog }
const anyHours = { days: [], from: 0, to: 1, timeZone: 'Asia/Kathmandu' }
const verdictsOf = (log: AlertLog) =>
  accountKeys.map((key: Key) => [key.id, networkVerdict(log, key), hoursVerdict(log, key, anyHours)])
/** All that verdicts are made of, but for the names of programs. */
const figuresOf = ({ keys }: AlertLog) =>
  [...keys]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, { requests, recent, firstAt, networks, outside }]) => {
      const lists = [networks, outside.hours, outside.networks].map((each) => each.list())
      return { id, requests, recent, firstAt, outside: outside.requests, lists }
    })

it('checks that go on from each other find what each would find in the whole log', async () => {
  const found = { networks: 0, hours: 0, quiet: 0, unknown: 0, continued: 0 }
  await fc.assert(
    fc.asyncProperty(account, async ({ bursts, checks, ...settings }) => {
      let end = start
      const instants = checks.map((gap) => (end += gap))
      const logged = bursts.flatMap(({ from, everyMs, count, lateMs, ...fields }): Logged[] => {
        const begin =
          typeof from === 'number' ? start + from : (instants[from.check] ?? end) - from.before + from.by
        return Array.from({ length: count }, (_, index) => {
          const at = begin + index * everyMs
          return { event: eventOf(at, fields), shownAt: at + lateMs }
        })
      })
      const api = loggedAccount(() => logged)
      const isOutside = settings.workingHours ? createOutsideHours(settings.workingHours) : undefined
      let earlier: Earlier = { kept: undefined, why: 'it is the first' }
      for (const at of instants) {
        api.at = at
        const read = await check(api, at, settings, isOutside, earlier)
        const whole = await wholeLog(api, at, settings, isOutside)
        expect(verdictsOf(read.log)).toEqual(verdictsOf(whole))
        expect(figuresOf(read.log)).toEqual(figuresOf(whole))
        // and nothing is read twice but what may have come late
        if (earlier.kept !== undefined) {
          found.continued += 1
          expect(api.readings.at(-2)?.since).toBe(earlier.kept.until)
        }
        earlier = reread(read.kept)
        tally(whole)
      }
    }),
    { numRuns: 400 },
  )
  // none of it is equal because nothing ever happens
  expect(Math.min(...Object.values(found)), JSON.stringify(found)).toBeGreaterThan(5)

  function tally(log: AlertLog): void {
    for (const { outside } of log.keys.values()) if (outside.hours.list().length > 0) found.hours += 1
    for (const [, network] of verdictsOf(log) as [string, { state: string }, { state: string }][]) {
      if (network.state === 'firing') found.networks += 1
      if (network.state === 'quiet') found.quiet += 1
      if (network.state === 'unknown') found.unknown += 1
    }
  }
})

type Account = ReturnType<typeof loggedAccount>
type IsOutside = ((at: number) => boolean) | undefined

async function check(
  { client }: Account,
  at: number,
  settings: LogSettings,
  isOutside: IsOutside,
  earlier: Earlier,
): Promise<{ log: AlertLog; kept: KeptLog | undefined }> {
  const { log, kept } = await readAlertLog(client, accountKeys, at, {
    settings,
    isOutside,
    earlier,
    signal: new AbortController().signal,
    onProgress: () => {},
    onPlan: () => {},
  })
  if (!log.known) throw new Error(log.why)
  return { log: log.value, kept }
}

/** As an audit reads it. */
async function wholeLog(
  { client }: Account,
  at: number,
  { sinceMs, recentMs }: LogSettings,
  isOutside: IsOutside,
): Promise<AlertLog> {
  const hour = (instant: number) => Math.floor(instant / hourMs) * hourMs
  const stretch = { since: hour(at - sinceMs), until: at }
  return readAccountLog(client, accountKeys, stretch, {
    recentSince: hour(at - recentMs),
    isOutside,
    leavesOutOwnReadings: true,
    readers: createLogReaders(),
  })
}

// Rules of this file:
// - a key of which the API gives no figures is left without, and is never taken for one that did nothing;
// - a day that the API leaves out had no requests, as far as its own sums bear that out.
import { hasFigures } from '../ages.ts'
import type { Client, Key, Usage } from '../api/contract.ts'
import { orNone, orWhy } from './not-given.ts'
import type { Known, KeyUsage, Survey, SurveyOptions } from './survey.ts'

const dayMs = 86_400_000
const inFlight = 6
/** So many used keys without figures, and none with: the others are not asked. */
const mostInVain = 60
/** Of a key's days; the API tells of 30. */
const mostDays = 100
const usualDays = 30
/** Of a month's requests: the first of its days is a part of one. */
const nearlyAll = 0.9

/** What the API tells of active keys that were used of late. */
export async function readUsages(
  api: Client,
  keys: readonly Key[],
  at: number,
  { signal, patient = true, onProgress = () => {} }: Pick<SurveyOptions, 'signal' | 'patient' | 'onProgress'>,
): Promise<Survey['usage']> {
  const used = keys.filter((key) => key.status === 'active' && hasFigures(key, at))
  const usages = new Map<string, KeyUsage>()
  let why: string | undefined
  let done = 0
  while (done < used.length && (usages.size > 0 || done < mostInVain)) {
    const batch = used.slice(done, done + inFlight)
    const answers = await Promise.all(
      batch.map(({ id }) => orWhy(api.keys.usage(id, { signal, patient }), noUsage)),
    )
    for (const [index, key] of batch.entries()) {
      const answer = answers[index]
      if (answer?.known) usages.set(key.id, compact(answer.value, Date.parse(key.createdAt)))
      else why ??= answer?.why
    }
    done += batch.length
    onProgress({ what: 'usage', done, total: used.length })
  }
  const known = { known: true, value: usages } as const
  if (usages.size > 0 || why === undefined) return known
  // keys that are gone by now have no figures anywhere
  const isNone = why !== noUsage || (await isOneThere(api, used.slice(0, inFlight), signal))
  return isNone ? { known: false, why } : known
}

const noUsage = 'the API gives no usage'

async function isOneThere(
  api: Client,
  keys: readonly Key[],
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const found = await Promise.all(keys.map(({ id }) => orNone(api.keys.get(id, { signal, patient: true }))))
  return found.some((key) => key !== undefined)
}

/** The figures of an active key: one that was not used for a month did nothing, any other that has none is not known. */
export function usageOf({ usage, at }: Pick<Survey, 'usage' | 'at'>, key: Key): Known<KeyUsage | undefined> {
  if (!usage.known) return usage
  const value = usage.value.get(key.id)
  if (value === undefined && hasFigures(key, at)) return { known: false, why: 'the API gives no figures' }
  return { known: true, value }
}

function compact(usage: Usage, createdAt: number): KeyUsage {
  const { updatedAt, windows, countries } = usage
  return { updatedAt: Date.parse(updatedAt), windows, days: daysOf(usage, createdAt), countries }
}

/** Every day up to that of the figures: from the first that is told of, or the 30 that the API tells of since its creation. */
function daysOf({ daily, updatedAt, windows }: Usage, createdAt: number): KeyUsage['days'] {
  const days = new Map(
    (daily ?? [])
      .map((day) => [dayOf(Date.parse(day.date)), day] as const)
      .filter(([day]) => !Number.isNaN(day)),
  )
  const told = [...days.values()].reduce((sum, { requests }) => sum + requests, 0)
  const isAll = daily !== undefined && told >= windows['30d'].requests * nearlyAll
  const today = dayOf(Date.parse(updatedAt))
  const begin = isAll ? Math.max(today - usualDays + 1, dayOf(createdAt)) : Infinity
  const last = Math.max(today, ...days.keys())
  const first = Math.max(Math.min(begin, ...days.keys()), last - mostDays + 1)
  // an instant that is none, and a key without a day, make no count
  if (!(first <= last)) return undefined
  const each = Array.from({ length: last - first + 1 }, (_, index) => days.get(first + index))
  return {
    lastDay: new Date(last * dayMs).toISOString().slice(0, 10),
    requests: each.map((day) => day?.requests ?? 0),
    errors: each.map((day) => day?.errors ?? 0),
  }
}

function dayOf(at: number): number {
  return Math.floor(at / dayMs)
}

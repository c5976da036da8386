import { hasFigures } from '../ages.ts'
import {
  addTo,
  createDays,
  figuresOf,
  noTotals,
  type AccountUsage,
  type KeyFigures,
} from '../audit/account-usage.ts'
import type { Client, Key, Usage } from '../api/contract.ts'
import { hasCode, KeysError } from '../errors.ts'
import { requestLimitsOf } from '../request-limits.ts'
import type { Output } from '../ui/output.ts'
import type { Reading } from '../ui/reading.ts'

/** As many at once as the client has pages in flight: quick, and far from any rate limit. */
const atOnce = 6

export interface UsageSource {
  api: Client
  out: Pick<Output, 'warn'>
  signal: AbortSignal
  reading: Pick<Reading, 'report'>
  /** Those that are asked about in any case; all active keys where there are none. */
  named: readonly Key[]
}

/** Asks for the figures of every key that can have any, in the order of the keys; `take` gets them as they come. */
export async function readUsage(
  source: UsageSource,
  take: (figures: KeyFigures[]) => Promise<void>,
): Promise<Omit<AccountUsage, 'usage'>> {
  const { api, out, named, signal, reading } = source
  const keys = named.length > 0 ? named : await activeKeys(source)
  const limits = requestLimitsOf(api.plan, api.rateLimit?.limit)
  const isAsked = (key: Key) => named.length > 0 || hasFigures(key, api.now())
  const toAsk = keys.filter(isAsked).length
  const totals = noTotals()
  const days = createDays()
  const share = sharedDates()
  let asked = 0
  let answered = 0
  for (let start = 0; start < keys.length;) {
    const end = batchEnd(keys, start, isAsked)
    const batch = keys.slice(start, end)
    start = end
    const answers = await Promise.all(
      batch.map(async (key) => ({
        key,
        isAsked: isAsked(key),
        usage: isAsked(key) ? await usageOf(api, key, named.length === 1, signal) : undefined,
      })),
    )
    const missed = answers.filter(({ isAsked, usage }) => isAsked && usage === undefined)
    answered += answers.filter(({ usage }) => usage !== undefined).length
    const [first] = missed
    if (answered === 0 && first !== undefined) await refuseWithout(api, first.key, signal)
    for (const { key } of missed) out.warn(`there are no figures for ${key.name} (${key.id})`)
    const found = answers
      .filter((answer) => !missed.includes(answer))
      .map(({ key, usage }) => figuresOf(key, usage && share(usage), limits))
    for (const figures of found) {
      addTo(totals, figures)
      days.add(figures)
    }
    await take(found)
    asked += answers.filter(({ isAsked }) => isAsked).length
    reading.report({ what: 'usage', done: asked, total: toAsk })
  }
  return { totals, daily: days.list(), limits }
}

/** The next keys: as many as are asked at once, and with them those between that are not asked. */
function batchEnd(keys: readonly Key[], start: number, isAsked: (key: Key) => boolean): number {
  let end = start
  for (let left = atOnce; end < keys.length && end - start < 500; end++) {
    if (isAsked(keys[end] as Key) && left-- === 0) break
  }
  return end
}

async function activeKeys({ api, signal, reading }: UsageSource): Promise<Key[]> {
  const keys: Key[] = []
  for await (const page of api.keys.listByPage({ status: 'active' }, { signal, patient: true })) {
    for (const key of page) keys.push(key)
    reading.report({ what: 'keys', done: keys.length, total: undefined })
  }
  return keys
}

/** Undefined where the API has none: the key is gone by now, or it keeps no figures of it. */
async function usageOf(
  api: Client,
  key: Key,
  only: boolean,
  signal: AbortSignal,
): Promise<Usage | undefined> {
  try {
    return await api.keys.usage(key.id, { signal, patient: true })
  } catch (error) {
    if (!hasCode(error, 'api-key-not-found')) throw error
    if (only) await refuseWithout(api, key, signal)
    if (only) throw error
    return undefined
  }
}

/** A key that is there and has no figures: it is the API that has none. Throws `no-usage`. */
async function refuseWithout(api: Client, key: Key, signal: AbortSignal): Promise<void> {
  try {
    await api.keys.get(key.id, { signal })
  } catch (error) {
    if (hasCode(error, 'api-key-not-found')) return
    throw error
  }
  throw new KeysError('no-usage', 'the API gives no usage', {
    hint: 'when a key was last used, pictify-keys list tells',
    status: 404,
  })
}

/** Every key has the same days: their dates are kept once. */
function sharedDates(): (usage: Usage) => Usage {
  const dates = new Map<string, string>()
  return (usage) => {
    for (const day of usage.daily ?? []) {
      const known = dates.get(day.date)
      if (known !== undefined) day.date = known
      else if (dates.size < 1_000) dates.set(day.date, day.date)
    }
    return usage
  }
}

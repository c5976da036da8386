import { describe, expect, it } from 'vitest'
import type { AuditEvent, Client, Key, Usage } from '../../src/api/contract.ts'
import { KeysError } from '../../src/errors.ts'
import { gather, idleness, mayBeProbedElsewhere, missing, usersOf } from '../../src/rotation/evidence.ts'
import type { RotationOptions, Run } from '../../src/rotation/run.ts'
import type { Evidence, Journal } from '../../src/rotation/state.ts'

const minute = 60_000
const now = Date.parse('2026-06-01T12:00:00Z')
const ago = (ms: number) => new Date(now - ms).toISOString()
const options = {
  ...{ usageLagMs: 5 * minute, idleMs: 5 * minute, overlapMs: 0, evidence: true, compromised: undefined },
} as RotationOptions
const down = new KeysError('connection-failed', 'cut')

const window = (requests: number) => ({ requests, errors: 0, latencyMs: { p50: 1, p95: 1, p99: 1 } })
const windows = { '24h': window(9), '7d': window(9), '30d': window(9) }
const freshUsage: Usage = { keyId: 'key_a', updatedAt: ago(0), windows }
const keyUsed = (msAgo: number, status: Key['status'] = 'active') =>
  ({ id: 'key_a', status, lastUsedAt: ago(msAgo) }) as Key
const event = (userAgent: string, msAgo: number) =>
  ({ timestamp: ago(msAgo), endpoint: '/templates', userAgent }) as AuditEvent
const probe = (msAgo: number) => event('pictify-keys/1.0.0', msAgo)

interface Answers {
  key?: Key | KeysError
  successor?: Key | KeysError
  usage?: Usage | Error
  events?: AuditEvent[]
  clockSetAt?: number
}

/** An API that answers so. */
function apiOf({ key = keyUsed(60 * minute), successor, usage = freshUsage, events = [], ...rest }: Answers) {
  const answer = async <T>(what: T | Error): Promise<T> => {
    if (what instanceof Error) throw what
    return what
  }
  const sinces: (string | undefined)[] = []
  const api = {
    now: () => now,
    keys: {
      get: (id: string) => answer(id === 'key_b' && successor !== undefined ? successor : key),
      usage: () => answer(usage),
    },
    async *auditLogs({ since }: { since?: string }) {
      sinces.push(since)
      yield* events
    },
    ...rest,
  } as unknown as Client
  return { api, sinces }
}
const isIdle = (answers: Answers, watchedSince?: number) =>
  idleness(apiOf(answers).api, options, 'key_a', watchedSince)

describe('a key', () => {
  it.each([
    ['was not used for an hour', {}, true],
    ['was used a minute ago', { key: keyUsed(minute) }, false],
    ['is gone', { key: new KeysError('api-key-not-found', 'gone') }, true],
    ['is revoked, and was used', { key: keyUsed(0, 'revoked') }, true],
    ['cannot be read', { key: down }, 'unknown'],
    ['has a usage that cannot be read', { usage: down }, 'unknown'],
    ['was used by probes alone', { key: keyUsed(minute), events: [probe(minute)] }, true],
    [
      'was used by an application too',
      { key: keyUsed(minute), events: [probe(minute), event('curl', minute)] },
      false,
    ],
    ['was used later than the log shows', { key: keyUsed(minute), events: [probe(5 * minute)] }, false],
  ] as [string, Answers, boolean | 'unknown'][])(
    'that %s: whether it is idle',
    async (_what, answers, idle) => {
      expect(await isIdle(answers)).toBe(idle)
    },
  )

  it('is idle only when all of the quiet time lies after the delivery', async () => {
    expect(await isIdle({}, now - 10 * minute)).toBe(true)
    expect(await isIdle({}, now - 10 * minute + 1)).toBe(false)
  })

  it('is asked about from before the quiet time on', async () => {
    const { api, sinces } = apiOf({ key: keyUsed(minute), events: [probe(minute)] })
    await idleness(api, options, 'key_a')
    expect(sinces).toEqual([ago(10 * minute + 1_000)])
  })

  it('is not said to be unknown for want of a credential, nor for a defect of ours', async () => {
    for (const code of ['invalid-api-key', 'insufficient-permissions'] as const) {
      await expect(isIdle({ key: new KeysError(code, 'no') })).rejects.toMatchObject({ code })
    }
    await expect(isIdle({ usage: new TypeError('ours') })).rejects.toThrow(TypeError)
  })

  it('that calls all the time is not known to be probed alone, however much of the log is read', async () => {
    const { api } = apiOf({ events: Array.from({ length: 500 }, () => probe(0)) })
    expect(await usersOf(api, 'key_a', 0)).toBe('unknown')
    const { api: less } = apiOf({ events: Array.from({ length: 499 }, () => probe(0)) })
    expect(await usersOf(less, 'key_a', 0)).toBe('probes')
  })

  it('is known to be probed alone when the log goes as far as its last use, to the second', async () => {
    const { api } = apiOf({ events: [probe(1_000)] })
    expect(await usersOf(api, 'key_a', 0, now)).toBe('probes')
    expect(await usersOf(api, 'key_a', 0, now + 1)).toBe('unknown')
  })
})

describe('that another machine may have probed since our own last use', () => {
  const used = keyUsed(0)
  const mayBe = (events: AuditEvent[], ownUseAt?: number) =>
    mayBeProbedElsewhere(apiOf({ events }).api, used, ownUseAt)

  it('is shown by a probe in the log, and by nothing else', async () => {
    expect(await mayBe([event('curl', 0), probe(0)], now - minute)).toBe(true)
    expect(await mayBe([event('curl', 0)], now - minute)).toBe(false)
    expect(await mayBe([], now - minute)).toBe(false)
    expect(await mayBe([probe(0)])).toBe(false)
  })

  it('is looked for after what may be our own use, by a clock that is cut to the second', async () => {
    const { api, sinces } = apiOf({})
    await mayBeProbedElsewhere(api, used, now)
    expect(sinces).toEqual([ago(-1_000)])
  })

  it('is shown by any use where there is no log; a defect of ours does not pass for that', async () => {
    const without = (error: Error, ownUseAt: number) => {
      const auditLogs = () => {
        throw error
      }
      return mayBeProbedElsewhere({ auditLogs } as unknown as Client, used, ownUseAt)
    }
    expect(await without(down, now - minute)).toBe(true)
    expect(await without(down, now)).toBe(false)
    await expect(without(new TypeError('ours'), now - minute)).rejects.toThrow(TypeError)
  })
})

function runOf(answers: Answers, journal: Partial<Journal> = {}, given: Partial<RotationOptions> = {}): Run {
  return {
    api: apiOf(answers).api,
    options: { ...options, ...given },
    services: { clock: { now: () => now } },
    journal: {
      ...{ oldKey: { id: 'key_a' }, newKey: { id: 'key_b' }, strays: [], self: false, unheld: false },
      ...{ targets: [{ name: 'env:.env', readback: 'value' }], deliveredAt: now - 60 * minute, ...journal },
    },
  } as unknown as Run
}
const gathered = async (...args: Parameters<typeof runOf>) => (await gather(runOf(...args))).evidence

describe('what is gathered says', () => {
  it('that the old key is idle, of which everything was seen', async () => {
    expect(await gathered({})).toEqual({
      ...{ checkedAt: ago(0), waived: false, overlapOver: true, oldKeyIdle: true },
      ...{ oldKeyLastUsedAt: ago(60 * minute), usageUpdatedAt: ago(0) },
      ...{ successorUsed: false, successorLastUsedAt: ago(60 * minute), successorUseRequired: false },
    })
  })

  it.each([
    ['of which nothing can be read', { key: down, successor: down, usage: down }, {}, 'unknown'],
    ['that was never delivered', {}, { deliveredAt: undefined }, false],
    ['while the API’s clock was set', { clockSetAt: now }, {}, 'unknown'],
    ['after the API’s clock was set, before this look', { clockSetAt: now - 1 }, {}, true],
    ['beside a stray that is used', { successor: keyUsed(0) }, { strays: ['key_b'] }, false],
    ['beside a stray that cannot be read', { successor: down }, { strays: ['key_b'] }, 'unknown'],
    [
      'itself used, beside a stray that cannot be read',
      { key: keyUsed(0), successor: down },
      { strays: ['key_b'] },
      false,
    ],
  ] as [string, Answers, Partial<Journal>, boolean | 'unknown'][])(
    'of an old key %s',
    async (_what, answers, journal, idle) => {
      const evidence = await gathered(answers, journal)
      expect(evidence.oldKeyIdle).toBe(idle)
      if (answers.usage !== undefined) {
        expect(evidence).toMatchObject({ usageUpdatedAt: null, oldKeyLastUsedAt: null })
        expect(evidence).toMatchObject({ successorUsed: false, successorLastUsedAt: null })
      }
    },
  )

  it('whether the overlap is over', async () => {
    const after = (overlapMs: number, deliveredAt?: number) =>
      gathered({}, { deliveredAt }, { overlapMs }).then(({ overlapOver }) => overlapOver)
    expect(await after(0)).toBe(true)
    expect(await after(1)).toBe(false)
    expect(await after(minute, now - minute)).toBe(true)
    expect(await after(minute, now - minute + 1)).toBe(false)
  })

  it('whether it is waived', async () => {
    const waived = (given: Partial<RotationOptions>) =>
      gathered({}, {}, given).then((evidence) => evidence.waived)
    expect(await waived({ evidence: false })).toBe(true)
    expect(await waived({ compromised: 'no-overlap' })).toBe(true)
  })

  it.each([
    ['an application', { events: [event('curl', 0)] }, { ownUseAt: now - minute }, true],
    ['somebody, where there is no log', {}, { ownUseAt: now - minute }, true],
    ['another machine’s probes', { events: [probe(0)] }, { ownUseAt: now - minute }, false],
    ['us, perhaps', {}, { ownUseAt: now - 500 }, false],
    ['nobody can tell whom', {}, {}, false],
    [
      'an application, and it is revoked by now',
      { successor: keyUsed(0, 'revoked') },
      { ownUseAt: now - minute },
      false,
    ],
  ] as [string, Answers, Partial<Journal>, boolean][])(
    'that the successor was used by %s',
    async (_who, answers, journal, isUsed) => {
      const { successorUsed } = await gathered({ successor: keyUsed(0), ...answers }, journal)
      expect(successorUsed).toBe(isUsed)
    },
  )

  it('whether the successor’s use is needed', async () => {
    const oneWay = [{ name: 'exec:x', readback: 'none' }, ...runOf({}).journal.targets] as Journal['targets']
    const isRequired = async (journal: Partial<Journal>) => (await gathered({}, journal)).successorUseRequired
    expect(await isRequired({ targets: oneWay })).toBe(true)
    expect(await isRequired({ unheld: true })).toBe(true)
    expect(await isRequired({ unheld: true, targets: oneWay, self: true })).toBe(false)
  })
})

describe('what is missing', () => {
  const whole: Evidence = {
    ...{ checkedAt: ago(0), waived: false, overlapOver: true, oldKeyIdle: true },
    ...{ oldKeyLastUsedAt: null, usageUpdatedAt: ago(0) },
    ...{ successorUsed: false, successorLastUsedAt: null, successorUseRequired: false },
  }
  const lacking = (evidence: Partial<Evidence>, journal: Partial<Journal> = {}) =>
    missing({ ...whole, ...evidence }, runOf({}, journal, { overlapMs: 90 * minute }))

  it('is nothing, where all is there', () => {
    expect(lacking({})).toEqual([])
    expect(lacking({ successorUseRequired: true, successorUsed: true })).toEqual([])
  })

  it.each([
    [{ overlapOver: false }, 'the overlap of 1h 30m is over in 30m'],
    [{ oldKeyIdle: 'unknown', usageUpdatedAt: null }, 'usage of key_a is not to be had'],
    [{ oldKeyIdle: 'unknown' }, `usage data of ${ago(0)} cannot say whether key_a is idle`],
    [{ oldKeyIdle: false }, 'key_a was last used never; it must be seen quiet for 10m after the delivery'],
    [{ oldKeyIdle: false, oldKeyLastUsedAt: ago(0) }, `key_a was last used at ${ago(0)}; `],
    [{ successorUseRequired: true }, 'no application has used key_b yet'],
  ] as [Partial<Evidence>, string][])('of %j is told', (evidence, told) => {
    expect(lacking(evidence)).toEqual([expect.stringContaining(told)])
  })

  it('is the overlap alone, where the rest is waived', () => {
    const nothing: Partial<Evidence> = { oldKeyIdle: 'unknown', successorUseRequired: true, waived: true }
    expect(lacking(nothing)).toEqual([])
    expect(lacking({ ...nothing, overlapOver: false })).toHaveLength(1)
  })

  it('is told of each that is', () => {
    expect(
      lacking({ overlapOver: false, oldKeyIdle: false, successorUseRequired: true }, { unheld: true }),
    ).toHaveLength(3)
  })
})

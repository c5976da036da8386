import { describe, expect, it } from 'vitest'
import type { AuditEvent, Client, Usage } from '../../src/api/contract.ts'
import { KeysError } from '../../src/errors.ts'
import { isIdle, isUsedByOthers, usersOf } from '../../src/rotation/evidence.ts'

const minute = 60_000
const now = Date.parse('2026-06-01T12:00:00Z')
const bounds = { now, usageLagMs: 5 * minute, idleMs: 5 * minute }
const ago = (ms: number) => new Date(now - ms).toISOString()

function usage({ updatedMsAgo = 5 * minute, day = 0, month = 0 } = {}): Usage {
  const window = (requests: number) => ({ requests, errors: 0, latencyMs: { p50: 1, p95: 1, p99: 1 } })
  const windows = { '24h': window(day), '7d': window(month), '30d': window(month) }
  return { keyId: 'key_a', updatedAt: ago(updatedMsAgo), windows }
}

describe('an old key is idle', () => {
  it.each([
    ['last used 11 minutes ago, on data of 5 minutes ago', 11 * minute, usage({ day: 9, month: 9 }), true],
    ['last used 9 minutes ago', 9 * minute, usage({ day: 9, month: 9 }), false],
    ['last used exactly at the bound', 10 * minute, usage({ day: 9, month: 9 }), false],
    ['last used just now', 0, usage({ day: 9, month: 9 }), false],
    ['last used long ago, on fresher data', 11 * minute, usage({ updatedMsAgo: 0, day: 9, month: 9 }), true],
    [
      'last used 8 minutes ago, on data of just now',
      8 * minute,
      usage({ updatedMsAgo: 0, day: 9, month: 9 }),
      false,
    ],
    [
      'last used just before the bound, on data that is a little late',
      10 * minute + 1_000,
      usage({ updatedMsAgo: 5 * minute + 4_000, day: 9, month: 9 }),
      false,
    ],
    [
      'last used long ago, on data an hour old',
      11 * minute,
      usage({ updatedMsAgo: 60 * minute, month: 9 }),
      'unknown',
    ],
    [
      'last used long ago, on data as late as may be',
      11 * minute,
      usage({ updatedMsAgo: 5 * minute + 5_000, day: 9, month: 9 }),
      true,
    ],
    ['last used long ago, without data', 11 * minute, undefined, 'unknown'],
    ['last used 3 days ago, with requests today', 72 * 60 * minute, usage({ day: 1, month: 1 }), 'unknown'],
    [
      'last used a day and some seconds ago, with a request today, as it may be cut',
      24 * 60 * minute + 5 * minute + 3_000,
      usage({ day: 1, month: 1 }),
      true,
    ],
    ['last used 3 days ago, with none today', 72 * 60 * minute, usage({ month: 1 }), true],
  ])('when it was %s: %s', (_what, usedMsAgo, figures, idle) => {
    expect(isIdle({ lastUsedAt: ago(usedMsAgo) }, figures, bounds)).toBe(idle)
  })

  it('when it was never used and has no requests, but not when it has some', () => {
    expect(isIdle({ lastUsedAt: null }, usage(), bounds)).toBe(true)
    expect(isIdle({ lastUsedAt: null }, usage({ month: 1 }), bounds)).toBe('unknown')
    expect(isIdle({ lastUsedAt: null }, usage({ updatedMsAgo: 60 * minute }), bounds)).toBe('unknown')
  })

  it('never on instants that cannot be read', () => {
    expect(isIdle({ lastUsedAt: 'yesterday' }, usage(), bounds)).toBe('unknown')
    expect(isIdle({ lastUsedAt: ago(minute) }, { ...usage(), updatedAt: 'now' }, bounds)).toBe('unknown')
  })
})

describe('a successor is used by others', () => {
  it('when its last use is later than ours, by more than a Date header can hide', () => {
    expect(isUsedByOthers({ lastUsedAt: ago(0) }, now - 5_000)).toBe(true)
    expect(isUsedByOthers({ lastUsedAt: ago(0) }, now - 1_001)).toBe(true)
    expect(isUsedByOthers({ lastUsedAt: ago(0) }, now - 1_000)).toBe(false)
    expect(isUsedByOthers({ lastUsedAt: ago(10_000) }, now - 5_000)).toBe(false)
    expect(isUsedByOthers({ lastUsedAt: null }, now)).toBe(false)
    expect(isUsedByOthers({ lastUsedAt: ago(0) }, undefined)).toBe(false)
  })
})

describe('who used a key, by the audit log, is', () => {
  const event = (userAgent: string, msAgo: number, endpoint = '/templates'): AuditEvent => ({
    ...{ timestamp: ago(msAgo), action: 'api.request', keyId: 'key_a', endpoint, method: 'GET' },
    ...{ status: 200, ip: '192.0.2.1', userAgent },
  })
  const logOf = (events: AuditEvent[], failure?: Error) =>
    ({
      async *auditLogs() {
        yield* events
        if (failure !== undefined) throw failure
      },
    }) as Partial<Client> as Client
  const probe = (msAgo: number) => event('pictify-keys/1.0.0', msAgo)

  it.each([
    ['nobody that it knows of, where it is empty', [], 'unknown'],
    ['nobody that it knows of, where it does not go as far as the use', [probe(10_000)], 'unknown'],
    ['only ours, where it goes as far', [probe(0), probe(10_000)], 'probes'],
    [
      'only ours, where it shows what was asked for',
      [event('pictify-keys/1', 0, '/templates?limit=1')],
      'probes',
    ],
    ['an application', [probe(0), event('curl/8', 10_000)], 'others'],
    ['an application that goes by our name', [event('pictify-keys/1.0.0', 0, '/image')], 'others'],
  ])('%s', async (_what, events, users) => {
    expect(await usersOf(logOf(events), 'key_a', 0, now - 5_000)).toBe(users)
  })

  it('nobody that it knows of, where it cannot be read', async () => {
    const failure = new KeysError('connection-failed', 'cut')
    expect(await usersOf(logOf([probe(0)], failure), 'key_a', 0, now - 5_000)).toBe('unknown')
    await expect(usersOf(logOf([], new TypeError('ours')), 'key_a', 0)).rejects.toThrow(TypeError)
  })
})

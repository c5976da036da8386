import { describe, expect, test } from 'vitest'
import { surveyAccount, type SurveyOptions, type SurveyProgress } from '../../src/audit/survey.ts'
import { answering, client, failure, json, key, useServer, start } from '../api/client-fixture.ts'

useServer()

const day = 86_400_000
const options: SurveyOptions = {
  sinceMs: 30 * day,
  recentMs: 7 * day,
  needs: { usage: true, log: true },
}
const figures = (requests: number) => ({ requests, errors: 1, latencyMs: { p50: 1, p95: 2, p99: 3 } })
const usage = (keyId: string) =>
  json({
    usage: {
      keyId,
      updatedAt: '2026-03-01T11:55:00Z',
      windows: { '24h': figures(2), '7d': figures(30), '30d': figures(400) },
      daily: [
        { date: '2026-03-01', requests: 2, errors: 1 },
        { date: '2026-02-28', requests: 9, errors: 0 },
      ],
      countries: { DE: 3 },
    },
  })
const event = (keyId: string, minute: number) => ({
  timestamp: `2026-03-01T11:${String(minute).padStart(2, '0')}:00Z`,
  action: 'api.request',
  keyId,
  endpoint: '/image',
  method: 'POST',
  status: 200,
  ip: '8.8.8.8',
  userAgent: 'curl/8.0',
})
const absent = json({ title: 'Not Found' }, 404)
const used = { lastUsedAt: '2026-03-01T11:00:00Z' }
const keys = (...list: ReturnType<typeof key>[]) =>
  answering('/api-keys', json({ apiKeys: list, pagination: { total: list.length, totalPages: 1 } }))

describe('a survey', () => {
  test('has every key, the usage of those in use, and the log of each', async () => {
    keys(
      key({ id: 'key_a', ...used }),
      key({ id: 'key_idle', lastUsedAt: '2026-01-01T00:00:00Z' }),
      key({ id: 'key_never' }),
      key({ id: 'key_gone', status: 'revoked', ...used }),
    )
    const asked = answering('/api-keys/key_a/usage', usage('key_a'))
    const log = answering(
      '/audit-logs',
      json({
        auditLogs: [event('key_a', 3), event('key_gone', 2), event('key_deleted', 2), event('key_a', 1)],
      }),
    )
    const progress: SurveyProgress[] = []
    const survey = await surveyAccount(client(), { ...options, onProgress: (each) => progress.push(each) })
    expect(survey).toMatchObject({ at: start, keys: { length: 4 }, apiUrl: 'https://api.pictify.test' })
    expect(survey.usage).toEqual({
      known: true,
      value: new Map([
        [
          'key_a',
          {
            updatedAt: start - 300_000,
            windows: { '24h': figures(2), '7d': figures(30), '30d': figures(400) },
            days: { lastDay: '2026-03-01', requests: [9, 2], errors: [0, 1] },
            countries: { DE: 3 },
          },
        ],
      ]),
    })
    expect(asked).toHaveLength(1)
    expect(Object.fromEntries(log[0]!.url.searchParams)).toMatchObject({
      since: '2026-01-30T12:00:00.000Z',
      until: '2026-03-01T12:00:00.000Z',
    })
    const read = survey.log.known ? survey.log.value : undefined
    expect(read).toMatchObject({ since: start - 30 * day, recentSince: start - 7 * day, until: start })
    expect(read?.events).toBe(4)
    expect([...(read?.keys ?? [])].map(([id, { requests }]) => [id, requests])).toEqual([
      ['key_a', 2],
      ['key_gone', 1],
    ])
    expect(progress.at(-1)).toEqual({ what: 'events', done: 4, total: undefined })
  })

  test('says what the API does not have', async () => {
    keys(key({ id: 'key_a', ...used }))
    answering('/api-keys/key_a/usage', absent)
    answering('/api-keys/key_a', json({ apiKey: key({ id: 'key_a' }) }))
    answering('/audit-logs', absent)
    expect(await surveyAccount(client(), options)).toMatchObject({
      usage: { known: false, why: 'the API gives no usage' },
      log: { known: false, why: 'the API keeps no audit log' },
    })
  })

  test('says why the API refuses its log, and has the rest', async () => {
    keys(key({ id: 'key_a', ...used }))
    answering('/api-keys/key_a/usage', usage('key_a'))
    answering('/audit-logs', json({ detail: 'the Free plan has no audit log' }, 403))
    expect(await surveyAccount(client(), options)).toMatchObject({
      keys: { length: 1 },
      usage: { known: true },
      log: { known: false, why: 'reading the audit log: the Free plan has no audit log (403)' },
    })
  })

  test('asks for nothing that no rule needs', async () => {
    keys(key({ id: 'key_a', ...used }))
    expect(await surveyAccount(client(), { ...options, needs: { usage: false, log: false } })).toMatchObject({
      usage: { known: false },
      log: { known: false },
    })
  })

  test('fails with what fails', async () => {
    keys(key({ id: 'key_a', ...used }))
    answering('/api-keys/key_a/usage', usage('key_a'))
    answering('/audit-logs', json({ title: 'Unauthorized' }, 401))
    expect((await failure(surveyAccount(client(), options))).status).toBe(401)
  })

  test('leaves its own checks out of what is outside of working hours, and counts what test keys render', async () => {
    const all = [
      key({ id: 'key_admin', access: 'admin', ...used }),
      key({ id: 'key_full', access: 'full', ...used }),
      key({ id: 'key_test', type: 'test', access: 'full', ...used }),
    ]
    keys(...all)
    const own = { userAgent: 'pictify-keys/1.2.3', method: 'GET', endpoint: '/templates?limit=1' }
    const auditLogs = all.flatMap(({ id }) => [
      { ...event(id, 5), ...own },
      { ...event(id, 4), ...own, endpoint: '/api-keys' },
      event(id, 3),
    ])
    answering('/audit-logs', json({ auditLogs }))
    const needs = { usage: false, log: true }
    const { log } = await surveyAccount(client(), { ...options, needs, isOutside: () => true })
    const read = all.map(({ id }) => (log.known ? log.value.keys.get(id) : undefined))
    expect(read.map((each) => each?.outside.requests)).toEqual([1, 2, 2])
    expect(read.map((each) => each?.renders.list().map(({ value }) => value))).toEqual([
      [],
      [],
      ['2026-03-01'],
    ])
    expect(read.map((each) => each?.own.list().map(({ requests }) => requests))).toEqual([[2], [2], [2]])
  })
})

import { describe, expect, test } from 'vitest'
import { incidentSentence, investigate, type Incident, type Sighting } from '../../src/audit/incident.ts'
import { answering, client, failure, json, useServer } from '../api/client-fixture.ts'

useServer()

const keyId = 'key_abc123'
const window = (requests: number) => ({ requests, errors: 0, latencyMs: { p50: 1, p95: 2, p99: 3 } })
const usage = {
  keyId,
  updatedAt: '2026-03-01T11:55:00Z',
  windows: { '24h': window(2), '7d': window(30), '30d': window(400) },
  countries: { DE: 3, BR: 41 },
}
const event = (
  fields: Partial<Record<'ip' | 'userAgent' | 'endpoint' | 'method', string>>,
  minute: number,
) => ({
  timestamp: `2026-03-01T11:${String(minute).padStart(2, '0')}:00Z`,
  action: 'api.request',
  keyId,
  endpoint: '/image',
  method: 'POST',
  status: 200,
  ip: '192.0.2.1',
  userAgent: 'curl/8.0',
  ...fields,
})
const log = (...auditLogs: unknown[]) =>
  json({ auditLogs, pagination: { total: auditLogs.length, totalPages: 1 } })
const absent = json({ type: 'https://docs.pictify.io/errors/not-found', title: 'Not Found' }, 404)

function answer(usageAnswer: () => Response, logAnswer: () => Response) {
  answering(`/api-keys/${keyId}/usage`, usageAnswer)
  return answering('/audit-logs', logAnswer)
}

describe('investigate', () => {
  test('counts who did what from when to when, most first, whatever the order of the log', async () => {
    const seen = answer(
      json({ usage }),
      log(
        event({ ip: '198.51.100.9' }, 40),
        event({ method: 'GET', endpoint: '/templates', userAgent: 'python' }, 5),
        event({}, 30),
        event({ ip: '203.0.113.5' }, 20),
      ),
    )
    const incident = await investigate(client(), keyId)
    expect(seen[0]?.url.searchParams.get('keyId')).toBe(keyId)
    expect(incident.usage?.windows['30d'].requests).toBe(400)
    const at = (minute: number) => event({}, minute).timestamp
    const sighting = (value: string, requests: number, first: number, last: number): Sighting => {
      return { value, requests, firstAt: at(first), lastAt: at(last) }
    }
    expect(incident.audit).toEqual({
      events: 4,
      firstAt: at(5),
      lastAt: at(40),
      addresses: [
        sighting('192.0.2.1', 2, 5, 30),
        sighting('198.51.100.9', 1, 40, 40),
        sighting('203.0.113.5', 1, 20, 20),
      ],
      endpoints: [sighting('POST /image', 3, 20, 40), sighting('GET /templates', 1, 5, 5)],
      userAgents: [sighting('curl/8.0', 3, 20, 40), sighting('python', 1, 5, 5)],
    })
  })

  test('tells a log with nothing in it from no log at all', async () => {
    answer(absent, log())
    const nothing = { addresses: [], endpoints: [], userAgents: [] }
    expect(await investigate(client(), keyId)).toEqual({
      keyId,
      usage: null,
      audit: { events: 0, firstAt: null, lastAt: null, ...nothing },
    })
    answer(json({ usage }), absent)
    expect(await investigate(client(), keyId)).toMatchObject({ usage: { keyId }, audit: null })
  })

  test('fails, rather than to say that nothing was done, where the log was not answered', async () => {
    answer(json({ usage }), json({ title: 'Forbidden' }, 403))
    expect(await failure(investigate(client(), keyId))).toMatchObject({ status: 403 })
  })

  test('keeps the first 1,000 addresses of somebody who varies them, and counts every request', async () => {
    const flood = Array.from({ length: 1_200 }, (_, n) => event({ ip: `2001:db8::${n.toString(16)}` }, 10))
    answer(json({ usage }), log(...flood))
    const { audit } = await investigate(client(), keyId)
    expect(audit?.events).toBe(1_200)
    expect(audit?.addresses).toHaveLength(1_000)
    expect(audit?.endpoints).toMatchObject([{ value: 'POST /image', requests: 1_200 }])
  })
})

describe('incidentSentence', () => {
  const at = '2026-03-01T11:00:00Z'
  const audit = { events: 0, firstAt: null, lastAt: null, addresses: [], endpoints: [], userAgents: [] }
  const lines = (incident: Partial<Incident>) =>
    incidentSentence({ keyId, usage: null, audit: null, ...incident }).split('\n')

  test('has the figures, then who and what', () => {
    const sighting = (value: string): Sighting => ({ value, requests: 2, firstAt: at, lastAt: at })
    const full: Incident['audit'] = {
      events: 2,
      firstAt: at,
      lastAt: at,
      addresses: [sighting('192.0.2.1')],
      endpoints: [sighting('POST /image')],
      userAgents: [sighting('curl/8.0')],
    }
    expect(lines({ usage, audit: full })).toEqual([
      'what key_abc123 did',
      '  usage       2 requests in 24h, 30 in 7d, 400 in 30d',
      '  countries   BR 41, DE 3',
      `  audit log   2 requests, ${at} to ${at}`,
      `  addresses   192.0.2.1: 2, ${at} to ${at}`,
      `  endpoints   POST /image: 2, ${at} to ${at}`,
      `  programs    curl/8.0: 2, ${at} to ${at}`,
    ])
  })

  test('says what is not to be had, and does not call it nothing', () => {
    expect(lines({})).toEqual([
      'what key_abc123 did',
      '  usage       not to be had',
      '  audit log   not to be had: what it did is not known',
    ])
    expect(lines({ audit })).toContain('  audit log   0 requests')
  })

  test('shows ten of each kind, and how many more there are', () => {
    const addresses = Array.from({ length: 13 }, (_, n) => ({
      value: `192.0.2.${n}`,
      requests: 1,
      firstAt: at,
      lastAt: at,
    }))
    const shown = lines({ audit: { ...audit, addresses } }).filter((line) => line.includes('addresses'))
    expect(shown).toHaveLength(11)
    expect(shown.at(-1)).toBe('  addresses   and 3 more (--json has all)')
  })
})

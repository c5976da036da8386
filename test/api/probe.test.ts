import { delay, http } from 'msw'
import { describe, expect, test } from 'vitest'
import { Secret } from '../../src/secret.ts'
import {
  answering,
  baseUrl,
  broken,
  client,
  json,
  server,
  start,
  text,
  useServer,
  virtualClock,
} from './client-fixture.ts'

useServer()

describe('probe', () => {
  const probed = new Secret('pk_test_probedprobed')

  test.each([
    ['accepted', '200', json({ templates: [] })],
    ['accepted', '200 in another shape', json([])],
    ['refused', '401', json({ type: 'x/invalid-api-key' }, 401)],
    ['unknown', '200 with a web page', text('<html>sign in</html>')],
    ['unknown', '204', text(null, 204)],
    ['unknown', '403', json({}, 403)],
    ['unknown', '404', json({}, 404)],
    ['unknown', '429', json({}, 429, { 'retry-after': '1' })],
    ['unknown', '302', text(null, 302, { location: '/login' })],
    ['unknown', '500', json({}, 500)],
    ['unknown', 'a broken connection', broken],
  ] as const)('%s for %s, in one request', async (expected, _, answer) => {
    const clock = virtualClock()
    const seen = answering('/templates', answer)
    expect(await client({ clock }).probe(probed)).toBe(expected)
    expect(seen).toHaveLength(1)
    expect(seen[0]?.url.search).toBe('?limit=1')
    expect(seen[0]?.headers.get('authorization')).toBe('Bearer pk_test_probedprobed')
    expect(clock.slept).toEqual([])
  })

  test.each([
    ['as long as it is told to', json({}, 429, { 'retry-after': '7' }), [7_000]],
    ['a second where it is not told how long', text('Too Many Requests', 429), [1_000]],
    ['not at all for a quota', json({ code: 'quota_exceeded' }, 429), []],
  ] as const)('after a 429 waits %s before the next one of this key leaves', async (_, answer, slept) => {
    const clock = virtualClock()
    const seen = answering('/templates', answer, json([]))
    const api = client({ clock })
    await api.probe(probed)
    // Another client of the same server, and the same secret as a target holds it.
    expect(await api.as(probed).probe(new Secret(probed.reveal()))).toBe('accepted')
    expect([seen.length, clock.slept]).toEqual([2, slept])
  })

  test('holds up no other key, and nobody for longer than a call may wait', async () => {
    const clock = virtualClock()
    const seen = answering('/templates', json({}, 429, { 'retry-after': '3600' }), json([]))
    const api = client({ clock })
    await api.probe(probed)
    expect(await api.probe(new Secret('pk_test_another'))).toBe('accepted')
    expect(await api.probe(probed)).toBe('unknown')
    expect([seen.length, clock.slept]).toEqual([2, [60_000]])
  })

  test('unknown for no answer in time', async () => {
    server.use(http.get(`${baseUrl}/templates`, () => delay('infinite')))
    expect(await client({ timeoutMs: 30 }).probe(probed)).toBe('unknown')
  })

  test('throws for an abort alone', async () => {
    const abort = new AbortController()
    server.use(
      http.get(`${baseUrl}/templates`, () => {
        abort.abort(new Error('enough'))
        return delay('infinite')
      }),
    )
    await expect(client().probe(probed, { signal: abort.signal })).rejects.toThrow('enough')
  })

  test('tells the time, and not the rate limit of the admin credential', async () => {
    answering(
      '/templates',
      json({}, 200, {
        'x-ratelimit-limit': '60',
        'x-ratelimit-remaining': '5',
        'x-ratelimit-reset': '1',
        date: new Date(start + 5_000).toUTCString(),
      }),
    )
    const api = client()
    await api.probe(probed)
    expect(api.rateLimit).toBeUndefined()
    expect(api.clockSkewMs).toBe(5_000)
  })

  test('shows no secret to --debug', async () => {
    const lines: string[] = []
    answering('/templates', json({}, 401))
    await client({ debug: (line) => lines.push(line) }).probe(probed)
    expect(lines).toEqual(['GET /templates?limit=1 401 0ms attempt 1'])
  })
})

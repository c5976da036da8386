import { fc } from '../property.ts'
import { expect, test } from 'vitest'
import { path, query } from '../../src/api/path.ts'

test.each([
  ['key_abc123', '/api-keys/key_abc123/usage'],
  ['a/b', '/api-keys/a%2Fb/usage'],
  ['../admin', '/api-keys/..%2Fadmin/usage'],
  ['a?b#c', '/api-keys/a%3Fb%23c/usage'],
  ['é\n', '/api-keys/%C3%A9%0A/usage'],
  ['\ud800', '/api-keys/%EF%BF%BD/usage'],
])('%j is one segment', (id, expected) => {
  expect(path`/api-keys/${id}/usage`).toBe(expected)
})

test.each(['', '.', '..'])('"%s" can be no segment', (id) => {
  expect(() => path`/api-keys/${id}`).toThrow(
    expect.objectContaining({ code: 'api-key-not-found', exit: 3 }) as Error,
  )
})

test('no id leaves its place in the path', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), (id) => {
      fc.pre(id !== '.' && id !== '..')
      const url = new URL(`https://api.pictify.io/v1${path`/api-keys/${id}/revoke`}`)
      expect(url.pathname.split('/')).toHaveLength(5)
      expect(url.pathname.endsWith('/revoke')).toBe(true)
      expect(decodeURIComponent(url.pathname.split('/')[3] ?? '')).toBe(id.replace(/\p{Cs}/gu, '\ufffd'))
      expect(url.search + url.hash).toBe('')
    }),
  )
})

test('a query holds what is defined', () => {
  expect(query({ page: 1, type: undefined, since: '2026-01-01T00:00:00+01:00' })).toBe(
    '?page=1&since=2026-01-01T00%3A00%3A00%2B01%3A00',
  )
  expect(query({ type: undefined })).toBe('')
})

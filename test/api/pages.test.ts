import { describe, expect, test } from 'vitest'
import type { Page } from '../../src/api/answer.ts'
import { readByPage, readPages } from '../../src/api/pages.ts'
import type { Pagination } from '../../src/api/schemas.ts'
import { answering, client, collect, failure, json, key, useServer } from './client-fixture.ts'

useServer()

interface Paged {
  fetch: (page: number, signal: AbortSignal) => Promise<Page<string>>
  asked: number[]
  /** The most that were on their way at once. */
  most: () => number
}

/** Pages of `size` of a list that may change between requests. */
function paged(list: () => string[], size: number, tell: (all: string[], page: number) => Pagination): Paged {
  const asked: number[] = []
  let underWay = 0
  let most = 0
  return {
    asked,
    most: () => most,
    async fetch(page) {
      asked.push(page)
      underWay += 1
      most = Math.max(most, underWay)
      const all = list()
      // later pages answer sooner
      for (let turn = 0; turn < 20 - (page % 20); turn += 1) await Promise.resolve()
      underWay -= 1
      return { items: all.slice((page - 1) * size, page * size), pagination: tell(all, page) }
    },
  }
}

const counted = (size: number) => (all: string[]) => ({
  total: all.length,
  totalPages: Math.ceil(all.length / size),
})
const names = (count: number) => Array.from({ length: count }, (_, index) => `k${index}`)
const read = (pages: Paged, inFlight = 4) =>
  readPages({ fetch: pages.fetch, identity: (item) => item, inFlight })

describe('pages', () => {
  test.each([0, 1, 9, 10, 11, 95, 100])('%i items come whole and in order', async (count) => {
    const pages = paged(() => names(count), 10, counted(10))
    expect(await collect(read(pages))).toEqual(names(count))
    expect(pages.asked).toEqual(names(Math.max(1, Math.ceil(count / 10))).map((_, index) => index + 1))
  })

  test('come a page at a time too, without what an earlier one had and without empty ones', async () => {
    const answers = [['a', 'b'], ['b', 'c'], ['c', 'a'], ['d']]
    const fetch: Paged['fetch'] = (page) =>
      Promise.resolve({ items: answers[page - 1] ?? [], pagination: { totalPages: answers.length } })
    expect(await collect(readByPage({ fetch, identity: (item) => item, inFlight: 4 }))).toEqual([
      ['a', 'b'],
      ['c'],
      ['d'],
    ])
  })

  test('are asked for several at a time, once it is known how many there are', async () => {
    const pages = paged(() => names(200), 10, counted(10))
    const items = read(pages)
    await items.next()
    expect(pages.asked).toEqual([1])
    await collect(items)
    expect(pages.most()).toBe(4)
  })

  test('are not asked for ahead of a slow reader', async () => {
    const pages = paged(() => names(1_000), 10, counted(10))
    const items = read(pages)
    for (let count = 0; count < 25; count += 1) await items.next()
    // two read, one being read, four on their way at most
    expect(pages.asked.length).toBeLessThanOrEqual(7)
    await items.return()
  })

  test('stop when the reader leaves', async () => {
    const signals: AbortSignal[] = []
    const pages = paged(() => names(100), 10, counted(10))
    const fetch: Paged['fetch'] = (page, signal) => {
      signals.push(signal)
      return pages.fetch(page, signal)
    }
    for await (const item of readPages({ fetch, identity: (item) => item, inFlight: 4 })) {
      if (item === 'k15') break
    }
    expect(signals.every((signal) => signal.aborted)).toBe(true)
    expect(pages.asked.length).toBeLessThan(10)
  })

  test('a page that fails fails in its turn, after those before it', async () => {
    const pages = paged(() => names(50), 10, counted(10))
    const fetch: Paged['fetch'] = (page, signal) =>
      page === 3 ? Promise.reject(new Error('page 3')) : pages.fetch(page, signal)
    const got: string[] = []
    const reading = (async () => {
      for await (const item of readPages({ fetch, identity: (item) => item, inFlight: 4 })) got.push(item)
    })()
    await expect(reading).rejects.toThrow('page 3')
    expect(got).toEqual(names(20))
  })

  test('nothing comes twice when something is added while they are read', async () => {
    let list = names(30)
    const pages = paged(() => list, 10, counted(10))
    const got: string[] = []
    for await (const item of read(pages, 1)) {
      got.push(item)
      if (item === 'k12') list = ['new', ...list]
    }
    expect(new Set(got).size).toBe(got.length)
    expect(got).toEqual(expect.arrayContaining(names(30)))
  })

  test('nothing is missed when something is removed while they are read', async () => {
    let list = names(30)
    const pages = paged(() => list, 10, counted(10))
    const got: string[] = []
    for await (const item of read(pages, 1)) {
      got.push(item)
      if (item === 'k5') list = list.filter((name) => name !== 'k2')
    }
    expect([...got].sort()).toEqual(names(30).sort())
  })

  test('a list that never holds still is read a bounded number of times', async () => {
    let added = 0
    const pages = paged(
      () => [`new${(added += 1)}`, ...names(30), ...names(added).map((n) => `x${n}`)],
      10,
      counted(10),
    )
    await collect(read(pages, 1))
    expect(pages.asked.length).toBeLessThan(20)
  })

  test('a promise of pages that are not there is not believed for long', async () => {
    const pages = paged(
      () => names(15),
      10,
      () => ({ totalPages: 1_000_000 }),
    )
    expect(await collect(read(pages))).toEqual(names(15))
    expect(pages.asked.length).toBeLessThan(10)
  })
})

describe('pages that do not say how many there are', () => {
  test.each<[string, (all: string[], page: number) => Pagination]>([
    ['at all', () => ({})],
    ['but whether there is a next', (all, page) => ({ hasNext: page * 10 < all.length })],
    ['but how many items', (all) => ({ total: all.length, limit: 10 })],
  ])('%s', async (_, tell) => {
    for (const count of [0, 5, 10, 35]) {
      const pages = paged(() => names(count), 10, tell)
      expect(await collect(read(pages))).toEqual(names(count))
      expect(pages.asked.length).toBeLessThanOrEqual(count / 10 + 2)
    }
  })

  test('and come whole every time', async () => {
    const asked: number[] = []
    const fetch = async (page: number) => {
      asked.push(page)
      return { items: names(40), pagination: { hasNext: true } }
    }
    expect(await collect(readPages({ fetch, identity: (item) => item, inFlight: 4 }))).toEqual(names(40))
    expect(asked).toEqual([1, 2])
  })
})

describe('the list of keys', () => {
  const page = (from: number, count: number, total: number) =>
    json({
      apiKeys: Array.from({ length: count }, (_, index) => key({ id: `key_${from + index}` })),
      pagination: { limit: 100, total, totalPages: Math.ceil(total / 100) },
    })

  test('is asked for with its filters, a full page at a time', async () => {
    const seen = answering('/api-keys', page(0, 100, 150), page(100, 50, 150))
    const keys = await collect(client().keys.list({ type: 'live', status: 'active' }))
    expect(keys.map(({ id }) => id)).toEqual(Array.from({ length: 150 }, (_, index) => `key_${index}`))
    expect(seen.map(({ url }) => url.search)).toEqual([
      '?page=1&limit=100&type=live&status=active',
      '?page=2&limit=100&type=live&status=active',
    ])
  })

  test('has no filter where none is given', async () => {
    const seen = answering('/api-keys', page(0, 0, 0))
    expect(await collect(client().keys.list())).toEqual([])
    expect(seen[0]?.url.search).toBe('?page=1&limit=100')
  })

  test('ends with the reason of the signal', async () => {
    const abort = new AbortController()
    answering('/api-keys', page(0, 100, 500))
    const reading = (async () => {
      for await (const _ of client().keys.list({}, { signal: abort.signal })) abort.abort(new Error('enough'))
    })()
    await expect(reading).rejects.toThrow('enough')
  })

  test('a refusal says what was being done', async () => {
    answering('/api-keys', json({}, 403))
    expect((await failure(collect(client().keys.list()))).message).toBe(
      'listing keys: this key may not manage keys',
    )
  })
})

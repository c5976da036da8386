// Rules of this file:
// - what is fetched ahead is bounded, and stops when the reader does;
// - order is the API's; nothing comes twice, and nothing is missed because the list moved while it was read.
import type { Page } from './answer.ts'
import type { Pagination } from './schemas.ts'

export interface PagesOptions<T> {
  /** Fetches a page, counted from 1. `signal` aborts also when the reader leaves early. */
  fetch: (page: number, signal: AbortSignal) => Promise<Page<T>>
  /** What tells items apart. */
  identity: (item: T) => string
  /** How many pages may be on their way at once. */
  inFlight: number
  /** How often a list that moved is read, to find what was missed. Default 3. */
  passes?: number | undefined
  signal?: AbortSignal | undefined
}

/** Every item of a list, page by page to the end. */
export function readPages<T>(options: PagesOptions<T>): AsyncGenerator<T, void, undefined> {
  return flat(readByPage(options))
}

/** One by one what comes several at a time. */
export async function* flat<T>(pages: AsyncIterable<T[]>): AsyncGenerator<T, void, undefined> {
  for await (const items of pages) yield* items
}

/** The same, a page's items at a time: of a long list, most of the time goes into handing over one by one. */
export async function* readByPage<T>(options: PagesOptions<T>): AsyncGenerator<T[], void, undefined> {
  const seen = new Set<string>()
  for (let pass = 1, moved = true; moved && pass <= (options.passes ?? 3); pass += 1) {
    const reader = createReader(options)
    try {
      for (let page = await reader.next(); page !== undefined; page = await reader.next()) {
        const fresh = page.items.filter((item) => {
          const count = seen.size
          return seen.add(options.identity(item)).size > count
        })
        if (fresh.length > 0) yield fresh
        reader.settle(page, fresh.length)
      }
    } finally {
      reader.stop()
    }
    moved = reader.moved()
  }
}

/** Walks the pages once, several on their way as soon as it is known how many there are. */
export function createReader<T>({
  fetch,
  inFlight,
  signal,
}: Pick<PagesOptions<T>, 'fetch' | 'inFlight' | 'signal'>) {
  const leave = new AbortController()
  const either = signal ? AbortSignal.any([signal, leave.signal]) : leave.signal
  const ahead: Promise<Page<T>>[] = []
  const totals = new Set<number>()
  let nextPage = 1
  let lastPage = 1
  /** Whether the API says how many pages there are; where it does not, each page tells whether to ask for another. */
  let counted = false

  return {
    async next(): Promise<Page<T> | undefined> {
      while (ahead.length < inFlight && nextPage <= lastPage) {
        const page = fetch(nextPage, either)
        // a failure is met when the page's turn comes; until then it must not count as unhandled
        page.catch(() => undefined)
        ahead.push(page)
        nextPage += 1
      }
      return ahead.shift()
    },

    /** Takes in what a page says of the others; `fresh` is how many of its items were new. */
    settle({ items, pagination }: Page<T>, fresh: number): void {
      if (pagination.total !== undefined) totals.add(pagination.total)
      const pages = pageCount(pagination)
      if (pages !== undefined) {
        counted = true
        // past an empty page there is nothing, whatever was promised
        lastPage = items.length === 0 ? 0 : Math.max(lastPage, pages)
      } else if (!counted && fresh > 0 && pagination.hasNext !== false) {
        lastPage = nextPage
      }
    },

    /** Whether the API told of different totals on the way, so that items may have slipped from page to page. */
    moved: () => totals.size > 1,

    stop: () => leave.abort(),
  }
}

function pageCount({ totalPages, total, limit }: Pagination): number | undefined {
  if (totalPages !== undefined) return totalPages
  return total !== undefined && limit !== undefined && limit > 0 ? Math.ceil(total / limit) : undefined
}

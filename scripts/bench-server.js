// A list of API keys, served as fast as Node can: every page is a buffer made before the first request.
// Its argument is how many keys there are; it prints its URL and runs until it is stopped.
import { Buffer } from 'node:buffer'
import { createServer } from 'node:http'

const total = Number(process.argv[2])
const limit = 100
const totalPages = Math.ceil(total / limit)
const bornAt = Date.UTC(2026, 0, 1)

function key(index) {
  const createdAt = new Date(bornAt - index * 60_000).toISOString()
  return {
    id: `key_${String(index).padStart(12, '0')}`,
    name: `Service ${index} in production`,
    type: index % 3 ? 'live' : 'test',
    status: index % 5 ? 'active' : 'revoked',
    access: 'full',
    createdAt,
    lastUsedAt: index % 7 ? new Date(bornAt + index * 1_000).toISOString() : null,
    revokedAt: index % 5 ? null : createdAt,
  }
}

const pages = Array.from({ length: totalPages }, (_, page) => {
  const first = page * limit
  const apiKeys = Array.from({ length: Math.min(limit, total - first) }, (_, index) => key(first + index))
  const hasNext = page + 1 < totalPages
  const pagination = { page: page + 1, limit, total, totalPages, hasNext, hasPrev: page > 0 }
  return Buffer.from(JSON.stringify({ apiKeys, pagination }))
})

const server = createServer((request, response) => {
  const query = new URL(request.url, 'http://localhost').searchParams
  const page = pages[Number(query.get('page') ?? 1) - 1]
  if (!page || query.get('limit') !== String(limit)) return response.writeHead(400).end()
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': page.length,
    'x-ratelimit-limit': 1_000_000,
    'x-ratelimit-remaining': 999_999,
    'x-ratelimit-reset': 2_000_000_000,
  })
  response.end(page)
})
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))

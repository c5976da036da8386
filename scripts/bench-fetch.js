// What the list is measured against: the same pages by bare undici, as many at a time, parsed and counted, and no more.
import { Pool } from 'undici'

const inFlight = 6
const client = new Pool(process.env.PICTIFY_API_URL, { connections: inFlight })
const headers = { authorization: `Bearer ${process.env.PICTIFY_ADMIN_KEY}` }

async function fetchPage(page) {
  const { body } = await client.request({ method: 'GET', path: `/api-keys?page=${page}&limit=100`, headers })
  return body.json()
}

const { apiKeys, pagination } = await fetchPage(1)
let count = apiKeys.length
let next = 2
async function work() {
  while (next <= pagination.totalPages) {
    const page = await fetchPage(next++)
    count += page.apiKeys.length
  }
}
await Promise.all(Array.from({ length: inFlight }, work))
await client.close()
process.exitCode = count === pagination.total ? 0 : 1

// What a customer's service does all day: read the key from its .env right before each request, and render. Several
// requests are in flight at any time, over kept-alive connections. It counts, and tells the demo what it saw.
// With --once it renders one image with the key in PICTIFY_API_KEY: the demo's verify command.
import { readFileSync } from 'node:fs'
import http from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { parseEnv } from 'node:util'

const inFlight = 4
/** The next request of each of them starts no sooner than this after the one before, so as to stay below the rate limit. */
const paceMs = 8

const agent = new http.Agent({ keepAlive: true, maxSockets: inFlight })
const url = `${process.env.PICTIFY_API_URL}/image`
const body = JSON.stringify({ html: '<h1>Hello</h1>', width: 600, height: 400 })

/** The status of the answer, 0 when there was none. */
function render(key) {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    const request = http.request(url, { method: 'POST', agent, headers }, (response) => {
      response
        .resume()
        .on('end', () => resolve(response.statusCode))
        .on('error', () => resolve(0))
    })
    request.on('error', () => resolve(0)).end(body)
  })
}

async function once() {
  const status = await render(process.env.PICTIFY_API_KEY)
  agent.destroy()
  console.log(status === 200 ? 'rendered one image with it' : `the render was answered with ${status}`)
  process.exitCode = status === 200 ? 0 : 1
}

async function consume() {
  const seen = {
    sent: 0,
    accepted: 0,
    refused: 0,
    unanswered: 0,
    keys: [],
    switchedAt: undefined,
    statuses: {},
  }
  let stopped = false
  process.on('message', () => (stopped = true))
  process.on('disconnect', () => process.exit(1))

  async function work() {
    while (!stopped) {
      const pace = delay(paceMs)
      const key = parseEnv(readFileSync(process.env.ENV_FILE, 'utf8')).PICTIFY_API_KEY
      const name = `…${key.slice(-4)}`
      if (seen.keys.at(-1)?.name !== name && !seen.keys.some((each) => each.name === name)) {
        seen.keys.push({ name, requests: 0 })
        if (seen.keys.length === 2) seen.switchedAt = Date.now()
      }
      seen.keys.find((each) => each.name === name).requests++
      seen.sent++
      const status = await render(key)
      if (status === 200) seen.accepted++
      else if (status === 0) seen.unanswered++
      else seen.refused++
      if (status !== 200) seen.statuses[status] = (seen.statuses[status] ?? 0) + 1
      await pace
    }
  }

  let reporting = true
  const report = (async () => {
    while (reporting) {
      process.send(seen)
      await delay(200)
    }
  })()
  await Promise.all(Array.from({ length: inFlight }, work))
  reporting = false
  await report
  agent.destroy()
  process.removeAllListeners('disconnect')
  process.send({ ...seen, final: true }, () => process.disconnect())
}

await (process.argv.includes('--once') ? once() : consume())

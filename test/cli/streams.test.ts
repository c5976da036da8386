import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openAccount, untimed, type Account } from './account.ts'

const bin = fileURLToPath(new URL('../../bin/pictify-keys.js', import.meta.url))
let account: Account
beforeEach(async () => {
  account = await openAccount({ keys: 2 })
})
afterEach(() => account.end())

describe('an interrupted command dies of the signal itself', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('%s', async (signal) => {
    account.sandbox.addFault('stall')
    const running = account.home.start(['list', '--json'])
    await expect.poll(() => account.sandbox.requests.length).toBeGreaterThan(0)
    running.child.kill(signal)
    const ran = await running.ended
    expect(ran).toMatchObject({ exit: null, signal, stdout: '' })
    expect(JSON.parse(ran.stderr)).toMatchObject({ error: { code: 'interrupted', message: 'interrupted' } })
  })

  test('so that a shell sees 130', async () => {
    const running = account.home.start(['sandbox', '--json'])
    await expect.poll(() => running.output().stdout).toContain('adminKey')
    running.child.kill('SIGINT')
    expect(await running.ended).toMatchObject({ exit: null, signal: 'SIGINT', stderr: '' })
  })
})

describe('a library’s advice to whoever runs Node is not what stderr is for', () => {
  const preload = `data:text/javascript,process.on('newListener', (event) => {
    if (event === 'beforeExit') process.emitWarning('a newer Node, please', 'AdviceWarning')
  })`

  test('and is told with --debug alone', async () => {
    expect(await account.home.run(['list', '--json'], { preload })).toMatchObject({ exit: 0, stderr: '' })
    expect((await account.home.run(['list', '--debug'], { preload })).stderr).toContain(
      'AdviceWarning: a newer Node, please',
    )
  })
})

/** As many keys as asked for, page by page, for ever. */
async function serveKeys(total: number) {
  const key = {
    name: 'x'.repeat(80),
    type: 'live',
    status: 'active',
    createdAt: '2026-01-01T00:00:00Z',
    lastUsedAt: null,
  }
  let pages = 0
  const server = createServer(({ url = '' }, response) => {
    pages += 1
    const page = Number(new URL(url, 'http://x').searchParams.get('page'))
    const apiKeys = Array.from({ length: 100 }, (_, index) => ({ ...key, id: `key_${page}_${index}` }))
    const totalPages = total / 100
    const pagination = { page, limit: 100, total, totalPages, hasNext: page < totalPages, hasPrev: page > 1 }
    response.end(JSON.stringify({ apiKeys, pagination }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    pages: () => pages,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

describe('stdout', () => {
  test.each(['ndjson', 'csv', 'id'])(
    'a reader that goes away (| head) ends %s quietly, and the fetching',
    async (format) => {
      const server = await serveKeys(100_000)
      try {
        const child = spawn(process.execPath, [bin, 'list', '--format', format], {
          env: { ...account.home.env, PICTIFY_API_URL: server.url },
          stdio: ['ignore', 'pipe', 'pipe'],
        })
        let stderr = ''
        child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
        child.stdout.once('data', () => child.stdout.destroy())
        const exit = await new Promise((resolve) => child.once('close', resolve))
        expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
        expect(server.pages()).toBeLessThan(1_000)
      } finally {
        server.close()
      }
    },
  )

  test('a slow reader gets every line', async () => {
    const server = await serveKeys(20_000)
    try {
      const child = spawn(process.execPath, [bin, 'list', '--format', 'ndjson'], {
        env: { ...account.home.env, PICTIFY_API_URL: server.url },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let text = ''
      for await (const chunk of child.stdout) {
        text += String(chunk)
        await new Promise((resolve) => setImmediate(resolve))
      }
      const lines = text.trimEnd().split('\n')
      expect(lines).toHaveLength(20_000)
      expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ id: 'key_200_99' })
    } finally {
      server.close()
    }
  })

  test.skipIf(process.platform !== 'linux')('a full disk is an error', async () => {
    const child = spawn('sh', ['-c', '"$0" "$1" list --json > /dev/full', process.execPath, bin], {
      env: account.home.env,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    const exit = await new Promise((resolve) => child.once('close', resolve))
    expect(exit).toBe(1)
    expect(stderr).toContain('cannot write to stdout')
  })
})

test.skipIf(process.platform === 'win32')(
  'what nobody foresaw is one error with a hint; --debug says where',
  async () => {
    const broken = `AbortSignal.any = () => { throw new TypeError('unheard of') }`
    const preload = `data:text/javascript,${encodeURIComponent(broken)}`
    const run = (...flags: string[]) => account.run(['list', ...flags], { preload })
    const plain = await run()
    expect(plain.exit).toBe(1)
    expect(untimed(plain.stderr)).toMatch(
      /^error: something unforeseen went wrong: unheard of\n {2}this is a fault of pictify-keys.*--debug.*\n$/,
    )
    const json = await run('--json')
    expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: 'internal' } })
    expect(untimed((await run('--debug')).stderr)).toMatch(/\n +at /)
  },
)

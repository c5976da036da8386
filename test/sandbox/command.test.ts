import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { sandbox } from '../../src/commands/sandbox.ts'
import type { Context } from '../../src/context.ts'

const defaults = {
  port: 0,
  plan: 'pro',
  propagation: 0,
  usageLag: 0,
  keys: 0,
  events: undefined,
  without: [],
  fault: [],
  data: undefined,
}

/** Runs the command until it has said what it has to; `stop` interrupts it and waits for its end. */
async function run(inputs: Partial<Record<string, unknown>>, { json = false, cwd = '/' } = {}) {
  const stdout: string[] = []
  const talk: string[] = []
  const abort = new AbortController()
  const out = {
    json,
    line: async (text: string) => void stdout.push(text),
    say: (text: string) => void talk.push(text),
  }
  const context = { out, signal: abort.signal, cwd, clock: systemClock } as unknown as Context
  const ended = sandbox.run(context, { ...defaults, ...inputs } as never)
  const stop = async () => {
    abort.abort()
    await ended
  }
  await Promise.race([ended, expect.poll(() => stdout.length, { timeout: 20_000 }).toBe(json ? 1 : 2)])
  return { stdout, talk: talk.join('\n'), stop }
}

const status = async (url: string, key: string) =>
  (await fetch(`${url}/api-keys`, { headers: { Authorization: `Bearer ${key}` } })).status

test('prints the lines that point the tools at it, and ends when interrupted', async () => {
  const { stdout, talk, stop } = await run({ plan: 'business' })
  const [, url = ''] = /^export PICTIFY_API_URL=(http:\/\/127\.0\.0\.1:\d+)$/.exec(stdout[0] ?? '') ?? []
  const [, key = ''] = /^export PICTIFY_ADMIN_KEY=(pk_live_\w+)$/.exec(stdout[1] ?? '') ?? []
  expect(await status(url, key)).toBe(200)
  expect(talk).toContain(url)
  expect(talk).not.toContain(key)
  await stop()
  await expect(fetch(url)).rejects.toThrow('fetch failed')
})

test('with --json prints one line', async () => {
  const { stdout, talk, stop } = await run({ keys: 3 }, { json: true })
  const { url, adminKey } = JSON.parse(stdout.join('')) as { url: string; adminKey: string }
  expect(await status(url, adminKey)).toBe(200)
  expect(talk).toBe('')
  await stop()
})

test('keeps what it keeps where it was told, relative to the working directory', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'sandbox-'))
  const { stop } = await run({ data: 'pictify.json' }, { cwd })
  await stop()
  expect(JSON.parse(await readFile(join(cwd, 'pictify.json'), 'utf8'))).toMatchObject({ version: 1 })
  await rm(cwd, { recursive: true })
})

test('refuses a bad fault', async () => {
  await expect(run({ fault: ['explode'] })).rejects.toMatchObject({ code: 'usage' })
})

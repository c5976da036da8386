import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Secret } from '../../src/secret.ts'
import { filesUnder, modeOf } from './files.ts'
import { findLeaks } from './leaks.ts'
import { masksIn, watch, type Watched } from './watched.ts'

// No secret is where it should not be, whole or in part. The whole of this is in secrets.torture.ts.

const waits = ['--settle', '100ms', '--idle', '0s', '--usage-lag', '0s', '--wait', '20s']
let watched: Watched
beforeEach(async () => {
  watched = await watch()
})
afterEach(() => watched.end())

it('what looks for leaks finds them', () => {
  const body = 'aB3dE6gH9jK2mN5pQ8sT1vW4'
  const secret = new Secret(`pk_live_${body}`)
  const shown = [
    body,
    body.slice(3, 11),
    body.toUpperCase(),
    Buffer.from(`u:${secret.reveal()}`).toString('base64'),
    Buffer.from(body).toString('hex'),
  ]
  for (const text of shown) expect(findLeaks('x', text, [secret])).toHaveLength(1)
  for (const text of [secret.hint, body.slice(0, 7), 'pk_live_'])
    expect(findLeaks('x', text, [secret])).toEqual([])
})

describe('a rotation whose commands say all they know, traced, in GitHub Actions', () => {
  it('leaves and shows no part of a secret, not in a report of Node’s either', async () => {
    const { home, old } = watched
    const reports = path.join(home.directory, 'reports')
    const line = ['rotate', old.id, '--to', 'env:.env', '--to', `exec:${watched.command('exec')}`]
    const ran = await watched.run(
      [...line, '--verify', watched.command('verify'), '--no-evidence', '--debug', ...waits],
      {
        env: {
          GITHUB_ACTIONS: 'true',
          GITHUB_OUTPUT: path.join(home.directory, 'output'),
          // the application's own
          PICTIFY_API_KEY: old.secret.reveal(),
          REPORTS: reports,
          NODE_OPTIONS: `--report-on-signal --report-uncaught-exception --report-directory=${reports}`,
          NODE_DEBUG: 'http,net,tls,stream,undici,fetch,fs',
        },
      },
    )
    expect(ran.exit, ran.stderr).toBe(0)
    expect(await watched.leaks(ran)).toEqual([])
    expect(filesUnder(reports).filter((file) => file.endsWith('.json'))).toHaveLength(1)
    expect(ran.stderr).toContain('loud [secret]')
    expect(ran.children.map(({ args }) => args.at(-1))).toEqual(
      expect.arrayContaining(['./verify 0', './exec 0']),
    )

    const successor = watched.sandbox.keys()[0]?.secret.reveal()
    const lines = ran.stderr.split('\n')
    expect(masksIn(ran.stderr)).toEqual([old.secret.reveal(), successor])
    const created = lines.findIndex((text) => text.includes('created key_'))
    expect(lines.findIndex((text) => text.endsWith(`::${successor}`))).toBeLessThan(created)
  })
})

it.each(['throw', 'reject'] as const)(
  'a fault of ours that quotes secrets shows none of them (%s)',
  async (crash) => {
    const ran = await watched.run(
      ['rotate', watched.old.id, '--to', 'env:.env', '--debug', '--json', ...waits],
      { crash },
    )
    expect(ran.exit, ran.stderr).toBe(1)
    expect(ran.stderr).toContain('something unforeseen went wrong: cannot use [secret]')
    expect(await watched.leaks(ran)).toEqual([])
  },
)

it('a secret in a command line, which others can read, is refused and not repeated', async () => {
  const secret = watched.old.secret.reveal()
  for (const line of [
    ['rotate', watched.old.id, '--to', 'env:.env', '--verify', `curl -H 'Authorization: Bearer ${secret}' x`],
    ['rotate', watched.old.id, '--to', `exec:put ${secret}`],
    ['create', 'New', '--type', 'live', '--to', `file:${secret}`],
    ['rotate', secret, '--to', 'env:.env'],
  ]) {
    const ran = await watched.run([...line, '--debug'])
    expect(ran.exit, ran.stderr).toBe(2)
    expect(ran.children).toEqual([])
    expect(await watched.leaks(ran)).toEqual([])
  }
  expect(watched.sandbox.requests.filter(({ method }) => method === 'POST')).toEqual([])
})

it('Node is not asked to print the environment that --verify gets', async () => {
  for (const NODE_DEBUG of ['child_process', 'net, CHILD*', '*']) {
    const line = ['rotate', watched.old.id, '--to', 'env:.env', '--verify', 'true', ...waits]
    const ran = await watched.run(line, { env: { NODE_DEBUG } })
    expect(ran.exit, ran.stderr).toBe(2)
    expect(ran.stderr).toContain('leave child_process (and *) out of NODE_DEBUG')
    expect(ran.children).toEqual([])
  }
  expect(watched.sandbox.requests.filter(({ method }) => method === 'POST')).toEqual([])
})

it('what a kill leaves beside the target is as private as the target, and the next run sweeps it', async () => {
  const line = ['rotate', watched.old.id, '--to', 'env:.env', '--json', ...waits]
  const killed = await watched.run(line, { killAt: String.raw`^after writeFile .*\.env\.tmp$` })
  expect(killed.signal, killed.stderr).toBe('SIGKILL')
  const [leftover = '', ...others] = filesUnder(watched.home.directory).filter((name) =>
    /^\.env\./.test(name),
  )
  expect(others).toEqual([])
  const file = path.join(watched.home.directory, leftover)
  expect(await modeOf(file)).toBe('600')
  expect(findLeaks('', await readFile(file), watched.secrets())).toHaveLength(1)
  const again = await watched.run(line)
  expect(again.exit, again.stderr).toBe(0)
  expect(await watched.leaks(again)).toEqual([])
})

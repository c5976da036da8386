// The real `gh`, speaking to the test server: what it asks and writes holds to the same description, and either finds
// what the other wrote.
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { Secret } from '../../src/secret.ts'
import { parseTarget } from '../../src/targets/index.ts'
import { authority, createGitHubServer, type GitHubServer } from '../servers/github.ts'
import { values } from './contract-fixture.ts'
import { testDeps } from './deps.ts'

const { gh } = (inject('servers')['gh'] ?? {}) as { gh?: string }

const classic = 'ghp_OfTheRealOne'
let server: GitHubServer
let home: string
beforeAll(async () => {
  server = await createGitHubServer()
  home = await mkdtemp(path.join(tmpdir(), 'gh-'))
  server.grant(classic, { role: 'admin', scopes: ['repo', 'admin:org'] })
  server.addRepository('acme/app')
  server.addEnvironment('acme/app', 'production')
  server.addOrganization('acme')
})
afterAll(async () => {
  await server.close()
  await rm(home, { recursive: true, force: true })
})

const env = () => ({ GH_HOST: server.host, GH_ENTERPRISE_TOKEN: classic, SSL_CERT_FILE: authority })

/** Runs it as a person would; resolves to its stdout. */
async function runGh(args: string[], input = ''): Promise<string> {
  const running = promisify(execFile)(gh ?? '', args, {
    env: { PATH: process.env['PATH'], HOME: home, GH_CONFIG_DIR: home, GH_NO_UPDATE_NOTIFIER: '1', ...env() },
  })
  running.child.stdin?.end(input)
  return (await running).stdout
}

const places = [
  { spec: 'github:acme/app', holder: 'repos/acme/app', args: ['-R', 'acme/app'] },
  {
    spec: 'github:acme/app/production',
    holder: 'repos/acme/app/production',
    args: ['-R', 'acme/app', '-e', 'production'],
  },
  { spec: 'github-org:acme', holder: 'orgs/acme', args: ['-o', 'acme'] },
]

describe.skipIf(!gh).each(places)('gh and $spec', ({ spec, holder, args }) => {
  test('a secret of either opens to the same bytes', async () => {
    const target = parseTarget(`${spec}#OURS`, testDeps('/', { env: env(), createTarget: true }))
    for (const value of Object.values(values)) {
      // gh cuts line ends off what it reads on stdin, and takes an argument as it is
      await runGh(['secret', 'set', 'THEIRS', ...args, '--body', value])
      await target.write(new Secret(value), undefined)
      const secrets = server.secretsOf(holder)
      expect(secrets.get('OURS')?.value).toBe(value)
      expect(secrets.get('THEIRS')?.value).toBe(value)
    }
    const puts = server.requests.filter(({ method }) => method === 'PUT').slice(-2)
    const [theirs, ours] = puts.map(({ body }) => JSON.parse(body) as Record<string, unknown>)
    expect(Object.keys(ours ?? {}).sort()).toEqual(Object.keys(theirs ?? {}).sort())
    expect(ours?.['visibility']).toBe(theirs?.['visibility'])
  })

  test('ours is in its list', async () => {
    const target = parseTarget(`${spec}#LISTED`, testDeps('/', { env: env(), createTarget: true }))
    await target.write(new Secret('pk_live_listed'), undefined)
    expect(await runGh(['secret', 'list', ...args])).toMatch(/^LISTED\s/m)
  })

  test('its write after our check is not overwritten', async () => {
    await runGh(['secret', 'set', 'SHARED', ...args, '--body', 'before'])
    const target = parseTarget(`${spec}#SHARED`, testDeps('/', { env: env() }))
    await target.check()
    server.passTime(2_000)
    await runGh(['secret', 'set', 'SHARED', ...args, '--body', 'theirs'])
    await expect(target.write(new Secret('pk_live_ours'), undefined)).rejects.toMatchObject({
      code: 'target-changed',
    })
    expect(server.secretsOf(holder).get('SHARED')?.value).toBe('theirs')
  })
})

test.skipIf(!gh)('what either asked is as GitHub describes it', () => {
  expect(server.requests.filter(({ method }) => method === 'PUT').length).toBeGreaterThan(10)
  expect(server.violations).toEqual([])
})

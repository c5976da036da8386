// The built program with Actions secrets of GitHub, against the test server and the sandbox.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Secret } from '../../src/secret.ts'
import { authority, createGitHubServer, type GitHubServer } from '../servers/github.ts'
import { openRotating, quick, type Rotating } from './rotating.ts'

const token = 'ghp_TheTokenOfSomebody1'
const target = 'github:acme/app#PICTIFY_API_KEY'

describe('github, by the program', () => {
  let account: Rotating
  let server: GitHubServer
  let stopApplication: () => Promise<void>
  beforeEach(async () => {
    ;[account, server] = await Promise.all([openRotating(), createGitHubServer()])
    server.grant(token, { role: 'write', scopes: ['repo'] })
    server.addRepository('acme/app')
    server.change('repos/acme/app', 'PICTIFY_API_KEY', account.old.secret.reveal())
    stopApplication = async () => {}
  })
  afterEach(async () => {
    await stopApplication()
    await Promise.all([account.end(), server.close()])
    expect(server.violations).toEqual([])
  })

  const env = () => ({ GH_HOST: server.host, GH_ENTERPRISE_TOKEN: token, SSL_CERT_FILE: authority })
  const held = () => server.secretsOf('repos/acme/app').get('PICTIFY_API_KEY')?.value
  const rotate = (more: string[] = [], input?: string) =>
    account.home.start(['rotate', account.old.id, '--to', target, ...quick, ...more], {
      env: env(),
      ...(input !== undefined && { input }),
    })

  /** A workflow that starts again and again, and calls the API with what it is given. */
  function startApplication(): void {
    let isOver = false
    const running = (async () => {
      while (!isOver) {
        await account.call(new Secret(held() ?? ''))
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    })()
    stopApplication = async () => {
      isOver = true
      await running
    }
  }

  test('rotate delivers it, and retires the old key when the new one has been seen in use', async () => {
    startApplication()
    const ran = await rotate(['--old-secret-stdin'], account.old.secret.reveal()).ended
    expect(ran, ran.stderr).toMatchObject({ exit: 0 })
    expect(JSON.parse(ran.stdout)).toMatchObject({ rotation: { state: 'done', targets: [{ name: target }] } })
    expect(held()).toMatch(/^pk_live_/)
    expect(held()).not.toBe(account.old.secret.reveal())
    for (const secret of [held() ?? '', account.old.secret.reveal(), token]) {
      expect(ran.stdout + ran.stderr).not.toContain(secret)
    }
  })

  test('rotate that fails puts the old secret back: exit 6', async () => {
    const ran = await rotate(['--old-secret-stdin', '--verify', 'exit 1'], account.old.secret.reveal()).ended
    expect(ran, ran.stderr).toMatchObject({ exit: 6 })
    expect(held()).toBe(account.old.secret.reveal())
    expect(server.requests.filter(({ method }) => method === 'PUT')).toHaveLength(2)
    expect(account.keys()).toHaveLength(1)
  })

  test('somebody else’s write since the plan wins: exit 6, though the old secret is not known', async () => {
    const running = rotate()
    await running.until(() => server.requests.some(({ path }) => path.endsWith('/PICTIFY_API_KEY')))
    server.passTime(60_000)
    server.change('repos/acme/app', 'PICTIFY_API_KEY', 'theirs')
    const ran = await running.ended
    expect(ran, ran.stderr).toMatchObject({ exit: 6 })
    expect(ran.stderr).toContain('somebody else changed it')
    expect(held()).toBe('theirs')
    expect(account.keys()).toHaveLength(1)
  })

  test('without a token nothing is made', async () => {
    const ran = await account.run(['rotate', account.old.id, '--to', target, ...quick], {
      env: { GH_HOST: server.host },
    })
    expect(ran.exit).not.toBe(0)
    expect(ran.stderr).toContain('set GH_ENTERPRISE_TOKEN')
    expect(account.keys()).toHaveLength(1)
  })

  test('create puts a new key there', async () => {
    const args = [
      'create',
      'App',
      '--type',
      'live',
      '--to',
      'github:acme/app#NEW',
      '--create-target',
      '--json',
    ]
    const ran = await account.run(args, { env: env() })
    expect(ran, ran.stderr).toMatchObject({ exit: 0 })
    const secret = server.secretsOf('repos/acme/app').get('NEW')?.value ?? ''
    expect(secret).toMatch(/^pk_live_/)
    expect(ran.stdout + ran.stderr).not.toContain(secret)
  })
})

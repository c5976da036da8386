import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openAccount, type Account } from '../account.ts'
import { createHostileApi, type HostileApi } from '../hostile.ts'
import { azure, github, gitlab, type Runner } from './runners.ts'

// What an API may answer so that the CI whose log it ends up in does something.
const forged = [
  '::set-env name=owned::x',
  '  ::add-path::/owned',
  '\n::stop-commands::owned',
  '\r\n::add-mask::owned',
  '##[set-env name=owned]x',
  'a ##[add-path]owned',
  '##vso[task.setvariable variable=owned]x',
  'a ##VSO[task.prependpath]/owned',
  '\u001b[0Ksection_start:1:owned\r\u001b[0Kx',
  '###[set-output name=owned]x',
  '#\u200b#vso[task.complete result=Succeeded;]owned',
  '\u2028::set-output name=owned::x\u0085::set-output name=owned::x',
]
/** A successor of a key whose name and id are no better. */
const marked = '##vso[task.complete]owned (rotating ::stop-commands::owned #7f3a9c-none-0)'
const key = (text: string) => ({
  id: text,
  name: text === marked ? text : `${text} name`,
  type: 'live',
  status: 'active',
  createdAt: '2026-01-01T00:00:00Z',
  lastUsedAt: null,
})
const one = { page: 1, limit: 100, total: forged.length + 1, totalPages: 1, hasNext: false, hasPrev: false }
const list = { status: 200, body: JSON.stringify({ apiKeys: [...forged, marked].map(key), pagination: one }) }
const refusal = (text: string) => ({
  status: 400,
  headers: { 'content-type': 'application/problem+json' },
  body: JSON.stringify({ type: 'about:blank', title: text, status: 400, detail: text, code: text }),
})

/** What the program says on purpose; none of it is ever about what was forged. */
const own: Record<string, string[]> = {
  github: ['add-mask', 'error', 'warning', 'group', 'endgroup'],
  azure: ['task.setsecret', 'task.logissue', 'task.setvariable', 'group', 'endgroup'],
  gitlab: ['section_start', 'section_end'],
}
const cis: [name: string, runner: Runner, env: Record<string, string>][] = [
  ['github', github, { GITHUB_ACTIONS: 'true', CI: 'true' }],
  ['azure', azure, { TF_BUILD: 'True' }],
  ['gitlab', gitlab, { GITLAB_CI: 'true', CI: 'true' }],
]

describe.each(cis)('%s takes nothing from outside for a command', (name, runner, env) => {
  let account: Account
  let api: HostileApi
  beforeAll(async () => {
    account = await openAccount()
    api = await createHostileApi(account.sandbox.url)
    account.home.env['PICTIFY_API_URL'] = api.url
  })
  afterAll(async () => {
    await api.close()
    await account.end()
  })

  async function commandsOf(line: readonly string[]) {
    const { stdout, stderr } = await account.run(line, { env })
    expect((stdout + stderr).length).toBeGreaterThan(10)
    return [stdout, stderr].map((text) => runner(text).commands)
  }
  function expectOwn([stdout, stderr]: Awaited<ReturnType<typeof commandsOf>>) {
    expect(stdout).toEqual([])
    for (const command of stderr ?? []) {
      expect(own[name]).toContain(command.name)
      expect(JSON.stringify(command.properties)).not.toContain('owned')
      if (!['error', 'warning', 'task.logissue'].includes(command.name))
        expect(command.data).not.toContain('owned')
    }
  }

  test.each([
    [['list']],
    [['list', '--json']],
    [['list', '--format', 'csv']],
    [['list', '--format', 'id']],
    [['list', '--format', 'ndjson', '--debug']],
    [['status']],
    [['rotations', '--account']],
    [['revoke', ...forged.slice(0, 2), '--yes']],
  ])('in %j', async (line) => {
    api.answer = list
    expectOwn(await commandsOf(line))
  })

  test.each([['\n'], [' ']])('in a refusal that says all of it, between them %j', async (between) => {
    api.answer = refusal(forged.join(between))
    expectOwn(await commandsOf(['show', 'key_a', '--debug']))
    expectOwn(await commandsOf(['show', 'key_a', '--json']))
  })
})

test.each(cis)('%s would have taken all of that for commands', (name, runner) => {
  const taken = runner(forged.join('\n')).commands.filter((command) =>
    JSON.stringify(command).includes('owned'),
  )
  expect(taken.length).toBeGreaterThanOrEqual({ github: 7, azure: 2, gitlab: 1 }[name] ?? Infinity)
})

describe('what a step prints for itself is text', () => {
  test.each(cis)('%s', async (_, runner, env) => {
    const account = await openAccount()
    const { id } = account.sandbox.dashboard.create({ name: 'A', createdAt: 0 })
    const verify = `printf '::set-env name=owned::x\\n##vso[task.setvariable variable=owned]x\\n'; exit 1`
    const waits = ['--settle', '100ms', '--idle', '0s', '--usage-lag', '0s']
    const line = ['rotate', id, '--to', 'file:key', '--verify', verify, ...waits]
    const { stdout, stderr, exit } = await account.run(line, { env })
    await account.end()
    expect(exit, stderr).toBe(6)
    const said = runner(stderr).commands
    for (const text of [...runner(stdout).commands, ...said]) {
      expect(JSON.stringify(text.properties)).not.toContain('owned')
    }
    // it is still there to be read
    expect(stderr).toContain('name=owned')
  })
})

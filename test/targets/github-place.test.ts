import { describe, expect, test } from 'vitest'
import { gitHubAccount, tokenOf } from '../../src/targets/github-account.ts'
import { findSamePlace, parseTarget } from '../../src/targets/index.ts'
import { failure } from './contract-fixture.ts'
import { testDeps } from './deps.ts'

const parse = (spec: string, env = {}) => parseTarget(spec, testDeps('/', { env }))

describe('a place', () => {
  test.each([
    ['github:acme/app#KEY', 'github:github.com/acme/app#KEY'],
    ['github:Acme/App#key', 'github:github.com/acme/app#KEY'],
    ['github:acme/app/eu/live #1#KEY', 'github:github.com/acme/app/eu/live #1#KEY'],
    ['github:a_corp/.github#_K1', 'github:github.com/a_corp/.github#_K1'],
    ['github-org:Acme#KEY', 'github-org:github.com/acme#KEY'],
  ])('%s', (spec, place) => {
    expect(parse(spec)).toMatchObject({ name: spec, place, readback: 'none' })
  })

  test.each([
    'github:#KEY',
    'github:acme/app',
    'github:acme/app#',
    'github:acme#KEY',
    'github:acme/#KEY',
    'github:acme/app/#KEY',
    'github:acme/app/..#KEY',
    'github:acme/app/.#KEY',
    'github:acme/..#KEY',
    'github:../app#KEY',
    'github:acme/app.git#KEY',
    'github:https://github.com/acme/app#KEY',
    'github:acme/app#1KEY',
    'github:acme/app#MY-KEY',
    'github:acme/app#GITHUB_KEY',
    'github:acme/app#github_key',
    'github-org:acme/app#KEY',
    'github-org:acme',
    'github-org:a..b#KEY',
  ])('%s is none', async (spec) => {
    expect((await failure(Promise.resolve().then(() => parse(spec)))).code).toBe('invalid-target')
  })

  test('is one however it is spelt, and another on another host', async () => {
    const one = parse('github:acme/app#KEY')
    expect(await findSamePlace([one, parse('github:ACME/App#key')])).toBeDefined()
    expect(
      await findSamePlace([one, parse('github:acme/app#KEY', { GH_HOST: 'ghe.acme.com' })]),
    ).toBeUndefined()
    expect(
      await findSamePlace([one, parse('github:acme/app/KEY#KEY'), parse('github-org:acme#KEY')]),
    ).toBeUndefined()
  })
})

describe('whom it speaks to', () => {
  const cloud = { GH_TOKEN: 'first', GITHUB_TOKEN: 'second' }
  const enterprise = { GH_ENTERPRISE_TOKEN: 'third', GITHUB_ENTERPRISE_TOKEN: 'fourth' }
  const both = { ...cloud, ...enterprise }
  const dotcom = { host: 'github.com', apiUrl: 'https://api.github.com' }
  const server = { host: 'git.acme.com:8443', apiUrl: 'https://git.acme.com:8443/api/v3' }
  test.each([
    [both, { ...dotcom, variable: 'GH_TOKEN', token: 'first' }],
    [
      { ...both, GH_TOKEN: '' },
      { ...dotcom, variable: 'GITHUB_TOKEN', token: 'second' },
    ],
    [
      { ...cloud, GH_TOKEN: ' first\n' },
      { ...dotcom, token: 'first' },
    ],
    [enterprise, { ...dotcom, variable: 'GH_TOKEN', token: undefined }],
    [
      { ...both, GH_HOST: 'GitHub.com' },
      { ...dotcom, token: 'first' },
    ],
    [
      { ...both, GH_HOST: 'api.github.com' },
      { ...dotcom, token: 'first' },
    ],
    [
      { ...both, GH_HOST: 'git.acme.com:8443' },
      { ...server, variable: 'GH_ENTERPRISE_TOKEN', token: 'third' },
    ],
    [
      { ...both, GH_HOST: 'git.acme.com:8443', GH_ENTERPRISE_TOKEN: undefined },
      { ...server, variable: 'GITHUB_ENTERPRISE_TOKEN', token: 'fourth' },
    ],
    [
      { ...both, GITHUB_API_URL: 'https://git.acme.com:8443/api/v3/' },
      { ...server, token: 'third' },
    ],
    [
      { ...both, GITHUB_API_URL: 'https://api.github.com' },
      { ...dotcom, token: 'first' },
    ],
    [
      { ...both, GITHUB_API_URL: 'https://git.acme.com/api/v3', GH_HOST: 'github.com' },
      { ...dotcom, token: 'first' },
    ],
    [
      { ...both, GH_HOST: 'acme.ghe.com' },
      { host: 'acme.ghe.com', apiUrl: 'https://api.acme.ghe.com', token: 'first' },
    ],
    [
      { ...both, GITHUB_API_URL: 'https://api.acme.ghe.com' },
      { host: 'acme.ghe.com', apiUrl: 'https://api.acme.ghe.com', token: 'first' },
    ],
    [
      { ...both, GH_HOST: 'evil-ghe.com' },
      { apiUrl: 'https://evil-ghe.com/api/v3', token: 'third' },
    ],
    [
      { ...both, GH_HOST: 'github.com.evil.io' },
      { apiUrl: 'https://github.com.evil.io/api/v3', token: 'third' },
    ],
  ])('%o', (env, account) => {
    expect(gitHubAccount('github:a/b#C', env)).toMatchObject(account)
  })

  test.each([
    { GH_HOST: 'https://git.acme.com' },
    { GH_HOST: 'git.acme.com/x' },
    { GH_HOST: 'user@git.acme.com' },
    { GITHUB_API_URL: 'http://git.acme.com/api/v3' },
    { GITHUB_API_URL: 'https://user:pass@git.acme.com/api/v3' },
    { GITHUB_API_URL: 'git.acme.com' },
  ])('%o is refused', async (env) => {
    const error = await failure(Promise.resolve().then(() => parse('github:acme/app#KEY', env)))
    expect(error.code).toBe('invalid-target')
  })

  test('no token: says which variable, and that another is for another host', async () => {
    const error = await failure(parse('github:acme/app#KEY', { GH_HOST: 'git.acme.com', ...cloud }).check())
    expect(error).toMatchObject({
      code: 'target-refused',
      message:
        'github:acme/app#KEY: there is no token for git.acme.com (GH_TOKEN is for other hosts and is not sent there)',
      hint: 'set GH_ENTERPRISE_TOKEN; where gh is signed in, export GH_ENTERPRISE_TOKEN="$(gh auth token --hostname git.acme.com)" does',
    })
  })

  test('what can be no token is not sent', async () => {
    const env = { GH_TOKEN: 'two\nlines' }
    const account = gitHubAccount('github:a/b#C', env)
    const error = await failure(Promise.resolve().then(() => tokenOf('github:a/b#C', account, env)))
    expect(error).toMatchObject({
      code: 'target-refused',
      message: 'github:a/b#C: what GH_TOKEN holds is no token',
    })
  })
})

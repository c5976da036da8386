// What GitHub answers, and what is made of it.
import { describe, expect, test } from 'vitest'
import { failure, hurried, old, successor } from './contract-fixture.ts'
import {
  classic,
  held,
  organization,
  puts,
  repo,
  server,
  target,
  useGitHub,
  warned,
} from './github-fixture.ts'

useGitHub()

test('says which version of the API it speaks, and who it is; the token is in no path', async () => {
  await target(repo).check()
  // the server has held the headers against the description
  expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'GET /repos/acme/app',
    'GET /repos/acme/app/actions/secrets/public-key',
    'GET /repos/acme/app/actions/secrets/KEY',
  ])
})

describe('a public key that turned', () => {
  test('between our look and our write: sealed anew, for the new one', async () => {
    server.beforeNext('PUT', () => server.turnKeys())
    await target(repo).write(successor, undefined)
    expect(held(repo)?.value).toBe(successor.reveal())
    const [first, second] = puts().map(({ body }) => (JSON.parse(body) as { key_id: string }).key_id)
    expect(puts()).toHaveLength(2)
    expect(first).not.toBe(second)
  })

  test('again and again is refused, and nothing was put there', async () => {
    const turn = () => {
      server.turnKeys()
      server.beforeNext('PUT', turn)
    }
    turn()
    const error = await failure(target(repo).write(successor, undefined))
    server.beforeNext('NONE', () => {})
    expect(error).toMatchObject({ code: 'target-refused' })
    expect(puts()).toHaveLength(2)
    expect(held(repo)?.value).toBe(old.reveal())
  })
})

describe('an answer that is a refusal', () => {
  test.each([
    [
      'github:acme/none#KEY',
      'there is no repository acme/none, or the token in GH_ENTERPRISE_TOKEN may not see it (404)',
    ],
    ['github:acme/app/none#KEY', 'there is no environment none of repository acme/app, or the token'],
    ['github-org:none#KEY', 'there is no organization none, or the token'],
    ['github:acme/app#NONE', 'there is no secret NONE in repository acme/app'],
  ])('%s: %s', async (spec, message) => {
    const error = await failure(target(spec).check())
    expect(error.code).toBe('target-refused')
    expect(error.message).toContain(message)
  })

  test('an archived repository', async () => {
    server.addRepository('acme/app').archived = true
    expect((await failure(target(repo).check())).message).toMatch(/: repository acme\/app is archived$/)
    const error = await failure(target(repo).write(successor, undefined))
    expect(error).toMatchObject({ code: 'target-refused' })
    expect(error.message).toContain('Repository was archived so is read-only.')
  })

  test('single sign-on: where to authorize the token', async () => {
    const url = 'https://github.com/orgs/acme/sso?authorization_request=AZSC'
    server.answerNext(
      server.refuse(403, 'Resource protected by organization SAML enforcement.', {
        'x-github-sso': `required; url=${url}`,
      }),
    )
    expect(await failure(target(repo).check())).toMatchObject({
      code: 'target-refused',
      hint: `authorize it within the hour at ${url}`,
    })
  })

  test('a renamed repository: its name by now', async () => {
    server.addRepository('acme/before')
    server.renameRepository('acme/before', 'acme/after')
    const error = await failure(target('github:acme/before#KEY').check())
    expect(error).toMatchObject({ code: 'target-refused', hint: 'name it so: --to github:acme/after…' })
    expect(error.message).toMatch(/: repository acme\/before is called acme\/after by now$/)
  })

  test('a move to another host is not followed', async () => {
    const location = 'https://elsewhere.example/repositories/1'
    const body = { message: 'Moved Permanently', url: location, documentation_url: '' }
    server.answerNext({ status: 301, headers: { location }, body })
    const error = await failure(target(repo).check())
    expect(error.message).toMatch(/: repository acme\/app has moved$/)
    expect(server.requests).toHaveLength(1)
  })

  test('what it repeats of a secret is masked', async () => {
    const refusal = server.refuse(403, `no ${old.reveal()}`)
    server.answerNext(refusal)
    const error = await failure(target(repo, classic, { secrets: () => [old] }).check())
    expect(error.message).toContain('no [secret]')
  })

  test.each([[[]], [{ message: 'welcome' }]])('what is not GitHub at all: %j', async (body) => {
    server.answerNext({ status: 200, body }, { status: 200, body }, { status: 200, body })
    const error = await failure(target(repo).check())
    // nor is it as GitHub describes it
    expect(server.violations.splice(0)).not.toEqual([])
    server.answerNext()
    expect(error).toMatchObject({ code: 'target-failed' })
    expect(error.message).toMatch(/: what answers at localhost:\d+ is not GitHub's API$/)
  })
})

describe('a 404 is as well what GitHub says to a token that may no longer see the place', () => {
  const hide = () => server.answerNext(server.refuse(404, 'Not Found'), server.refuse(404, 'Not Found'))
  const message =
    /cannot be seen: there is no repository acme\/app, or the token in .* may not see it \(404\)$/

  test('undoing: it is not taken for gone, whether or not the old key is known', async () => {
    for (const before of [{ value: old }, undefined]) {
      const one = target(repo)
      await one.check()
      await one.write(successor, undefined)
      hide()
      const error = await failure(one.restore(before, successor))
      expect(error).toMatchObject({
        code: 'target-failed',
        hint: expect.stringContaining('the token') as string,
      })
      expect(error.message).toMatch(message)
      expect(held(repo)?.value).toBe(successor.reveal())
    }
  })

  test('writing: it is not taken for gone, nor made anew', async () => {
    for (const createTarget of [true, false]) {
      const one = target(repo, classic, { createTarget })
      await one.check()
      hide()
      const error = await failure(one.write(successor, undefined))
      expect(error).toMatchObject({ code: 'target-failed' })
      expect(error.message).toMatch(message)
    }
    expect(puts()).toEqual([])
  })

  test('undoing: what is really gone is gone', async () => {
    const one = target(repo)
    await one.check()
    await one.write(successor, undefined)
    server.change('repos/acme/app', 'KEY', undefined)
    expect((await failure(one.restore({ value: old }, successor))).code).toBe('target-changed')
    await one.restore(undefined, successor)
  })

  test('deleting what the run has made: it is looked at once more', async () => {
    server.change('repos/acme/app', 'KEY', undefined)
    const one = target(repo, classic, { createTarget: true })
    await one.check()
    await one.write(successor, undefined)
    server.beforeNext('DELETE', () => server.answerNext(server.refuse(404, 'Not Found')))
    expect((await failure(one.restore(undefined, successor))).message).toContain(
      'shows it all the same (404)',
    )
    await one.restore(undefined, successor)
    expect(held(repo)).toBeUndefined()
  })
})

describe('a rate limit', () => {
  const limited = (headers: Record<string, string>, status = 403) =>
    server.refuse(status, 'API rate limit exceeded for user ID 1.', headers)

  test.each([
    [
      'the hour is not over',
      () => ({
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': String(Math.ceil(Date.now() / 1_000) + 1_800),
      }),
    ],
    ['a secondary limit', () => ({ 'retry-after': '60' })],
    ['one that says nothing', () => ({})],
  ])('that is long is not waited for: says until when (%s)', async (_what, headers) => {
    server.answerNext(limited(headers()))
    const error = await failure(target(repo).check())
    expect(error).toMatchObject({ code: 'target-failed', hint: 'run the same command again then' })
    expect(error.message).toMatch(
      /takes no more requests of this token until \d{4}-\d\d-\d\dT[\d:]+Z \(403\)$/,
    )
    expect(server.requests).toHaveLength(1)
  })

  test('that is short is waited for, as long as it says', async () => {
    const slept: number[] = []
    const sleep = (ms: number, signal?: AbortSignal) => {
      if (ms < 30_000) slept.push(ms)
      return hurried.sleep(ms < 30_000 ? 0 : ms, signal)
    }
    server.answerNext(limited({ 'retry-after': '3' }), limited({ 'retry-after': '4' }, 429))
    await target(repo, classic, { clock: { ...hurried, sleep } }).write(successor, undefined)
    expect(slept).toEqual([3_000, 4_000])
    expect(held(repo)?.value).toBe(successor.reveal())
  })
})

test('an answer that was lost, and then a refusal: it may have been done', async () => {
  server.loseAnswers(1)
  const refused = server.fail('forbidden', () => puts().length > 1)
  const error = await failure(target(repo, classic, { clock: hurried }).write(successor, undefined))
  refused()
  expect(error.code).toBe('target-unclear')
  expect(held(repo)?.value).toBe(successor.reveal())
})

describe('an organization’s secret', () => {
  const change = (more: object) => server.change('orgs/acme', 'KEY', old.reveal(), more)
  const many = Array.from({ length: 130 }, (_, i) => i + 1)

  test.each([
    ['all', []],
    ['private', []],
    ['selected', [7, 8]],
    ['selected', many],
  ])('stays for whom it is: %s', async (visibility, repositories) => {
    change({ visibility, repositories })
    const one = target(organization)
    await one.check()
    await one.write(successor, undefined)
    expect(held(organization)).toMatchObject({ value: successor.reveal(), visibility, repositories })
    await one.restore({ value: old }, successor)
    expect(held(organization)).toMatchObject({ value: old.reveal(), visibility, repositories })
  })

  test('is left alone where not all who may use it can be seen', async () => {
    change({ visibility: 'selected', repositories: [7, 8, 9] })
    const grant = { ...classic, sees: [7, 9] }
    for (const call of [
      () => target(organization, grant).check(),
      () => target(organization, grant).write(successor, undefined),
    ]) {
      const error = await failure(call())
      expect(error).toMatchObject({ code: 'target-refused' })
      expect(error.message).toContain('1 of the repositories that it is for cannot be seen')
    }
    expect(held(organization)).toMatchObject({ value: old.reveal(), repositories: [7, 8, 9] })
  })

  test('that is made is for private repositories, and that is said', async () => {
    server.change('orgs/acme', 'KEY', undefined)
    const one = target(organization, classic, { createTarget: true })
    await one.check()
    expect(warned.join()).toContain('visibility private')
    await one.write(successor, undefined)
    expect(held(organization)).toMatchObject({ visibility: 'private' })
  })
})

import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import * as library from '../../src/library.ts'
import type { Secret } from '../../src/library.ts'
import { createClient, errorCodes, KeysError } from '../../src/library.ts'
import { errorExits } from '../../src/errors.ts'
import { useStage } from './stage.ts'

const stage = useStage()

const codeOf = (work: () => unknown) => {
  try {
    work()
    return 'nothing'
  } catch (error) {
    return error instanceof KeysError ? error.code : error
  }
}

test('what is exported is this and nothing else', () => {
  expect(Object.keys(library).sort()).toEqual([
    'KeysError',
    'RotationError',
    'Secret',
    'createClient',
    'errorCodes',
    'rotate',
  ])
  expect(errorCodes).toEqual(Object.keys(errorExits))
})

test('a client has what its type says and nothing else', () => {
  expect(Object.keys(stage.client).sort()).toEqual([
    ...['auditLogs', 'baseUrl', 'close', 'keys', 'plan', 'probe', 'rateLimit'],
  ])
  expect(Object.keys(stage.client.keys).sort()).toEqual([
    ...['create', 'delete', 'find', 'get', 'list', 'rename', 'revoke', 'usage'],
  ])
})

describe('the credential', () => {
  test.each<[string, (secret: Secret) => string | Secret]>([
    ['as text', (secret) => secret.reveal()],
    ['as a Secret', (secret) => secret],
  ])('%s', async (_, given) => {
    const client = createClient({ credential: given(stage.sandbox.adminKey), baseUrl: stage.sandbox.url })
    expect(await client.keys.get(stage.old.id)).toMatchObject({ name: 'Production Server' })
    await client.close()
  })

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['an empty text', ''],
    ['a key id', 'key_abc123'],
    ['quotes around it', '"pk_live_abc"'],
  ])('that is %s is refused', (_, credential) => {
    expect(codeOf(() => createClient({ credential: credential as string }))).toBe('invalid-secret')
  })

  test('that the API does not take shows in a call', async () => {
    const client = stage.clientWith({ credential: 'pk_live_nobodysKeyAtAll' })
    await expect(client.keys.get(stage.old.id)).rejects.toMatchObject({
      code: 'invalid-api-key',
      status: 401,
    })
    await client.close()
  })

  test('is nowhere in what a client shows of itself', () => {
    const shown = inspect(stage.client, { depth: Infinity, showHidden: true }) + JSON.stringify(stage.client)
    expect(shown).not.toContain(stage.sandbox.adminKey.reveal())
  })
})

test.each([
  ['api.pictify.io', 'invalid-url'],
  ['http://pictify.example', 'insecure-url'],
])('the base URL %s is refused', (baseUrl, code) => {
  expect(codeOf(() => createClient({ credential: 'pk_live_abcdefgh', baseUrl }))).toBe(code)
})

test('keys are created, found, renamed, revoked and deleted', async () => {
  const { keys } = stage.client
  let kept: Secret | undefined
  const { apiKey, secret } = await keys.create(
    { name: 'Worker', type: 'test' },
    { onSecret: (found) => void (kept = found) },
  )
  expect(apiKey).toMatchObject({ name: 'Worker', type: 'test', status: 'active' })
  expect(kept?.equals(secret)).toBe(true)
  expect(await stage.client.probe(secret)).toBe('accepted')
  const id = apiKey?.id ?? ''
  expect(await keys.find('Worker')).toMatchObject({ id })
  expect(await keys.rename(id, 'Worker 2')).toMatchObject({ name: 'Worker 2' })
  await expect(keys.delete(id)).rejects.toMatchObject({ code: 'api-key-active' })
  expect(await keys.revoke(id)).toMatchObject({ status: 'revoked' })
  await keys.delete(id)
  const names: string[] = []
  for await (const { name } of keys.list({ status: 'active' })) names.push(name)
  expect(names).toContain('Production Server')
  expect(names).not.toContain('Worker 2')
})

test('two creates are two keys; one idempotency key is one', async () => {
  const { keys } = stage.client
  const input = { name: 'Worker', type: 'test' } as const
  const once = await keys.create(input, { idempotencyKey: 'deploy-17' })
  expect((await keys.create(input, { idempotencyKey: 'deploy-17' })).apiKey?.id).toBe(once.apiKey?.id)
  expect((await keys.create(input)).apiKey?.id).not.toBe((await keys.create(input)).apiKey?.id)
})

test('usage, the audit log, the plan and the rate limit', async () => {
  expect(stage.client.rateLimit).toBeUndefined()
  expect(await stage.client.keys.usage(stage.old.id)).toMatchObject({ keyId: stage.old.id })
  expect(stage.client.rateLimit).toMatchObject({ limit: 300 })
  expect(stage.client.plan).toBe('pro')
  const events = []
  for await (const event of stage.client.auditLogs({ keyId: stage.old.id })) events.push(event)
  expect(events).toBeInstanceOf(Array)
})

test('an abort ends a call with its reason', async () => {
  const reason = new Error('enough')
  await expect(stage.client.keys.get(stage.old.id, { signal: AbortSignal.abort(reason) })).rejects.toBe(
    reason,
  )
})

test('waits are told before they begin', async () => {
  const waits: library.Wait[] = []
  const client = stage.clientWith({ retries: 1, onWait: (wait) => waits.push(wait) })
  stage.sandbox.addFault('status-503@1')
  await client.keys.get(stage.old.id)
  expect(waits).toEqual([expect.objectContaining({ reason: 'failure', ms: expect.any(Number) as number })])
  await client.close()
})

test('what a listener throws ends no call', async () => {
  const heard: string[] = []
  const listener = (what: string) => () => {
    heard.push(what)
    throw new Error('listener')
  }
  const client = stage.clientWith({ retries: 1, onWait: listener('wait'), debug: listener('line') })
  stage.sandbox.addFault('status-503@1')
  expect(await client.keys.get(stage.old.id)).toMatchObject({ id: stage.old.id })
  expect(heard).toEqual(['line', 'line', 'wait', 'line'])
  await client.close()
})

test('a client that was closed opens anew', async () => {
  await stage.client.keys.get(stage.old.id)
  await stage.client.close()
  await stage.client.close()
  expect(await stage.client.keys.get(stage.old.id)).toMatchObject({ id: stage.old.id })
})

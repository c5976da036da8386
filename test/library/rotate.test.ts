import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { KeysError } from '../../src/library.ts'
import { rotate, RotationError, type RotateOptions, type Secret } from '../../src/library.ts'
import { failure, useStage } from './stage.ts'

const stage = useStage()

const run = (overrides?: Partial<RotateOptions>, key = 'Production Server') =>
  rotate(stage.client, key, stage.options(overrides))

test('a key is rotated: the target has the successor, the old key is revoked, the receipt says so', async () => {
  const receipt = await run()
  expect(receipt).toMatchObject({
    state: 'done',
    apiUrl: stage.sandbox.url,
    oldKey: { id: stage.old.id, name: 'Production Server' },
    targets: [{ name: 'env:.env', state: 'delivered' }],
    evidence: { waived: false, oldKeyIdle: true },
    failure: null,
  })
  expect(stage.key(stage.old.id)?.status).toBe('revoked')
  expect(stage.key(receipt.newKey?.id)?.secret.reveal()).toBe(await stage.held())
  expect(stage.events.map(({ event }) => event)).toEqual(
    expect.arrayContaining(['rotation', 'step', 'state', 'probe', 'target', 'evidence']),
  )
  expect(JSON.stringify([receipt, stage.events])).not.toContain(await stage.held())
})

test('the same call again finds it done', async () => {
  const first = await run({}, stage.old.id)
  const keys = stage.sandbox.keys().length
  expect(await run({}, stage.old.id)).toEqual(first)
  expect(stage.sandbox.keys()).toHaveLength(keys)
})

describe('refused while nothing is changed', () => {
  test.each<[string, Partial<RotateOptions>, string]>([
    ['no target', { targets: [] }, 'usage'],
    ['a target of no kind', { targets: ['nowhere:x'] }, 'invalid-target'],
    ['one place twice', { targets: ['env:.env', 'env:./.env'] }, 'usage'],
    ['manual:, which nobody can be asked about', { targets: ['manual:the wiki'] }, 'needs-answer'],
    ['a wait that is negative', { idleMs: -1 }, 'usage'],
    ['a wait that is no number', { waitMs: Number.NaN }, 'usage'],
    ['no probe', { probes: 0 }, 'usage'],
    ['revoke-first with self', { compromised: 'revoke-first', self: true }, 'usage'],
    ['an overlap of a leaked key', { compromised: 'no-overlap', overlapMs: 1_000 }, 'usage'],
    ['a verify command that is not there', { verify: './no-such-program' }, 'usage'],
    ['an old secret that is none', { oldSecret: 'key_abc' }, 'invalid-secret'],
  ])('%s', async (_, overrides, code) => {
    const error = await failure(run(overrides))
    expect(error).toMatchObject({ code, hint: expect.any(String) as string })
    expect(error).not.toBeInstanceOf(RotationError)
    expect(stage.key(stage.old.id)?.status).toBe('active')
    expect(stage.sandbox.keys()).toHaveLength(2)
  })

  test('a key that there is not', async () => {
    expect(await failure(run({}, 'Nobody'))).toMatchObject({ code: 'api-key-not-found' })
    expect(await failure(run({}, ''))).toMatchObject({ code: 'usage' })
  })

  test('a client that createClient() did not make', async () => {
    const copy = { ...stage.client }
    expect(await failure(rotate(copy, 'Production Server', stage.options()))).toMatchObject({ code: 'usage' })
  })
})

describe('verify', () => {
  test('is a function that gets the successor', async () => {
    const seen: (string | undefined)[] = []
    await run({ verify: async (secret: Secret) => void seen.push(await stage.client.probe(secret)) })
    expect(seen).toEqual(['accepted'])
  })

  test('that throws undoes it, and no secret is in the error', async () => {
    const error = await failure(
      run({
        verify: (secret) => {
          throw new Error(`no luck with ${secret.reveal()}`)
        },
      }),
    )
    expect(error).toBeInstanceOf(RotationError)
    expect(error).toMatchObject({ code: 'rotation-undone', exit: 6, receipt: { state: 'aborted' } })
    expect(error.message).toContain('the verify function failed: no luck with [secret]')
    expect(inspect(error)).not.toMatch(/pk_live_\w/)
    expect(await stage.held()).toBe(stage.old.secret.reveal())
    expect(stage.key(stage.old.id)?.status).toBe('active')
  })

  test('that does not end is ended, and told so', async () => {
    let told = false
    const error = await failure(
      run({
        verifyTimeoutMs: 50,
        verify: (_, signal) =>
          new Promise(() => signal.addEventListener('abort', () => (told = true), { once: true })),
      }),
    )
    expect(error).toMatchObject({ code: 'rotation-undone' })
    expect(error.message).toContain('took longer than 50ms')
    expect(told).toBe(true)
  })

  test('is a command that finds the secret in its environment, its output masked', async () => {
    const client = stage.clientWith({
      env: { PATH: process.env['PATH'], PICTIFY_ADMIN_KEY: 'pk_live_admin' },
    })
    const verify = 'echo "$PICTIFY_API_KEY ${PICTIFY_ADMIN_KEY-none} $PICTIFY_API_URL"'
    await rotate(client, 'Production Server', stage.options({ verify }))
    expect(stage.events).toContainEqual({
      event: 'verify-output',
      line: `[secret] none ${stage.sandbox.url}`,
    })
    await client.close()
  })
})

describe('interrupted', () => {
  test('by its signal, it stops, and the same call goes on', async () => {
    const stop = new AbortController()
    const overlapMs = 3_000
    const onEvent: RotateOptions['onEvent'] = ({ event }) => event === 'evidence' && stop.abort()
    const error = await failure(run({ overlapMs, onEvent, signal: stop.signal }))
    expect(error).toMatchObject({ code: 'interrupted', receipt: { state: 'overlapping' } })
    expect(stage.key(stage.old.id)?.status).toBe('active')
    const receipt = await run({ overlapMs: 0 })
    expect(receipt).toMatchObject({ state: 'done', id: (error as RotationError).receipt.id })
    expect(stage.events).toContainEqual(expect.objectContaining({ event: 'resumed', state: 'overlapping' }))
  })

  test('before it began, nothing happened', async () => {
    expect(await failure(run({ signal: AbortSignal.abort() }))).toMatchObject({ code: 'interrupted' })
    expect(stage.sandbox.keys()).toHaveLength(2)
  })

  test('by undo, it is undone', async () => {
    const undo = new AbortController()
    const onEvent: RotateOptions['onEvent'] = ({ event }) => event === 'evidence' && undo.abort()
    const error = await failure(run({ overlapMs: 60_000, onEvent, undo: undo.signal }))
    expect(error).toMatchObject({ code: 'interrupted', receipt: { state: 'aborted' } })
    expect(await stage.held()).toBe(stage.old.secret.reveal())
    expect(stage.sandbox.keys()).toHaveLength(2)
  })
})

test('evidence that does not come in time ends with rotation-waiting; later it goes on', async () => {
  const error = await failure(run({ overlapMs: 1_000, waitMs: 0 }))
  expect(error).toMatchObject({ code: 'rotation-waiting', exit: 5, receipt: { state: 'overlapping' } })
  expect(await run({ overlapMs: 0 })).toMatchObject({ state: 'done' })
})

test('of two calls for one key in one process, one goes on', async () => {
  const [one, other] = await Promise.allSettled([run({}, stage.old.id), run({}, stage.old.id)])
  const results = [one, other].map((each) =>
    each.status === 'fulfilled' ? each.value.state : (each.reason as KeysError).code,
  )
  expect(results.sort()).toEqual(['done', 'rotation-locked'])
})

test('what a listener throws stops nothing, and is thrown at the end', async () => {
  const thrown = new Error('listener')
  const onEvent = () => {
    throw thrown
  }
  await expect(run({ onEvent })).rejects.toBe(thrown)
  expect(stage.key(stage.old.id)?.status).toBe('revoked')
  expect(await run({}, stage.old.id)).toMatchObject({ state: 'done' })
})

test('what a listener throws does not hide how a rotation failed', async () => {
  const thrown = new Error('listener')
  const onEvent = () => {
    throw thrown
  }
  const verify = () => Promise.reject(new Error('no luck'))
  const error = await failure(run({ onEvent, verify }))
  expect(error).toMatchObject({ code: 'rotation-undone', receipt: { state: 'aborted' } })
  expect(error).toHaveProperty('thrownByOnEvent', thrown)
})

test("what a client's listeners throw does not keep a lost create from being asked for again", async () => {
  const throwing = () => {
    throw new Error('listener')
  }
  const client = stage.clientWith({ retries: 1, onWait: throwing, debug: throwing })
  stage.sandbox.addFault('lose-answer:POST /api-keys@1')
  const receipt = await rotate(client, stage.old.id, stage.options())
  expect(receipt).toMatchObject({ state: 'done' })
  const active = stage.sandbox.keys().filter(({ status }) => status === 'active')
  expect(active.map(({ id }) => id)).toContain(receipt.newKey?.id)
  expect(active).toHaveLength(2)
  await client.close()
})

test('a leaked key is revoked without an overlap', async () => {
  expect(await run({ compromised: 'no-overlap', idleMs: 600_000 })).toMatchObject({
    state: 'done',
    compromised: true,
    evidence: { waived: true },
  })
})

test('the old key is deleted where that is asked for', async () => {
  await run({ deleteOld: true })
  expect(stage.key(stage.old.id)).toBeUndefined()
})

import { readFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rotate } from '../../src/rotation/rotate.ts'
import type { Fetch } from '../../src/http.ts'
import { createOthersSuccessor } from './machines.ts'
import { realFetch, setStage, type Stage } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage()
})
afterEach(() => stage.end())

const isCreate = (url: string, method: string) => method === 'POST' && url.endsWith('/api-keys')

/** A client whose creates are answered by something else. */
const creating = (answer: Fetch) =>
  stage.client(undefined, (url, init) =>
    isCreate(url, init.method) ? answer(url, init) : realFetch(url, init),
  )

/** A server that forgets to show the secret. */
const withoutSecret: Fetch = async (url, init) => {
  const answer = await realFetch(url, init)
  const { apiKey } = JSON.parse(await answer.text()) as { apiKey: Record<string, unknown> }
  delete apiKey['secret']
  return Response.json({ apiKey }, { status: answer.status })
}

/** Somebody's refusal of a create, as a problem document. */
const refusal = (status: number, slug: string) =>
  Response.json({ type: `https://pictify.io/errors/${slug}`, title: slug, status }, { status })

/** The Pro plan's live keys but `room`, ours and the admin's among them. */
function fillPlan(room: number): void {
  for (let n = 1; n <= 8 - room; n++) stage.sandbox.dashboard.create({ name: `other ${n}`, type: 'live' })
}

async function expectAsItWas(): Promise<void> {
  expect(stage.ordinary().map(({ id, status }) => ({ id, status }))).toEqual([
    { id: stage.old.id, status: 'active' },
  ])
  expect(await readFile(stage.envFile, 'utf8')).toBe(stage.envBefore)
}

describe('a create that is refused', () => {
  it('says why by its exit, when it was the first, and is not asked for again', async () => {
    stage.sandbox.addFault('refuse:POST /api-keys$')
    const began = stage.clock.now()
    const { error, receipt } = await rotate(stage.services(), stage.old.id, stage.options())
    expect(error, error?.message).toMatchObject({ code: 'invalid-api-key', exit: 4 })
    expect(receipt.state).toBe('aborted')
    // No list was waited for: a refusal says that there is no key.
    expect(stage.clock.now() - began).toBeLessThan(30_000)
    await expectAsItWas()
  })

  it('for the plan, which the lost one of the same create has filled, is repeated without that', async () => {
    fillPlan(1)
    for (const fault of ['lose-answer:POST /api-keys$@1', 'ignore-idempotency']) stage.sandbox.addFault(fault)
    const { error, receipt } = await rotate(stage.services(), stage.old.id, stage.options())
    expect(error, error?.message).toBeUndefined()
    const left = stage.ordinary().filter(({ name }) => !name.startsWith('other'))
    expect(left.map(({ id, name }) => ({ id, name }))).toEqual([
      { id: receipt.newKey?.id, name: 'Production Server' },
      { id: stage.old.id, name: 'Production Server' },
    ])
    expect(await stage.held()).toBe(stage.key(receipt.newKey?.id)?.secret.reveal())
  })

  it('for the plan, which others have filled meanwhile, ends with 9', async () => {
    fillPlan(1)
    stage.sandbox.addFault('cut:POST /api-keys$@1')
    const services = stage.services({
      report: (event) => {
        if (event.event === 'step' && event.step === 'mint') fillPlan(7)
      },
    })
    const { error, receipt } = await rotate(services, stage.old.id, stage.options())
    expect(error, error?.message).toMatchObject({ exit: 9 })
    expect(receipt.state).toBe('aborted')
    expect(stage.ordinary().filter(({ name }) => name.includes('rotating'))).toEqual([])
  })

  it.each([
    [422, 'idempotency-key-reused'],
    [400, 'validation-error'],
  ])('with %d %s, after an answer that was lost, leaves no key', async (status, slug) => {
    let creates = 0
    const api = creating(async (url, init) => {
      if (++creates === 2) return refusal(status, slug)
      const answer = await realFetch(url, init)
      if (creates > 1) return answer
      throw Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNRESET' } })
    })
    const { error, receipt } = await rotate(stage.services({ api }), stage.old.id, stage.options())
    const isRepeated = slug === 'idempotency-key-reused'
    expect(error?.exit, error?.message).toBe(isRepeated ? undefined : 6)
    expect(receipt.state).toBe(isRepeated ? 'done' : 'aborted')
    expect(stage.ordinary()).toHaveLength(isRepeated ? 2 : 1)
    expect(stage.active()).toHaveLength(1)
  })
})

describe('a create that is answered', () => {
  it.each([
    ['at once', '0s'],
    ['late', '30s'],
  ])('without a secret leaves no key, be it listed %s', async (_when, lag) => {
    stage.sandbox.addFault(`lag-list=${lag}`)
    const services = stage.services({ api: creating(withoutSecret) })
    const { error } = await rotate(services, stage.old.id, stage.options())
    expect(error, error?.message).toMatchObject({ exit: 6 })
    await expectAsItWas()
  })

  it('without a secret does not cost another machine its successor', async () => {
    let rival = ''
    const api = creating(async (url, init) => {
      rival = createOthersSuccessor(stage, stage.clock.now() + 3_600_000).id
      return withoutSecret(url, init)
    })
    await rotate(stage.services({ api }), stage.old.id, stage.options())
    expect(stage.ordinary().map(({ id, status }) => ({ id, status }))).toEqual([
      { id: rival, status: 'active' },
      { id: stage.old.id, status: 'active' },
    ])
  })

  it('with a secret alone, when it was made twice, leaves neither', async () => {
    for (const fault of ['mystery-shape', 'lose-answer:POST /api-keys$@1', 'ignore-idempotency'])
      stage.sandbox.addFault(fault)
    const { error } = await rotate(stage.services(), stage.old.id, stage.options())
    expect(error, error?.message).toMatchObject({ exit: 6 })
    // Which of the two the secret belongs to is not known: it is given to nobody.
    expect(stage.events).not.toContainEqual(expect.objectContaining({ event: 'target' }))
    await expectAsItWas()
  })

  it('with a secret alone, and is not listed for long, is gone on with later', async () => {
    for (const fault of ['mystery-shape', 'lag-list=120s']) stage.sandbox.addFault(fault)
    const { error, receipt } = await rotate(stage.services(), stage.old.id, stage.options())
    expect(error, error?.message).toMatchObject({ exit: 7 })
    expect(receipt.state).toBe('planned')
    expect(await stage.held()).toBe(stage.old.secret.reveal())
    await stage.clock.sleep(120_000)
    const again = await rotate(stage.services(), stage.old.id, stage.options())
    expect(again.error, again.error?.message).toBeUndefined()
    expect(again.receipt.id).toBe(receipt.id)
    expect(stage.ordinary()).toHaveLength(2)
  })

  it('with a web page is not known to have made a key: the same line finds out', async () => {
    const mended = stage.sandbox.addFault('html:POST /api-keys$')
    const { error, receipt } = await rotate(stage.services(), stage.old.id, stage.options())
    expect(error, error?.message).toMatchObject({ exit: 7 })
    expect(receipt.state).toBe('planned')
    await expectAsItWas()
    mended()
    const again = await rotate(stage.services(), stage.old.id, stage.options())
    expect(again.error, again.error?.message).toBeUndefined()
  })
})

import { Webhook } from 'standardwebhooks'
import { afterEach, describe, expect, it } from 'vitest'
import {
  NotifierRefusal,
  type Letter,
  deliver,
  type Notifier,
  type Outcome,
} from '../../src/alerts/notifier.ts'
import { type PostDeps, readUrl } from '../../src/alerts/post.ts'
import { createSlack } from '../../src/alerts/slack.ts'
import { createWebhook, readSigningSecret } from '../../src/alerts/webhook.ts'
import { systemClock, type Clock } from '../../src/clock.ts'
import { certificate, closedPort, serveTls, transport, undo } from '../http-fixture.ts'
import { createReceiver, type Receiver, signingSecret, verified } from './receiver.ts'

let receiver: Receiver | undefined
afterEach(() => receiver?.close())
async function receive(...answers: Parameters<typeof createReceiver>) {
  return (receiver = await createReceiver(...answers))
}

const letter: Letter = {
  id: 'msg_abc',
  follows: undefined,
  at: Date.parse('2026-03-01T12:00:00Z'),
  subject: '[firing] busy',
  text: 'busy',
  html: '<p>busy</p>',
  data: { type: 'alert.firing', timestamp: '2026-03-01T12:00:00.000Z', data: { rule: 'büsy' } },
  slack: { text: 'busy', blocks: [] },
}

interface Setting {
  waits: number[]
  deps: PostDeps
}
/** Real connections; pauses are noted and take no time. */
async function setting(env: Record<string, string> = {}, caFile?: string): Promise<Setting> {
  const waits: number[] = []
  const clock: Clock = { now: () => systemClock.now(), sleep: async (ms) => void waits.push(ms) }
  const fetch = await transport(env, { caFile })
  return { waits, deps: { fetch, clock, random: () => 1, userAgent: 'pictify-keys/0.0.0', debug: () => {} } }
}
const never = new AbortController().signal
const secret = readSigningSecret('HOOK_SECRET', signingSecret)

async function send(url: string, { deps }: Setting, own: typeof secret | undefined = secret) {
  await createWebhook({ name: 'hook', url, secret: own }, deps).send(letter, never)
}

describe('a webhook', () => {
  it('is posted JSON that Standard Webhooks’ own library verifies', async () => {
    const { url, received } = await receive(204)
    await send(url, await setting())
    expect(received).toHaveLength(1)
    const [request] = received
    expect(request?.headers).toMatchObject({
      'content-type': 'application/json',
      'webhook-id': 'msg_abc',
      'user-agent': 'pictify-keys/0.0.0',
    })
    expect(verified(request ?? { headers: {}, body: '', path: '' })).toEqual(letter.data)
    const other = `whsec_${Buffer.alloc(32, 8).toString('base64')}`
    expect(() =>
      new Webhook(other).verify(request?.body ?? '', request?.headers as Record<string, string>),
    ).toThrow('No matching signature')
  })

  it('has an id and a time, and no signature, where no secret is set', async () => {
    const { url, received } = await receive(200)
    await createWebhook({ name: 'hook', url, secret: undefined }, (await setting()).deps).send(letter, never)
    expect(received[0]?.headers).toMatchObject({ 'webhook-id': 'msg_abc' })
    expect(received[0]?.headers['webhook-timestamp']).toMatch(/^\d{10}$/)
    expect(received[0]?.headers).not.toHaveProperty('webhook-signature')
  })

  it.each([
    ['503', [503, 500, 200] as const],
    ['429', [429, 408, 200] as const],
    ['a connection that breaks', ['cut', 'cut', 200] as const],
  ])('is tried again after %s, under the same id, after longer and longer pauses', async (_, answers) => {
    const { url, received } = await receive(...answers)
    const own = await setting()
    await send(url, own)
    expect(received.map(({ headers }) => headers['webhook-id'])).toEqual(['msg_abc', 'msg_abc', 'msg_abc'])
    for (const each of received) expect(verified(each)).toEqual(letter.data)
    expect(own.waits).toEqual([500, 1_000])
  })

  it('waits as long as it is asked to', async () => {
    const { url } = await receive({ status: 429, headers: { 'retry-after': '7' } }, 200)
    const own = await setting()
    await send(url, own)
    expect(own.waits).toEqual([7_000])
  })

  it('gives up after four times', async () => {
    const { url, received } = await receive(503)
    await expect(send(url, await setting())).rejects.toMatchObject({
      code: 'notifier-failed',
      message: expect.stringMatching(/^127\.0\.0\.1:\d+ answered 503, 4 times$/) as string,
    })
    expect(received).toHaveLength(4)
  })

  it.each([400, 401, 404, 410, 422])('is not tried again after %i', async (status) => {
    const { url, received } = await receive(status)
    await expect(send(url, await setting())).rejects.toBeInstanceOf(NotifierRefusal)
    expect(received).toHaveLength(1)
  })

  it('does not follow a redirect, and shows nothing of the URL but its host', async () => {
    const elsewhere = await createReceiver(200)
    undo.push(() => elsewhere.close())
    const { url } = await receive({ status: 307, headers: { location: elsewhere.url } })
    const error = await send(url, await setting()).catch((thrown: unknown) => thrown as Error)
    expect(error).toBeInstanceOf(NotifierRefusal)
    expect(String((error as Error).message)).not.toContain('path-that-is-secret')
    expect(elsewhere.received).toEqual([])
  })

  it('trusts the authority of --ca-file, as the API’s connections do', async () => {
    const port = await serveTls('localhost', (_, response) => response.end('{}'))
    const url = `https://localhost:${port}/`
    await expect(send(url, await setting())).rejects.toMatchObject({ code: 'tls-failed' })
    await send(url, await setting({}, certificate('ca')))
  })

  it('goes through HTTP_PROXY', async () => {
    const proxy = await receive(200)
    const { host } = new URL(proxy.url)
    await send('http://hooks.example/x', await setting({ HTTP_PROXY: `http://${host}` }))
    expect(proxy.received[0]?.path).toBe('http://hooks.example/x')
  })
})

it('Slack’s own word for what is wrong is told', async () => {
  const { url } = await receive({ status: 404, body: 'no_service' })
  const { deps } = await setting()
  await expect(createSlack({ name: 'team', url }, deps).send(letter, never)).rejects.toMatchObject({
    message: expect.stringMatching(/answered 404: no_service$/) as string,
  })
})

describe('notifiers side by side', () => {
  const notifier = (name: string, sending: Notifier['send']): Notifier => ({
    name,
    kind: 'webhook',
    send: sending,
    close: async () => {},
  })

  async function outcomes(notifiers: Notifier[], limitMs: number) {
    const told: [string, Outcome][] = []
    const postings = notifiers.map((each) => ({
      notifier: each,
      letters: [letter, { ...letter, id: 'msg_def' }],
    }))
    await deliver(postings, { clock: systemClock, limitMs, signal: never }, async ({ name }, _, outcome) => {
      told.push([name, outcome])
    })
    return told
  }

  it('one that stalls is left after its time, and holds up nobody', async () => {
    const { url, received } = await receive('stall')
    const { deps } = await setting()
    const stalled = createWebhook({ name: 'stalled', url, secret }, deps)
    let sent = 0
    const good = notifier('good', async () => void (sent += 1))
    const told = await outcomes([stalled, good], 300)
    expect(sent).toBe(2)
    expect(told.map(([name, { sentAt }]) => [name, sentAt !== null])).toEqual([
      ['good', true],
      ['good', true],
      ['stalled', false],
      ['stalled', false],
    ])
    expect(told.at(-1)?.[1].problem).toBe('it did not take the message within 300ms')
    // what is dead is not tried with every message
    expect(received).toHaveLength(1)
  })

  it('a message that is refused does not keep the next one back', async () => {
    const { url, received } = await receive(422, 200)
    const { deps } = await setting()
    const told = await outcomes([createWebhook({ name: 'hook', url, secret }, deps)], 10_000)
    expect(told.map(([, { sentAt }]) => sentAt !== null)).toEqual([false, true])
    expect(received).toHaveLength(2)
  })

  it('one that is not there says so', async () => {
    const url = `http://127.0.0.1:${await closedPort()}/`
    const { deps } = await setting()
    const [first] = await outcomes([createWebhook({ name: 'hook', url, secret }, deps)], 10_000)
    expect(first?.[1]).toMatchObject({ sentAt: null, problem: expect.stringContaining('refused') as string })
  })

  it('a bug in one is not taken for a dead notifier', async () => {
    const broken = notifier('broken', () => Promise.reject(new TypeError('oops')))
    await expect(outcomes([broken], 10_000)).rejects.toThrow('oops')
  })
})

describe('what the environment has', () => {
  it.each([
    ['https://hooks.slack.com/services/T0/B0/x', undefined],
    ['http://127.0.0.1:9/x', undefined],
    ['http://hooks.example/x', 'plain http'],
    ['ftp://hooks.example/x', 'is not a URL'],
    ['hooks.example', 'is not a URL'],
    ['https://user:pass@hooks.example/', 'has a user'],
  ])('%s', (text, problem) => {
    const read = () => readUrl('HOOK_URL', `${text}\n`, false)
    if (problem === undefined) expect(read()).toBe(text)
    else expect(read).toThrow(problem)
    if (problem !== undefined) expect(read).not.toThrow(text)
  })

  it.each(['whsec_', 'whsec_c2hvcnQ=', Buffer.alloc(32).toString('base64'), `whsec_${'A'.repeat(200)}`])(
    '%s is no signing secret',
    (text) =>
      expect(() => readSigningSecret('HOOK_SECRET', text)).toThrow('HOOK_SECRET is not a signing secret'),
  )
})

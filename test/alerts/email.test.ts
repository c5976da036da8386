import { afterEach, describe, expect, it } from 'vitest'
import { createEmail, type EmailSettings } from '../../src/alerts/email.ts'
import { NotifierRefusal, deliver, type Letter, type Notifier } from '../../src/alerts/notifier.ts'
import { systemClock } from '../../src/clock.ts'
import { authorities } from '../../src/http.ts'
import { Secret } from '../../src/secret.ts'
import { certificate, closedPort } from '../http-fixture.ts'
import { serveMail, serveSilence } from './mail-server.ts'

const letter: Letter = {
  id: 'msg_abc',
  follows: undefined,
  at: Date.parse('2026-03-01T12:00:00Z'),
  subject: '[firing] busy: Prodüction Server',
  text: 'busy: 1,240 requests\n',
  html: '<p>busy: 1,240 requests</p>',
  data: {},
  slack: {},
}
const trusted = await authorities(certificate('ca'), undefined)
const login = { user: 'alerts', password: new Secret('opensesame') }
const never = new AbortController().signal

const opened: Notifier[] = []
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close()
})

function email(server: string, fields: Partial<EmailSettings> = {}, debug: string[] = []): Notifier {
  const made = createEmail({
    name: 'mail',
    server,
    from: 'Pictify keys <alerts@acme.example>',
    to: ['ops@acme.example'],
    user: undefined,
    password: undefined,
    authorities: trusted,
    debug: (line) => debug.push(line),
    ...fields,
  })
  opened.push(made)
  return made
}
async function failure(sending: Promise<unknown>) {
  const error = await sending.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  return error as { code: string; message: string; hint: string }
}

describe('a mail', () => {
  it('goes by STARTTLS with a login, to all, as text and as HTML', async () => {
    const server = await serveMail()
    const to = ['ops@acme.example', 'Security <security@acme.example>']
    await email(`smtp://localhost:${server.port}`, { ...login, to }).send(letter, never)
    expect(server.mails).toHaveLength(1)
    const [sent] = server.mails
    expect(sent).toMatchObject({ user: 'alerts', secure: true, from: 'alerts@acme.example' })
    expect(sent?.to).toEqual(['ops@acme.example', 'security@acme.example'])
    expect(sent?.mail).toMatchObject({
      subject: '[firing] busy: Prodüction Server',
      from: { name: 'Pictify keys', address: 'alerts@acme.example' },
      messageId: '<msg_abc@pictify-keys.invalid>',
      date: '2026-03-01T12:00:00.000Z',
    })
    expect(sent?.mail.text?.trim()).toBe('busy: 1,240 requests')
    expect(sent?.mail.html).toContain('<p>busy: 1,240 requests</p>')
    expect(sent?.raw).toMatch(/^Auto-Submitted: auto-generated\r$/m)
  })

  it('goes by TLS from the first byte', async () => {
    const server = await serveMail({ secure: true })
    await email(`smtps://localhost:${server.port}`, login).send(letter, never)
    expect(server.mails).toMatchObject([{ user: 'alerts', secure: true }])
  })

  it('that something is over follows the one that it fires', async () => {
    const server = await serveMail()
    await email(`smtp://localhost:${server.port}`).send(
      { ...letter, id: 'msg_def', follows: 'msg_abc' },
      never,
    )
    expect(server.mails[0]?.mail).toMatchObject({
      messageId: '<msg_def@pictify-keys.invalid>',
      inReplyTo: '<msg_abc@pictify-keys.invalid>',
      references: '<msg_abc@pictify-keys.invalid>',
    })
  })

  it('of hostile words has no header and no recipient of theirs', async () => {
    const server = await serveMail()
    const subject = 'busy\r\nBcc: thief@evil.example\r\n\r\n<script>'
    await email(`smtp://localhost:${server.port}`).send({ ...letter, subject }, never)
    const [sent] = server.mails
    expect(sent?.to).toEqual(['ops@acme.example'])
    expect(sent?.raw).not.toMatch(/^Bcc:/im)
    expect(sent?.mail.headers.map(({ key }) => key)).not.toContain('bcc')
    expect(sent?.mail.text?.trim()).toBe('busy: 1,240 requests')
  })

  it('names the recipients that were not taken, and is sent to the others', async () => {
    const server = await serveMail({
      onRcptTo: ({ address }, _, callback) =>
        callback(address.startsWith('gone') ? new Error('no such user') : null),
    })
    const to = ['ops@acme.example', 'gone@acme.example']
    const warning = await email(`smtp://localhost:${server.port}`, { to }).send(letter, never)
    expect(warning).toBe('not taken for gone@acme.example')
    expect(server.mails[0]?.to).toEqual(['ops@acme.example'])
  })
})

describe('a server', () => {
  it('that refuses the login is told of without the password, which its answer repeats', async () => {
    const server = await serveMail()
    const debug: string[] = []
    const wrong = { user: 'alerts', password: new Secret('wrong-password-1234') }
    const error = await failure(email(`smtp://localhost:${server.port}`, wrong, debug).send(letter, never))
    expect(server.logins).toMatchObject([{ user: 'alerts', secure: true }])
    expect(error).toMatchObject({
      code: 'notifier-failed',
      message: `localhost:${server.port} refused the login (535 to AUTH)`,
    })
    expect(JSON.stringify([error.message, error.hint, debug])).not.toContain('wrong-password')
  })

  it('that offers no TLS gets no password; on another machine, that is', async () => {
    const server = await serveMail({ disabledCommands: ['STARTTLS'], allowInsecureAuth: true })
    // loopback by another name, which might as well be another machine
    const error = await failure(email(`smtp://0.0.0.0:${server.port}`, login).send(letter, never))
    expect(error.code).toBe('notifier-failed')
    expect(error.message).toContain('secure connection')
    expect(server.logins).toEqual([])
    await email(`smtp://127.0.0.1:${server.port}`, login).send(letter, never)
    expect(server.mails).toMatchObject([{ secure: false, user: 'alerts' }])
  })

  it('whose certificate nobody vouches for gets nothing', async () => {
    const server = await serveMail()
    const error = await failure(
      email(`smtp://localhost:${server.port}`, { ...login, authorities: undefined }).send(letter, never),
    )
    expect(error).toMatchObject({
      code: 'notifier-failed',
      message: `no secure connection to localhost:${server.port}`,
    })
    expect(error.hint).toContain('--ca-file')
    expect(server.logins).toEqual([])
  })

  it('that is not there says so', async () => {
    const port = await closedPort()
    const error = await failure(email(`smtp://127.0.0.1:${port}`).send(letter, never))
    expect(error).toMatchObject({ code: 'notifier-failed', message: `127.0.0.1:${port} cannot be reached` })
  })

  it.each([
    ['the sender for good', 550, true],
    ['the sender for now', 451, false],
  ])('that refuses %s', async (_, responseCode, isRefusal) => {
    const refuse = Object.assign(new Error('go away'), { responseCode })
    const server = await serveMail({ onMailFrom: (__, ___, callback) => callback(refuse) })
    const error = await failure(email(`smtp://localhost:${server.port}`).send(letter, never))
    expect(error instanceof NotifierRefusal).toBe(isRefusal)
    expect(error.message).toContain(`(${responseCode} to MAIL)`)
  })

  it('that says nothing is left after the notifier’s time', async () => {
    const port = await serveSilence()
    const outcomes: unknown[] = []
    await deliver(
      [{ notifier: email(`smtp://127.0.0.1:${port}`), letters: [letter] }],
      { clock: systemClock, limitMs: 300, signal: never },
      async (_, __, outcome) => void outcomes.push(outcome),
    )
    expect(outcomes).toEqual([{ sentAt: null, problem: 'it did not take the message within 300ms' }])
  })
})

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { certificate } from '../http-fixture.ts'
import { serveMail } from '../alerts/mail-server.ts'
import { errorOf } from './account.ts'
import { busy, hook, openAlerts, type AlertsStage } from './alerts-stage.ts'

let stage: AlertsStage
beforeEach(async () => {
  stage = await openAlerts()
})
afterEach(() => stage.end())

describe('--watch', () => {
  it('looks again and again, says when, and ends by Ctrl-C', async () => {
    await stage.file([busy(5)])
    const running = stage.home.start(['alerts', 'check', '--watch', '1s'])
    const { stderr } = running.output()
    expect(stderr).toBe('')
    await running.until(() => /the next check is in 1s, at \d\d:\d\d:\d\d UTC/.test(running.output().stderr))
    await stage.use(2)
    await running.until(() => running.output().stderr.includes('firing: busy: Web'))
    expect(stage.told()).toEqual(['alert.firing busy'])
    // not anew with each look
    const looks = () => running.output().stderr.split('the next check').length
    const before = looks()
    await running.until(() => looks() >= before + 2)
    expect(stage.told()).toEqual(['alert.firing busy'])
    running.child.kill('SIGINT')
    expect(await running.ended).toMatchObject({ signal: 'SIGINT', stdout: '' })
  })

  it('with --json each look is an event', async () => {
    await stage.file([busy(3)])
    const running = stage.home.start(['alerts', 'check', '--watch', '1s', '--json'])
    await running.until(() => running.output().stderr.split('"alerts-checked"').length > 2)
    running.child.kill('SIGINT')
    const { stderr } = await running.ended
    const events = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { event?: string; incidents?: { isNew: boolean }[] })
      .filter(({ event }) => event === 'alerts-checked')
    expect(events[0]).toMatchObject({ summary: { firing: 1, fired: 1 }, incidents: [{ isNew: true }] })
    expect(events[1]).toMatchObject({ summary: { firing: 1, fired: 0 }, incidents: [] })
  })

  it('goes on after a look that failed, but not without a credential', async () => {
    await stage.file([busy(3)])
    const running = stage.home.start(['alerts', 'check', '--watch', '1s'])
    await running.until(() => stage.hook.received.length === 1)
    const restore = stage.sandbox.addFault('status-404:GET /api-keys')
    await running.until(() => running.output().stderr.includes('this check failed'))
    restore()
    const looks = () => running.output().stderr.split('the next check').length
    const before = looks()
    await running.until(() => looks() >= before + 2)
    const admin = stage.sandbox.keys().find(({ access }) => access === 'admin')
    stage.sandbox.dashboard.revoke(admin?.id ?? '')
    expect((await running.ended).exit).toBe(4)
    expect(stage.told()).toEqual(['alert.firing busy'])
  })
})

describe('alerts list', () => {
  it('shows the rules and what is open, and asks nobody', async () => {
    await stage.file([busy(3), '{name: old, when: too-old, after: 365d, for: 10m}'])
    const before = await stage.alerts('list')
    expect(before.exit).toBe(0)
    expect(before.stdout).toContain('more than 3 requests in 24h')
    expect(before.stdout).toContain('older than 365d, for 10m')
    expect(before.stdout).toContain('nothing is open; not checked yet')
    await stage.alerts('check')
    const asked = stage.sandbox.requests.length
    const list = await stage.alerts('list', '--json')
    expect(JSON.parse(list.stdout)).toMatchObject({
      rules: [
        { rule: 'busy', keys: 'Web*', notify: ['hook'], needs: ['usage'] },
        { rule: 'old', forMs: 600_000 },
      ],
      incidents: [{ rule: 'busy', state: 'firing', key: { id: stage.key.id } }],
    })
    expect(stage.sandbox.requests).toHaveLength(asked)
  })
})

it('keys that no name fits are warned of, in check, list and test; list tells how many there are', async () => {
  await stage.file([busy(3_000), '{name: typo, when: too-old, after: 365d, keys: "Wev"}'])
  const before = await stage.alerts('list')
  expect(before).toMatchObject({ exit: 0, stderr: '' })
  const text = 'warning: no active key has a name that fits keys: "Wev" of typo; did you mean "Web"?\n'
  const warning = expect.stringContaining(text) as string
  expect(await stage.alerts('check')).toMatchObject({ exit: 0, stderr: warning })
  const list = await stage.alerts('list')
  expect(list.stderr).toContain(text)
  expect(list.stdout).toMatch(/^busy .* Web\* \(1\) /m)
  expect(list.stdout).toMatch(/^typo .* Wev \(0\) /m)
  expect(await stage.alerts('test')).toMatchObject({ exit: 0, stderr: warning })
  // by cron it is said once
  expect(await stage.alerts('check', '--quiet')).toMatchObject({ exit: 0, stderr: '' })
  await stage.file([busy(3_000), '{name: typo, when: too-old, after: 365d, keys: "Web"}'])
  expect((await stage.alerts('list')).stderr).toBe('')
})

describe('alerts test', () => {
  it('sends each notifier a message that is none of an incident’s', async () => {
    const mail = await serveMail()
    const email = `{name: mail, type: email, server: "smtp://localhost:${mail.port}", from: a@acme.example, to: [b@acme.example], userEnv: SMTP_USER, passwordEnv: SMTP_PASSWORD}`
    await stage.file([busy(3)], [hook, '{name: team, type: slack, urlEnv: SLACK_URL}', email])
    const env = {
      SLACK_URL: stage.hook.url,
      SMTP_USER: 'alerts',
      SMTP_PASSWORD: 'opensesame',
      PICTIFY_CA_FILE: certificate('ca'),
    }
    const ran = await stage.run(['alerts', 'test', '--debug'], { env })
    expect(ran.exit, ran.stderr).toBe(0)
    expect(ran.stdout.match(/\bsent\b/g)).toHaveLength(3)
    expect(mail.mails).toMatchObject([
      { user: 'alerts', secure: true, mail: { subject: '[test] this is how alerts reach you' } },
    ])
    const bodies = stage.hook.received.map(
      ({ body }) => JSON.parse(body) as { type?: string; blocks?: unknown[] },
    )
    expect(bodies.find(({ type }) => type === 'alert.test')).toBeDefined()
    expect(bodies.find(({ blocks }) => blocks !== undefined)).toBeDefined()
    for (const secret of ['opensesame', 'path-that-is-secret', stage.home.env['HOOK_SECRET'] ?? ''])
      expect(ran.stdout + ran.stderr).not.toContain(secret)
  })

  it('of one by name; of none that is there it says what is meant', async () => {
    await stage.file([busy(3)])
    expect((await stage.alerts('test', 'hook')).exit).toBe(0)
    const ran = await stage.alerts('test', 'hok', '--json')
    expect(ran.exit).toBe(2)
    expect(errorOf(ran).hint).toBe('did you mean hook?')
  })

  it('ends with 1 where one did not take it', async () => {
    await stage.file([busy(3)])
    stage.hook.answers = [403]
    const ran = await stage.alerts('test', '--json')
    expect(ran.exit).toBe(1)
    expect(errorOf(ran)).toMatchObject({ code: 'notifier-failed' })
    expect(JSON.parse(ran.stdout)).toMatchObject({ tests: [{ name: 'hook', sentAt: null }] })
  })
})

it.each([
  [['check', 'Web'], 'alerts check takes no name'],
  [['list', '--watch'], '--watch is for alerts check'],
  [['check', '--watch', '10ms'], 'once a second'],
])('%j is refused', async (args, message) => {
  await stage.file([busy(3)])
  const ran = await stage.alerts(...args, '--json')
  expect(ran.exit).toBe(2)
  expect(errorOf(ran).message).toContain(message)
})

it('without a file, or one without alerts, it says what to do', async () => {
  expect(errorOf(await stage.alerts('check', '--json'))).toMatchObject({ code: 'usage' })
  await stage.file([])
  const ran = await stage.alerts('check', '--json')
  expect(ran.exit).toBe(2)
  expect(errorOf(ran).message).toContain('has no alerts')
})

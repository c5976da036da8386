import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { errorOf, secondOver } from './account.ts'
import { busy, openAlerts, type AlertsStage } from './alerts-stage.ts'

let stage: AlertsStage
beforeEach(async () => {
  stage = await openAlerts()
})
afterEach(() => stage.end())

const why = 'the audit log shows too little of it from before to tell what is new'

describe('keys of which a rule can tell nothing', () => {
  it('are counted and named with why, and are no pass with --fail-on-skipped', async () => {
    await stage.file(['{name: place, when: new-network, keys: "Web*"}', busy(3_000)])
    await secondOver()
    const ran = await stage.alerts('check')
    expect(ran.exit, ran.stderr).toBe(0)
    expect(ran.stdout).toContain('2 rules, 0 firing, 1 unknown')
    expect(ran.stdout).toMatch(new RegExp(`place +1 of 1 +${why}`))
    const failed = await stage.alerts('check', '--fail-on-skipped', '--json')
    expect(failed.exit).toBe(10)
    expect(errorOf(failed)).toMatchObject({ code: 'alerts-skipped', message: '1 key is unknown to a rule' })
    const { summary, rules } = JSON.parse(failed.stdout) as { summary: object; rules: object[] }
    expect(summary).toMatchObject({ skipped: 0, unknown: 1 })
    expect(rules).toMatchObject([
      { unknown: 1, whyUnknown: [why] },
      { unknown: 0, whyUnknown: [] },
    ])
  })
})

it('a log that the key may not read skips its rules, which are known to nobody, and holds the others', async () => {
  await stage.file(['{name: place, when: new-network, keys: "Web*"}', busy(3)])
  stage.sandbox.addFault('status-403:GET /audit-logs')
  const ran = await stage.alerts('check', '--json')
  expect(ran.exit, ran.stderr).toBe(10)
  const { rules } = JSON.parse(ran.stdout) as { rules: object[] }
  const skipped = expect.stringMatching(/\(403\)$/) as string
  expect(rules).toMatchObject([
    { rule: 'place', skipped },
    { rule: 'busy', skipped: null, firing: 1 },
  ])
})

it('a webhook without a signature is warned of by test and by list; one with it is not', async () => {
  const text = 'hook is sent without a signature: whoever has its URL can send it alerts'
  await stage.file([busy(3)])
  expect((await stage.alerts('list')).stderr).toBe('')
  await stage.file([busy(3)], ['{name: hook, type: webhook, urlEnv: HOOK_URL}'])
  for (const action of ['list', 'test']) {
    const ran = await stage.alerts(action)
    expect(ran.exit).toBe(0)
    expect(ran.stderr).toContain(text)
  }
})

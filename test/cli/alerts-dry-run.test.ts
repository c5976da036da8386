import { readdir } from 'node:fs/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { busy, openAlerts, type AlertsStage } from './alerts-stage.ts'

let stage: AlertsStage
beforeEach(async () => {
  stage = await openAlerts()
})
afterEach(() => stage.end())

it('--dry-run holds the rules, tells nobody and writes nothing', async () => {
  await stage.file([busy(3), '{name: place, when: new-country}', '{name: network, when: new-network}'])
  const dry = await stage.alerts('check', '--dry-run')
  expect(dry.exit, dry.stderr).toBe(10)
  expect(dry.stdout).toContain('4 requests in 24h, more than 3')
  expect(dry.stderr).toContain('nothing is written, and no message of 1 for hook is sent (--dry-run)')
  expect(stage.hook.received).toEqual([])
  const left = await readdir(stage.home.stateDir, { recursive: true }).catch(() => [])
  expect(left.filter((name) => /alerts|seen/.test(name))).toEqual([])

  // what it found is as new to the check after it
  expect(await stage.alerts('check', '--json')).toMatchObject({ exit: 10 })
  expect(stage.told()).toEqual(['alert.firing busy'])
  const after = await stage.alerts('check', '--dry-run')
  expect(after.stderr).toContain('no message is sent')
  expect(stage.hook.received).toHaveLength(1)
})

it.each([
  ['list', '--dry-run'],
  ['check', '--dry-run', '--watch'],
])('%s %s is refused', async (...args) => {
  await stage.file([busy(3)])
  const ran = await stage.alerts(...args.filter((each) => each !== undefined))
  expect(ran.exit).toBe(2)
  expect(ran.stderr).toContain('--dry-run is for one alerts check')
})

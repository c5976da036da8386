import { afterEach, beforeEach, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { busy, openAlerts, type AlertsStage } from './alerts-stage.ts'

const hourMs = 3_600_000
let skippedMs = 0
let stage: AlertsStage
beforeEach(async () => {
  skippedMs = 0
  const clock = {
    now: () => Date.now() + skippedMs,
    sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms, signal),
  }
  stage = await openAlerts({ clock })
})
afterEach(() => stage.end())

async function checkAfter(hours: number): Promise<string[]> {
  skippedMs += hours * hourMs
  const before = stage.told().length
  const ran = await stage.alerts('check')
  expect(ran.exit, ran.stderr).toBe(10)
  return stage.told().slice(before)
}

it('who was told is told again, as long after it as the file says, while the alert fires', async () => {
  await stage.file([busy(3, ', remindAfter: 4h'), '{name: once, when: requests, keys: "Web*", over: 3}'])
  expect(await checkAfter(0)).toEqual(['alert.firing busy', 'alert.firing once'])
  expect(await checkAfter(3)).toEqual([])
  expect(await checkAfter(2)).toEqual(['alert.reminder busy'])
  expect(await checkAfter(2)).toEqual([])
  expect(await checkAfter(3)).toEqual(['alert.reminder busy'])
})

it('a reminder that did not arrive is sent by the next check', async () => {
  await stage.file([busy(3, ', remindAfter: 4h')])
  expect(await checkAfter(0)).toEqual(['alert.firing busy'])
  stage.hook.answers = [400]
  await checkAfter(5)
  stage.hook.answers = [200]
  expect(await checkAfter(0)).toEqual(['alert.reminder busy'])
  expect(await checkAfter(1)).toEqual([])
})

import { afterEach, beforeEach, expect, it } from 'vitest'
import { rotate } from '../../src/rotation/rotate.ts'
import { setStage, type Stage } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage({ usageLagMs: 20_000 })
})
afterEach(() => stage.end())

it('an old key whose use does not show yet is not taken to be quiet', async () => {
  const clock = {
    ...stage.clock,
    sleep: async (ms: number, signal?: AbortSignal) => {
      await stage.call(stage.old.secret.reveal())
      await stage.clock.sleep(ms, signal)
    },
  }
  await stage.call(stage.old.secret.reveal())
  const options = stage.options({ idleMs: 10_000, usageLagMs: 20_000, waitMs: 90_000 })
  const { error, receipt } = await rotate(stage.services({ clock }), stage.old.id, options)
  expect(error, receipt.state).toMatchObject({ exit: 5 })
  expect(stage.key(stage.old.id)?.status).toBe('active')
})

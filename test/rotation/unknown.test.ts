import { afterEach, beforeEach, expect, it } from 'vitest'
import { rotate } from '../../src/rotation/rotate.ts'
import { setStage, type Stage } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage()
})
afterEach(() => stage.end())

it.each([
  'status-503:GET /api-keys/*/usage',
  'html:GET /api-keys/*/usage',
  'status-503:GET /api-keys/*',
  'clock-1h:GET /api-keys/*/usage',
])('what cannot be known is no evidence (%s): the old key stays', async (fault) => {
  const services = stage.services({
    report: (event) => {
      if (event.event === 'step' && event.step === 'overlap') stage.sandbox.addFault(fault)
    },
  })
  const { error } = await rotate(services, stage.old.id, stage.options({ waitMs: 1_000 }))
  expect(error, error?.message).toBeDefined()
  expect(stage.key(stage.old.id)?.status).toBe('active')
  expect(await stage.call(await stage.held())).toBe(200)
})

import { afterAll, beforeAll, describe } from 'vitest'
import { describeTarget, type Kind } from './contract.ts'
import { createStage, type Stage } from './gcp-sm-fixture.ts'

let stage: Stage
beforeAll(async () => {
  stage = await createStage()
  Object.assign(process.env, stage.env)
})
afterAll(() => stage.close())

const kind = (options: { field?: string; location?: string }): Kind => ({
  place: async () => stage.place(options),
  largest: 65_536,
  fail: (fault) => stage.fail(fault),
  loginHint: /gcloud auth application-default login/,
  beforeNextWrite: (change) => void (stage.google.beforeNextWrite = change),
  env: () => stage.env,
})

describe('a whole secret', () => {
  describeTarget({ ...kind({}), refuses: [{ value: 'x'.repeat(65_537), message: /64 KiB/ }] })
})

describe('a field of a JSON secret', () => {
  describeTarget({ ...kind({ field: 'key' }), largest: 60_000 })
})

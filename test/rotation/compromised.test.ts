import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { abortRotation, rotate } from '../../src/rotation/rotate.ts'
import { dieAt } from './machines.ts'
import { setStage, type Stage } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage()
})
afterEach(() => stage.end())

describe('a compromised key with --revoke-first', () => {
  it('is revoked before anything is delivered, also where its rotation is open already', async () => {
    await dieAt(stage, 'after saving minted')
    const seen: (string | undefined)[] = []
    const services = stage.services({
      report: (event) => {
        if (event.event === 'step' && event.step === 'deliver') seen.push(stage.key(stage.old.id)?.status)
      },
    })
    await rotate(services, stage.old.id, stage.options({ compromised: 'revoke-first' }))
    expect(seen).toEqual(['revoked'])
  })

  it('that is revoked is not said to be as it was by --abort', async () => {
    await dieAt(stage, 'before POST /api-keys', { compromised: 'revoke-first' })
    expect(stage.key(stage.old.id)?.status).toBe('revoked')
    const options = stage.options({ compromised: 'revoke-first' })
    const aborted = abortRotation(stage.services(), stage.old.id, options)
    await expect(aborted).rejects.toMatchObject({ code: 'rotation-needs-person' })
  })
})

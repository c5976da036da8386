import { afterEach, beforeEach, expect, it } from 'vitest'
import { KeysError } from '../../src/errors.ts'
import type { Journals } from '../../src/rotation/journal.ts'
import { rotate } from '../../src/rotation/rotate.ts'
import { setStage, type Stage } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage()
})
afterEach(() => stage.end())

/** Journals on a disk that fails as the rotation's last entry is written: before or after it has its name. */
function failingAtTheEnd(maybeDone: boolean): Journals {
  const real = stage.services().journals
  return {
    ...real,
    async save(journal) {
      if (journal.state === 'done' && !maybeDone) throw new KeysError('state-directory', 'the disk is full')
      await real.save(journal)
      if (journal.state === 'done') throw new KeysError('state-directory', 'it fails', { maybeDone })
    },
  }
}

it('a receipt that is there is one, though the disk did not say so in the end', async () => {
  const { receipt, error } = await rotate(
    stage.services({ journals: failingAtTheEnd(true) }),
    stage.old.id,
    stage.options(),
  )
  expect(error).toBeUndefined()
  expect(receipt.state).toBe('done')
  expect(stage.events).toContainEqual(expect.objectContaining({ event: 'warning', code: 'receipt' }))
})

it('a receipt that could not be written leaves the rotation open, and the same line ends it', async () => {
  const journals = failingAtTheEnd(false)
  const { receipt, error } = await rotate(stage.services({ journals }), 'Production Server', stage.options())
  expect(error).toMatchObject({ exit: 7, code: 'rotation-needs-person' })
  expect(receipt.state).toBe('retired')
  const again = await rotate(stage.services(), 'Production Server', stage.options())
  expect(again.error).toBeUndefined()
  expect(again.receipt).toMatchObject({ id: receipt.id, state: 'done' })
  expect(stage.active().map(({ id }) => id)).toEqual([receipt.newKey?.id])
})

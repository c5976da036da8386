import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Key } from '../../src/api/contract.ts'
import { compareByAge, readAccount } from '../../src/rotation/account.ts'
import { formatMark } from '../../src/rotation/marked-name.ts'
import { setStage, type Stage } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage()
})
afterEach(() => stage.end())

const key = (id: string, createdAt: string): Key => ({
  id,
  createdAt,
  name: 'x',
  type: 'live',
  status: 'active',
  lastUsedAt: null,
})

it('of keys of one instant the one with the lower id comes first, else the earlier one', () => {
  const first = key('key_b', '2026-03-11T12:00:00.000Z')
  const second = key('key_c', '2026-03-11T12:00:00.000Z')
  const third = key('key_a', '2026-03-11T12:00:00.001Z')
  for (const order of [
    [first, second, third],
    [third, second, first],
    [second, third, first],
  ])
    expect(order.toSorted(compareByAge)).toEqual([first, second, third])
  expect(compareByAge(first, first)).toBe(0)
})

it('successors come earliest first, whatever the order of the list, and the old key is not among them', async () => {
  const { dashboard } = stage.sandbox
  const at = stage.clock.now()
  const mark = { plain: 'x', oldId: stage.old.id, fingerprint: 'none', leaseUntil: 0, holder: '' }
  const create = (rotationId: string, createdAt: number) =>
    dashboard.create({ name: formatMark({ ...mark, rotationId }), type: 'live', access: 'full', createdAt })
  const ids = [create('aaaaaa', at - 2_000), create('bbbbbb', at - 3_000), create('cccccc', at - 1_000)]
  const account = await readAccount(stage.client(), stage.old.id)
  expect(account.successors.map((successor) => successor.key.id)).toEqual(
    [ids[1], ids[0], ids[2]].map((minted) => minted?.id),
  )
  expect(account.old?.id).toBe(stage.old.id)
  expect(account.others.map(({ access }) => access)).toEqual(['admin'])
})

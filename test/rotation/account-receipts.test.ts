import { expect, test } from 'vitest'
import { receiptsOfKeys } from '../../src/rotation/account-receipts.ts'

const rotation = (oldId: string, newId: string | null) => ({
  id: `${oldId}>${newId}`,
  oldKey: { id: oldId, name: oldId, type: 'live' as const },
  newKey: newId === null ? null : { id: newId, createdAt: '2026-01-01T00:00:00.000Z' },
})
const idsOf = (list: readonly { id: string }[]) => list.map(({ id }) => id)

test('a rotation is of the account by either key, and of a key that is gone by those that lead to one that is there', () => {
  const receipts = [
    rotation('key_a', 'key_b'),
    rotation('key_x', 'key_y'),
    rotation('key_b', 'key_c'),
    rotation('key_c', null),
    rotation('key_d', null),
    rotation('key_y', 'key_z'),
  ]
  expect(idsOf(receiptsOfKeys(receipts, ['key_c', 'key_d']))).toEqual([
    'key_a>key_b',
    'key_b>key_c',
    'key_c>null',
    'key_d>null',
  ])
  expect(receiptsOfKeys(receipts, [])).toEqual([])
})

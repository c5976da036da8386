// What is left of a secret and its versions after an undo, against moto.
import { randomUUID } from 'node:crypto'
import { describe, expect, inject, test } from 'vitest'
import { contentOf, countVersions, writeAs, type AwsFacts } from '../servers/aws.ts'
import { useMoto } from './aws-sm-fixture.ts'
import { failure, old, successor, third } from './contract.ts'

const facts = inject('servers')['aws'] as AwsFacts | undefined

describe.skipIf(!facts)('aws-sm: versions', () => {
  const moto = useMoto(facts)
  const { at, client, create, target, warned } = moto

  describe('an undo', () => {
    test('is the old version again, as long as it is all that the secret was', async () => {
      await create('{"KEY":"pk_live_\\u004fld", "n": 1.0}')
      const before = await at('AWSCURRENT')
      const held = await target('KEY').read()
      expect(held?.version).toBe(before)
      await target('KEY').write(successor, held)
      await target('KEY').restore(held, successor)
      expect(await at('AWSCURRENT')).toBe(before)
      expect(await countVersions(client, moto.id)).toBe(2)
    })

    test('leaves alone what others wrote beside it meanwhile', async () => {
      await create(`{"KEY":"${old.reveal()}", "n": 1.0}`)
      const held = await target('KEY').read()
      await target('KEY').write(successor, held)
      await writeAs(client, moto.id, `{"KEY":"${successor.reveal()}", "n": 2.0, "new":[]}`)
      await target('KEY').restore(held, successor)
      expect(await contentOf(client, moto.id)).toBe(`{"KEY":"${old.reveal()}", "n": 2.0, "new":[]}`)
      expect(await at('AWSPENDING')).toBeUndefined()
    })

    test('where the old version is not there any more, it is written anew', async () => {
      await create(old.reveal())
      await target().write(successor, { value: old })
      await writeAs(client, moto.id, third.reveal())
      await writeAs(client, moto.id, successor.reveal())
      await target().restore({ value: old, version: randomUUID() }, successor)
      expect(await contentOf(client, moto.id)).toBe(old.reveal())
    })

    test('of a field that was not there is the secret as it was', async () => {
      await create('{\n  "n": 1.0\n}')
      const before = await at('AWSCURRENT')
      await target('KEY', true).check()
      await target('KEY', true).write(successor, undefined)
      expect(await contentOf(client, moto.id)).toBe(`{\n  "n": 1.0,\n  "KEY": "${successor.reveal()}"\n}`)
      await target('KEY').restore(undefined, successor)
      expect(await at('AWSCURRENT')).toBe(before)
    })

    test('of a field in a secret that we made removes the field alone, once others use the secret', async () => {
      await target('KEY', true).write(successor, undefined)
      await writeAs(client, moto.id, `{"KEY":"${successor.reveal()}","theirs":true}`)
      await target('KEY').restore(undefined, successor)
      expect(await contentOf(client, moto.id)).toBe('{"theirs":true}')
    })

    test.each([undefined, 'KEY'])(
      'of the first version of an empty secret leaves {} (field %s)',
      async (field) => {
        await create(undefined)
        expect((await failure(target(field).check())).message).toContain('with nothing in it')
        await target(field, true).check()
        expect(warned).toEqual([expect.stringContaining('an undo leaves {} in it')])
        expect((await target(field, true).stage?.(successor, undefined))?.reveal()).toBe(successor.reveal())
        expect(await contentOf(client, moto.id)).toBeUndefined()
        await target(field, true).write(successor, undefined)
        expect(await contentOf(client, moto.id)).toContain(successor.reveal())
        await target(field).restore(undefined, successor)
        await target(field).restore(undefined, successor)
        expect(await contentOf(client, moto.id)).toBe('{}')
        expect(await target(field).read()).toBeUndefined()
        await target(field, true).write(successor, undefined)
        expect(await contentOf(client, moto.id)).toContain(successor.reveal())
      },
    )
  })
})

// What the target makes of a secret's versions and labels, against moto.
import { randomUUID } from 'node:crypto'
import { describe, expect, inject, test, vi } from 'vitest'
import type { Secret } from '../../src/secret.ts'
import { contentOf, countVersions, labelsOf, refuse, writeAs, type AwsFacts } from '../servers/aws.ts'
import { createFaultProxy } from '../servers/fault-proxy.ts'
import { useMoto } from './aws-sm-fixture.ts'
import { failure, old, successor, third } from './contract.ts'

const facts = inject('servers')['aws'] as AwsFacts | undefined

describe.skipIf(!facts)('aws-sm: versions', () => {
  const moto = useMoto(facts)
  const { at, client, create, target } = moto
  const staged = async (field: string | undefined, secret: Secret) => {
    const own = target(field)
    return own.stage?.(secret, await own.read())
  }

  describe('beside the value that applications read', () => {
    test('a staged one is AWSPENDING, then AWSCURRENT, with the old as AWSPREVIOUS', async () => {
      await create(old.reveal())
      const held = await target().read()
      const before = await at('AWSCURRENT')
      expect((await staged(undefined, successor))?.reveal()).toBe(successor.reveal())
      const own = await at('AWSPENDING')
      expect(own).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/)
      expect(await contentOf(client, moto.id)).toBe(old.reveal())
      await target().write(successor, held)
      expect(await labelsOf(client, moto.id)).toEqual({
        [own ?? '']: ['AWSCURRENT'],
        [before ?? '']: ['AWSPREVIOUS'],
      })
      expect(await contentOf(client, moto.id)).toBe(successor.reveal())
    })

    test('staged and never written: an undo takes the label away, and touches nothing else', async () => {
      await create(old.reveal())
      const held = await target().read()
      const before = await labelsOf(client, moto.id)
      await staged(undefined, successor)
      await target().restore(held, successor)
      await target().restore(held, successor)
      expect(await labelsOf(client, moto.id)).toEqual(before)
      await staged(undefined, successor)
      expect(await at('AWSPENDING')).toBeDefined()
    })

    test('a repeat, from wherever, is one version: staged, written, undone and written again', async () => {
      await create(`{"KEY":"${old.reveal()}","other":1}`)
      const held = await target('KEY').read()
      for (let round = 0; round < 2; round++) {
        await staged('KEY', successor)
        await staged('KEY', successor)
        await target('KEY').write(successor, held)
        await target('KEY').write(successor, held)
        expect(await countVersions(client, moto.id)).toBe(2)
        await target('KEY').restore(held, successor)
      }
      expect(await countVersions(client, moto.id)).toBe(2)
    })

    test('a version of ours that has lost every label is taken again', async () => {
      await create(old.reveal())
      const held = await target().read()
      await target().write(successor, held)
      const own = await at('AWSCURRENT')
      await target().restore(held, successor)
      await writeAs(client, moto.id, third.reveal())
      await writeAs(client, moto.id, old.reveal())
      expect(Object.keys((await labelsOf(client, moto.id)) ?? {})).not.toContain(own)
      // and the label is nowhere else then, whoever of ours had it
      await staged(undefined, third)
      await staged(undefined, successor)
      const pending = Object.entries((await labelsOf(client, moto.id)) ?? {}).filter(([, labels]) =>
        labels.includes('AWSPENDING'),
      )
      expect(pending.map(([version]) => version)).toEqual([own])
      await target().write(successor, held)
      expect(await at('AWSCURRENT')).toBe(own)
      expect(await contentOf(client, moto.id)).toBe(successor.reveal())
    })

    test('a call whose answer was lost, and that is sent again, does no more than once', async () => {
      const proxy = await createFaultProxy(facts?.url ?? '')
      vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', proxy.url)
      const sent = new Set<string>()
      /** The next call that changes something reaches AWS, and then once more. */
      const twice = (): void => {
        let again: () => Promise<unknown> = () => Promise.resolve()
        proxy.beforeNext(
          ({ headers }, body) => {
            const action = String(headers['x-amz-target'])
            if (sent.has(action + body) || /Describe|Get/.test(action)) return false
            sent.add(action + body)
            again = () =>
              fetch(facts?.url ?? '', { method: 'POST', headers: headers as Record<string, string>, body })
            return true
          },
          async () => {
            await again()
            twice()
          },
        )
      }
      try {
        await create(old.reveal())
        const before = await at('AWSCURRENT')
        const held = await target().read()
        twice()
        await staged(undefined, successor)
        await target().write(successor, held)
        expect(await contentOf(client, moto.id)).toBe(successor.reveal())
        expect(await at('AWSPENDING')).toBeUndefined()
        await target().restore(held, successor)
        expect(await at('AWSCURRENT')).toBe(before)
        expect(await at('AWSPENDING')).toBeUndefined()
        expect(await countVersions(client, moto.id)).toBe(2)
        moto.id = `app/${randomUUID()}`
        await target(undefined, true).write(successor, undefined)
        expect(await contentOf(client, moto.id)).toBe(successor.reveal())
        await target().restore(undefined, successor)
        expect(await labelsOf(client, moto.id)).toBeUndefined()
        const actions = new Set([...sent].map((each) => each.replace(/\{.*/s, '').split('.').at(-1)))
        expect([...actions].sort()).toEqual([
          'CreateSecret',
          'DeleteSecret',
          'PutSecretValue',
          'UpdateSecretVersionStage',
        ])
      } finally {
        vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', facts?.url)
        await proxy.close()
      }
    })

    describe('killed right after it was made current', () => {
      /** As AWS stands then: both labels are on the version, which this resolves to. */
      const cutOff = async (make: () => Promise<unknown>): Promise<string> => {
        const proxy = await createFaultProxy(facts?.url ?? '')
        vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', proxy.url)
        try {
          // what takes AWSPENDING away never arrives
          let isLast = false
          proxy.watch(({ headers }, body) => {
            const action = headers['x-amz-target']
            isLast = action === 'secretsmanager.UpdateSecretVersionStage' && body.includes('"AWSPENDING"')
          })
          await proxy.fail('forbidden', () => (isLast ? refuse('forbidden') : undefined))
          expect((await failure(make())).code).toBe('target-refused')
        } finally {
          vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', facts?.url)
          await proxy.close()
        }
        const current = await at('AWSCURRENT')
        expect(await at('AWSPENDING')).toBe(current)
        return current ?? ''
      }

      test('the next run takes AWSPENDING away', async () => {
        await create(old.reveal())
        const held = await target().read()
        const own = await cutOff(() => target().write(successor, held))
        await target().write(successor, held)
        expect((await labelsOf(client, moto.id))?.[own]).toEqual(['AWSCURRENT'])
        expect(await countVersions(client, moto.id)).toBe(2)
      })

      test('by an undo: so does the next one', async () => {
        await create(`{"KEY":"${old.reveal()}", "n":1}`)
        const held = await target('KEY').read()
        await target('KEY').write(successor, held)
        await writeAs(client, moto.id, `{"KEY":"${successor.reveal()}", "n":2}`)
        const own = await cutOff(() => target('KEY').restore(held, successor))
        await target('KEY').restore(held, successor)
        expect((await labelsOf(client, moto.id))?.[own]).toEqual(['AWSCURRENT'])
        expect(await contentOf(client, moto.id)).toBe(`{"KEY":"${old.reveal()}", "n":2}`)
      })

      test('on a version that is not ours, AWSPENDING stays', async () => {
        const { VersionId = '' } = await create(successor.reveal())
        await client.updateSecretVersionStage({
          SecretId: moto.id,
          VersionStage: 'AWSPENDING',
          MoveToVersionId: VersionId,
        })
        await target().write(successor, { value: old })
        await target().restore({ value: successor }, third)
        expect((await labelsOf(client, moto.id))?.[VersionId]).toEqual(['AWSCURRENT', 'AWSPENDING'])
      })
    })

    test('its id is of this secret, this field and what lies beside it', async () => {
      const ids = new Set<string | undefined>()
      for (const content of ['{"A":"x","B":"x"}', '{"A":"x","B":"y"}']) {
        for (const field of ['A', 'B']) {
          moto.id = `app/${randomUUID()}`
          await create(content)
          await staged(field, successor)
          ids.add(await at('AWSPENDING'))
        }
      }
      expect(ids.size).toBe(4)
    })

    test('a rotation that died before it wrote is in nobody’s way', async () => {
      await create(`{"A":"${old.reveal()}","B":"${old.reveal()}"}`)
      await staged('A', third)
      const dead = await at('AWSPENDING')
      await target('B').check()
      const held = await target('B').read()
      await staged('B', successor)
      expect(await at('AWSPENDING')).not.toBe(dead)
      await target('B').write(successor, held)
      expect(await contentOf(client, moto.id)).toBe(`{"A":"${old.reveal()}","B":"${successor.reveal()}"}`)
      // and an undo of the dead one takes away no label but its own
      await staged('B', old)
      const waiting = await at('AWSPENDING')
      await target('A').restore({ value: old }, third)
      expect(await at('AWSPENDING')).toBe(waiting)
    })
  })
})

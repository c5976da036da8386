// Which secrets the target leaves alone, and what it says of them, against moto.
import { randomUUID } from 'node:crypto'
import { describe, expect, inject, test, vi } from 'vitest'
import { contentOf, labelsOf, type AwsFacts } from '../servers/aws.ts'
import { useMoto } from './aws-sm-fixture.ts'
import { failure, old, successor, third } from './contract.ts'

const facts = inject('servers')['aws'] as AwsFacts | undefined

describe.skipIf(!facts)('aws-sm: refusals', () => {
  const moto = useMoto(facts)
  const { client, create, target, warned } = moto

  describe('what is not ours to write is refused, and left as it is', () => {
    const refusals: {
      what: string
      content: string | undefined
      field?: string
      more?: object
      message: RegExp
      hint: RegExp
    }[] = [
      {
        what: 'a JSON object as a whole',
        content: '{"A":"1","B":"2"}',
        message: /is a JSON object \(A, B\).* replaced as a whole/,
        hint: /#A/,
      },
      {
        what: 'a field of no JSON',
        content: 'plain',
        field: 'KEY',
        message: /not a JSON object/,
        hint: /without #/,
      },
      {
        what: 'a field twice',
        content: '{"KEY":"1","KEY":"2"}',
        field: 'KEY',
        message: /twice/,
        hint: /leave one/,
      },
      {
        what: 'a field of no string',
        content: '{"KEY":1}',
        field: 'KEY',
        message: /not a string/,
        hint: /./,
      },
      {
        what: 'a binary secret',
        content: undefined,
        more: { SecretBinary: Buffer.from('bytes') },
        message: /is binary/,
        hint: /text or JSON/,
      },
      {
        what: 'a secret of a service',
        content: old.reveal(),
        more: { Tags: [{ Key: 'aws:secretsmanager:owningService', Value: 'rds' }] },
        message: /belongs to rds/,
        hint: /of your own/,
      },
    ]
    test.each(refusals)('$what', async ({ content, field, more, message, hint }) => {
      await create(content, more)
      const before = await labelsOf(client, moto.id)
      const error = await failure(target(field).check())
      expect(error).toMatchObject({
        code: 'target-refused',
        message: expect.stringMatching(message) as string,
      })
      expect(error.hint).toMatch(hint)
      expect(await labelsOf(client, moto.id)).toEqual(before)
    })

    test('a secret that is about to be deleted', async () => {
      await create(old.reveal())
      await client.deleteSecret({ SecretId: moto.id, RecoveryWindowInDays: 7 })
      const error = await failure(target().check())
      expect(error.hint).toContain(`aws secretsmanager restore-secret --secret-id ${moto.id}`)
      expect((await failure(target().read())).code).toBe('target-refused')
    })

    test('a replica, which names the region to write in', async () => {
      await create(old.reveal(), { AddReplicaRegions: [{ Region: 'eu-west-1' }] })
      vi.stubEnv('AWS_REGION', 'eu-west-1')
      try {
        expect((await failure(target().check())).hint).toContain('AWS_REGION=us-east-1')
      } finally {
        vi.stubEnv('AWS_REGION', 'us-east-1')
      }
    })

    test('a rotation of somebody else’s under way, at every call that would write', async () => {
      await create(old.reveal())
      const theirs = randomUUID()
      const pending = { SecretId: moto.id, SecretString: third.reveal(), VersionStages: ['AWSPENDING'] }
      await client.putSecretValue({ ...pending, ClientRequestToken: theirs })
      const before = await labelsOf(client, moto.id)
      const held = await target().read()
      const calls = [
        () => target().check(),
        () => target().write(successor, held),
        () => target().stage?.(successor, held) ?? Promise.resolve(),
      ]
      for (const call of calls) {
        const error = await failure(call())
        expect(error.code).toBe('target-refused')
        expect(error.message).toContain(`version ${theirs} is labelled AWSPENDING`)
        expect(error.hint).toContain(`--version-stage AWSPENDING --remove-from-version-id ${theirs}`)
      }
      await target().restore(held, successor)
      expect(await labelsOf(client, moto.id)).toEqual(before)
      // where it ended with both labels on one version, as AWS allows, it is over
      await client.updateSecretVersionStage({
        SecretId: moto.id,
        VersionStage: 'AWSCURRENT',
        RemoveFromVersionId: held?.version,
        MoveToVersionId: theirs,
      })
      await target().check()
      await target().write(successor, await target().read())
      expect(await contentOf(client, moto.id)).toBe(successor.reveal())
    })
  })

  test('what check cannot prove, and what will change it again, is told', async () => {
    await create(old.reveal(), { KmsKeyId: 'alias/ours' })
    await client.rotateSecret({
      SecretId: moto.id,
      RotationRules: { AutomaticallyAfterDays: 30 },
      RotateImmediately: false,
    })
    await target().check()
    expect(warned.join('\n')).toMatch(
      /cancel-rotate-secret --secret-id app\/[\s\S]*kms:GenerateDataKey with alias\/ours/,
    )
    moto.id = `app/${randomUUID()}`
    warned.length = 0
    await target(undefined, true).check()
    expect(warned).toEqual([expect.stringMatching(/CreateSecret.*DeleteSecret/)])
  })
})

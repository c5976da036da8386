// Which secrets the target leaves alone, and what it says where AWS refuses or cannot be asked, against moto.
import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { beforeAll, beforeEach, describe, expect, inject, test, vi } from 'vitest'
import { parseTarget } from '../../src/targets/index.ts'
import type { Target } from '../../src/targets/target.ts'
import { awsEnvironment, awsError, contentOf, createClient, labelsOf, type AwsFacts } from '../servers/aws.ts'
import { createFaultProxy, type FaultProxy } from '../servers/fault-proxy.ts'
import { failure, old, successor, third } from './contract.ts'
import { testDeps } from './deps.ts'

const facts = inject('servers')['aws'] as AwsFacts | undefined

describe.skipIf(!facts)('aws-sm: refusals', () => {
  const client = createClient(facts?.url ?? '')
  let id: string
  let warned: string[]
  beforeAll(() => {
    for (const [key, value] of Object.entries(awsEnvironment(facts?.url ?? ''))) vi.stubEnv(key, value)
    return () => vi.unstubAllEnvs()
  })
  beforeEach(() => {
    id = `app/${randomUUID()}`
    warned = []
  })
  const target = (field?: string, createTarget = false): Target => {
    const warn = (text: string) => void warned.push(text)
    const deps = testDeps('/', { createTarget, warn, env: process.env })
    return parseTarget(`aws-sm:${id}${field === undefined ? '' : `#${field}`}`, deps)
  }
  const create = (content: string | undefined, more: object = {}) =>
    client.createSecret({ Name: id, SecretString: content, ...more })

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
      const before = await labelsOf(client, id)
      const error = await failure(target(field).check())
      expect(error).toMatchObject({
        code: 'target-refused',
        message: expect.stringMatching(message) as string,
      })
      expect(error.hint).toMatch(hint)
      expect(await labelsOf(client, id)).toEqual(before)
    })

    test('a secret that is about to be deleted', async () => {
      await create(old.reveal())
      await client.deleteSecret({ SecretId: id, RecoveryWindowInDays: 7 })
      const error = await failure(target().check())
      expect(error.hint).toContain(`aws secretsmanager restore-secret --secret-id ${id}`)
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
      const pending = { SecretId: id, SecretString: third.reveal(), VersionStages: ['AWSPENDING'] }
      await client.putSecretValue({ ...pending, ClientRequestToken: theirs })
      const before = await labelsOf(client, id)
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
      expect(await labelsOf(client, id)).toEqual(before)
      // where it ended with both labels on one version, as AWS allows, it is over
      await client.updateSecretVersionStage({
        SecretId: id,
        VersionStage: 'AWSCURRENT',
        RemoveFromVersionId: held?.version,
        MoveToVersionId: theirs,
      })
      await target().check()
      await target().write(successor, await target().read())
      expect(await contentOf(client, id)).toBe(successor.reveal())
    })
  })

  test('what check cannot prove, and what will change it again, is told', async () => {
    await create(old.reveal(), { KmsKeyId: 'alias/ours' })
    await client.rotateSecret({
      SecretId: id,
      RotationRules: { AutomaticallyAfterDays: 30 },
      RotateImmediately: false,
    })
    await target().check()
    expect(warned.join('\n')).toMatch(
      /cancel-rotate-secret --secret-id app\/[\s\S]*kms:GenerateDataKey with alias\/ours/,
    )
    id = `app/${randomUUID()}`
    warned = []
    await target(undefined, true).check()
    expect(warned).toEqual([expect.stringMatching(/CreateSecret.*DeleteSecret/)])
  })

  describe('signing in', () => {
    /** As on a machine of which this is all that is known. */
    async function on(env: Record<string, string | undefined>, work: () => Promise<void>): Promise<void> {
      for (const [key, value] of Object.entries(env)) vi.stubEnv(key, value)
      try {
        await work()
      } finally {
        vi.unstubAllEnvs()
        for (const [key, value] of Object.entries(awsEnvironment(facts?.url ?? ''))) vi.stubEnv(key, value)
      }
    }

    test('no region: says where one may stand', async () => {
      await on({ AWS_REGION: undefined }, async () => {
        const error = await failure(target().check())
        expect(error).toMatchObject({
          code: 'target-refused',
          message: expect.stringContaining('no AWS region') as string,
        })
        expect(error.hint).toMatch(/AWS_REGION.*profile.*ARN/)
      })
    })

    test('the region of an ARN wins, and needs no other', async () => {
      const { ARN } = await createClient(facts?.url ?? '', 'eu-west-1').createSecret({
        Name: id,
        SecretString: old.reveal(),
      })
      for (const region of [undefined, 'us-east-1']) {
        await on({ AWS_REGION: region }, async () => {
          const own = parseTarget(`aws-sm:${ARN}`, testDeps('/', { env: process.env }))
          await own.check()
          expect((await own.read())?.value.reveal()).toBe(old.reveal())
        })
      }
    })

    test('an ARN that leads to nothing is not made', async () => {
      id = `arn:aws:secretsmanager:us-east-1:123456789012:secret:app/none-AbCdEf`
      expect((await failure(target().check())).message).toContain('there is no secret')
      expect((await failure(target(undefined, true).check())).hint).toContain('write its name')
    })

    test('the profile of AWS_PROFILE gives region and credentials', async () => {
      const folder = await mkdtemp(path.join(tmpdir(), 'aws-'))
      try {
        await writeFile(
          path.join(folder, 'config'),
          '[profile ops]\nregion = eu-west-1\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = loopback\n',
        )
        await createClient(facts?.url ?? '', 'eu-west-1').createSecret({
          Name: id,
          SecretString: old.reveal(),
        })
        const keys = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, AWS_REGION: undefined }
        const profile = { AWS_PROFILE: 'ops', AWS_CONFIG_FILE: path.join(folder, 'config') }
        await on({ ...keys, ...profile }, async () => {
          expect((await target().read())?.value.reveal()).toBe(old.reveal())
        })
        // the profile wins over keys in the environment, and the SDK's word on that is a warning of ours
        await on({ ...profile, AWS_REGION: undefined }, async () => {
          await target().read()
          expect(warned).toEqual([expect.stringMatching(/^aws-sm:.*Multiple credential sources/)])
        })
      } finally {
        await rm(folder, { recursive: true })
      }
    })

    test('no credentials at all', async () => {
      await on({ AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined }, async () => {
        const error = await failure(target().check())
        expect(error).toMatchObject({
          code: 'target-refused',
          message: expect.stringContaining('no AWS credentials') as string,
        })
        expect(error.hint).toMatch(/aws sso login.*AWS_PROFILE.*AWS_ACCESS_KEY_ID/)
      })
    })

    test('a single sign-on that has run out', async () => {
      const home = await mkdtemp(path.join(tmpdir(), 'aws-'))
      try {
        const url = 'https://example.awsapps.com/start'
        await mkdir(path.join(home, '.aws/sso/cache'), { recursive: true })
        const cached = {
          startUrl: url,
          region: 'us-east-1',
          accessToken: 'x',
          expiresAt: '2020-01-01T00:00:00Z',
        }
        const file = `${createHash('sha1').update('ours').digest('hex')}.json`
        await writeFile(path.join(home, '.aws/sso/cache', file), JSON.stringify(cached))
        const config =
          `[profile sso]\nregion = us-east-1\nsso_session = ours\nsso_account_id = 123456789012\nsso_role_name = ops\n` +
          `[sso-session ours]\nsso_start_url = ${url}\nsso_region = us-east-1\n`
        await writeFile(path.join(home, '.aws/config'), config)
        const keys = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined }
        const profile = { AWS_PROFILE: 'sso', AWS_CONFIG_FILE: path.join(home, '.aws/config'), HOME: home }
        await on({ ...keys, ...profile }, async () => {
          const error = await failure(target().check())
          expect(error).toMatchObject({
            code: 'target-refused',
            message: expect.stringContaining('has expired') as string,
          })
          expect(error.hint).toContain('aws sso login')
        })
      } finally {
        await rm(home, { recursive: true })
      }
    })
  })

  describe('what AWS answers', () => {
    let proxy: FaultProxy
    beforeAll(async () => {
      proxy = await createFaultProxy(facts?.url ?? '')
      return () => proxy.close()
    })

    test.each([
      [
        'AccessDeniedException',
        'Access to KMS is not allowed',
        'target-refused',
        /KMS/,
        /kms:Decrypt and kms:GenerateDataKey/,
      ],
      ['DecryptionFailure', "Secrets Manager can't decrypt it", 'target-refused', /KMS key/, /is enabled/],
      [
        'AccessDeniedException',
        'User: x is not authorized to perform: secretsmanager:DescribeSecret on resource: app/x because',
        'target-refused',
        /not allowed to do DescribeSecret/,
        /allow secretsmanager:DescribeSecret on it; or there is no such secret in this region/,
      ],
      [
        'UnrecognizedClientException',
        'The security token is invalid.',
        'target-refused',
        /credentials/,
        /clock/,
      ],
      ['LimitExceededException', 'too many versions', 'target-refused', /limit/, /24 hours/],
      ['InvalidRequestException', 'no', 'target-refused', /AWS refuses it \(no\)/, /./],
      ['InternalServiceError', 'x', 'target-failed', /out of order \(500\)/, /again/],
    ])('%s: %s', async (type, message, code, told, hint) => {
      vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', proxy.url)
      const mend = await proxy.fail('forbidden', () =>
        awsError(type, message, type === 'InternalServiceError' ? 500 : 400),
      )
      try {
        const error = await failure(target().read())
        expect(error).toMatchObject({ code, message: expect.stringMatching(told) as string })
        expect(error.hint).toMatch(hint)
      } finally {
        await mend()
        vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', facts?.url)
      }
    })

    test('nobody at the endpoint: named, and nothing was done', async () => {
      const gone = await createFaultProxy(facts?.url ?? '')
      await gone.close()
      vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', gone.url)
      try {
        const error = await failure(target().read())
        expect(error).toMatchObject({ code: 'target-failed' })
        expect(error.message).toContain(new URL(gone.url).host)
      } finally {
        vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', facts?.url)
      }
    })
  })
})

// Whom the target signs in as, and what it says where AWS refuses or cannot be asked, against moto.
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { parseTarget } from '../../src/targets/index.ts'
import { awsError, createClient, type AwsFacts } from '../servers/aws.ts'
import { createFaultProxy, type FaultProxy } from '../servers/fault-proxy.ts'
import { stubMoto, useMoto } from './aws-sm-fixture.ts'
import { failure, old } from './contract.ts'
import { testDeps } from './deps.ts'

const facts = inject('servers')['aws'] as AwsFacts | undefined

describe.skipIf(!facts)('aws-sm: signing in and what AWS answers', () => {
  const moto = useMoto(facts)
  const { target, warned } = moto

  describe('signing in', () => {
    /** As on a machine of which this is all that is known. */
    async function on(env: Record<string, string | undefined>, work: () => Promise<void>): Promise<void> {
      for (const [key, value] of Object.entries(env)) vi.stubEnv(key, value)
      try {
        await work()
      } finally {
        vi.unstubAllEnvs()
        stubMoto(facts)
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
        Name: moto.id,
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

    test('which secret of that name it is, is told by its ARN, however the region is named', async () => {
      const folder = await mkdtemp(path.join(tmpdir(), 'aws-'))
      try {
        await writeFile(
          path.join(folder, 'config'),
          '[profile ops]\nregion = eu-west-1\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = loopback\n',
        )
        const keys = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, AWS_REGION: undefined }
        const profile = { ...keys, AWS_PROFILE: 'ops', AWS_CONFIG_FILE: path.join(folder, 'config') }
        const create = async (region: string) =>
          (await createClient(facts?.url ?? '', region).createSecret({ Name: moto.id, SecretString: 'x' }))
            .ARN
        const there = await create('eu-west-1')
        const found: unknown[] = []
        const ask = async () => void found.push((await target().identify?.()) ?? 'none', target().place)
        await on(profile, ask)
        await on({ AWS_REGION: 'eu-west-1' }, ask)
        await on({ AWS_REGION: 'us-east-1' }, ask)
        const { place } = target()
        expect(found).toEqual([there, place, there, place, 'none', place])
        await on({ AWS_REGION: 'us-east-1' }, async () => {
          const here = await create('us-east-1')
          expect(await target().identify?.()).toBe(here)
          expect(here).not.toBe(there)
        })
      } finally {
        await rm(folder, { recursive: true })
      }
    })

    test('an ARN that leads to nothing is not made', async () => {
      moto.id = `arn:aws:secretsmanager:us-east-1:123456789012:secret:app/none-AbCdEf`
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
          Name: moto.id,
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

    test('an endpoint on another machine that is plain http, unless it is meant', async () => {
      const folder = await mkdtemp(path.join(tmpdir(), 'aws-'))
      try {
        const config = path.join(folder, 'config')
        await writeFile(config, '[default]\nendpoint_url = http://aws.invalid:4566\n')
        vi.stubEnv('AWS_CONFIG_FILE', config)
        vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', undefined)
        const error = await failure(target().check())
        expect(error).toMatchObject({ code: 'insecure-url' })
        expect(error.message).toContain('http://aws.invalid:4566')
        expect(error.hint).toContain('--insecure-http')
        const meant = parseTarget(
          `aws-sm:${moto.id}`,
          testDeps('/', { insecureHttp: true, env: process.env }),
        )
        expect((await failure(meant.check())).message).toContain('there is no host aws.invalid')
      } finally {
        vi.stubEnv('AWS_CONFIG_FILE', '/dev/null')
        vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', facts?.url)
        await rm(folder, { recursive: true })
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

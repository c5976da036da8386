import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { Secret } from '../../src/secret.ts'
import { isOwnVersion, ownVersion } from '../../src/targets/aws-sm-version.ts'
import { findSamePlace, parseTarget } from '../../src/targets/index.ts'
import { testDeps } from './deps.ts'

const arn = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/pictify-AbCdEf'
const at = (env: Record<string, string | undefined>) => testDeps('/', { env })

describe('what names a secret', () => {
  test.each([
    'aws-sm:app/pictify',
    'aws-sm:a_b+c=d.e@f-g#KEY',
    `aws-sm:${arn}`,
    `aws-sm:${arn}#KEY`,
    'aws-sm:arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:app-AbCdEf',
  ])('%s', (spec) => {
    expect(parseTarget(spec, at({}))).toMatchObject({ name: spec, readback: 'value' })
  })

  test.each([
    'aws-sm:',
    'aws-sm:#KEY',
    'aws-sm:app#',
    'aws-sm:app pictify',
    'aws-sm:app;rm',
    `aws-sm:${'x'.repeat(513)}`,
    'aws-sm:arn:aws:s3:::bucket',
    'aws-sm:arn:aws:secretsmanager:eu-west-1:12:secret:app',
    'aws-sm:arn:aws:secretsmanager:eu-west-1:123456789012:secret:',
  ])('%s does not', (spec) => {
    expect(() => parseTarget(spec, at({}))).toThrow(
      expect.objectContaining({
        code: 'invalid-target',
        hint: expect.stringContaining('aws-sm:<name or ARN>[#json-field]') as string,
      }) as Error,
    )
  })
})

describe('one place or two', () => {
  const same = async (one: string, other: string) =>
    (await findSamePlace([one, other].map((spec) => parseTarget(spec, at({}))))) !== undefined

  test.each([
    ['aws-sm:app', 'aws-sm:app', true],
    ['aws-sm:app#A', 'aws-sm:app#A', true],
    ['aws-sm:app', 'aws-sm:app#A', true],
    ['aws-sm:app#A', 'aws-sm:app#B', false],
    ['aws-sm:app', 'aws-sm:other', false],
    [`aws-sm:${arn}#A`, `aws-sm:${arn}#A`, true],
    [`aws-sm:${arn}#A`, `aws-sm:${arn.replace('eu-west-1', 'us-east-1')}#A`, false],
  ])('%s and %s: %s', async (one, other, expected) => {
    expect(await same(one, other)).toBe(expected)
  })

  test('a name or an ARN is a place of its endpoint, however region and account are named', () => {
    const places = (spec: string) =>
      new Set(
        [
          {},
          { AWS_REGION: 'eu-west-1' },
          { AWS_PROFILE: 'ops' },
          { AWS_ENDPOINT_URL_SECRETS_MANAGER: 'http://127.0.0.1:4566' },
        ].map((env) => parseTarget(spec, at(env)).place),
      ).size
    expect(places('aws-sm:app')).toBe(2)
    expect(places(`aws-sm:${arn}`)).toBe(2)
  })
})

describe('the id of a version', () => {
  const [secret, other] = [new Secret('pk_live_one'), new Secret('pk_live_two')]

  test('is a UUID of version 8, the same for the same', () => {
    const id = ownVersion(secret, ['put', arn, 'KEY'])
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(ownVersion(new Secret('pk_live_one'), ['put', arn, 'KEY'])).toBe(id)
  })

  test('is another for another secret, place or way of cutting the parts', () => {
    const ids = [
      ownVersion(secret, ['put', arn, 'KEY']),
      ownVersion(other, ['put', arn, 'KEY']),
      ownVersion(secret, ['put', arn, 'OTHER']),
      ownVersion(secret, ['put', `${arn}KEY`, '']),
      ownVersion(secret, ['put', arn, 'KEY', '']),
    ]
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('is known for ours, and nobody else’s is', () => {
    const id = ownVersion(secret, ['put'])
    expect(isOwnVersion(id)).toBe(true)
    for (let at = 0; at < id.length; at += 1) {
      const changed = id.slice(0, at) + (id[at] === '0' ? '1' : '0') + id.slice(at + 1)
      expect(isOwnVersion(changed)).toBe(false)
    }
    for (let count = 0; count < 100; count += 1) expect(isOwnVersion(randomUUID())).toBe(false)
  })
})

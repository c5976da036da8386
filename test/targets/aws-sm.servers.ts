// AWS Secrets Manager, against moto.
import { afterAll, beforeAll, describe, inject, vi } from 'vitest'
import { awsEnvironment, createClient, createPlace, refuse, type AwsFacts } from '../servers/aws.ts'
import { createFaultProxy, type FaultProxy } from '../servers/fault-proxy.ts'
import { describeTarget } from './contract.ts'

const facts = inject('servers')['aws'] as AwsFacts | undefined

describe.skipIf(!facts)('aws-sm', () => {
  const client = createClient(facts?.url ?? '')
  let proxy: FaultProxy
  beforeAll(async () => {
    proxy = await createFaultProxy(facts?.url ?? '')
    for (const [key, value] of Object.entries(awsEnvironment(proxy.url))) vi.stubEnv(key, value)
  })
  afterAll(async () => {
    vi.unstubAllEnvs()
    await proxy.close()
  })

  describe.each([
    { what: 'a whole secret', field: undefined, largest: 65_536 },
    { what: 'a field of one', field: 'KEY', largest: 65_400 } as const,
  ])('$what', ({ field, largest }) => {
    describeTarget({
      place: async () => createPlace(client, field),
      largest,
      refuses: [{ value: 'x'.repeat(65_537), message: /\d+ bytes as a whole.*65536/ }],
      fail: (fault) => proxy.fail(fault, () => refuse(fault)),
      ownPauses: true,
      loginHint: /aws sso login/,
      beforeNextWrite: (change) =>
        proxy.beforeNext(
          ({ headers }, body) =>
            headers['x-amz-target'] === 'secretsmanager.UpdateSecretVersionStage' &&
            body.includes('"AWSCURRENT"'),
          change,
        ),
      env: () => awsEnvironment(proxy.url),
    })
  })
})

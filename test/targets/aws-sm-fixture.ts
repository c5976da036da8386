import { randomUUID } from 'node:crypto'
import type { CreateSecretCommandOutput, SecretsManager } from '@aws-sdk/client-secrets-manager'
import { beforeAll, beforeEach, vi } from 'vitest'
import { parseTarget } from '../../src/targets/index.ts'
import type { Target } from '../../src/targets/target.ts'
import { awsEnvironment, createClient, labelled, labelsOf, type AwsFacts } from '../servers/aws.ts'
import { testDeps } from './deps.ts'

export interface Moto {
  /** Somebody else's own client. */
  client: SecretsManager
  /** The name of the test's own secret, which is not there yet; a test may choose another. */
  id: string
  /** What was warned of in the test. */
  warned: string[]
  /** The target at that secret, or at a field of it. */
  target: (field?: string, createTarget?: boolean) => Target
  /** The version that has this label; undefined: none has it. */
  at: (label: string) => Promise<string | undefined>
  /** Makes the secret, as somebody else would. */
  create: (content: string | undefined, more?: object) => Promise<CreateSecretCommandOutput>
}

/** Lets this process find moto, and nothing of this machine's own. */
export function stubMoto(facts: AwsFacts | undefined): void {
  for (const [key, value] of Object.entries(awsEnvironment(facts?.url ?? ''))) vi.stubEnv(key, value)
}

/** For the suite it is called in: signed in to moto, with a secret of its own for each test. */
export function useMoto(facts: AwsFacts | undefined): Moto {
  const client = createClient(facts?.url ?? '')
  const moto: Moto = {
    client,
    id: '',
    warned: [],
    target(field, createTarget = false) {
      const warn = (text: string) => void moto.warned.push(text)
      const deps = testDeps('/', { createTarget, warn, env: process.env })
      return parseTarget(`aws-sm:${moto.id}${field === undefined ? '' : `#${field}`}`, deps)
    },
    at: async (label) => labelled(await labelsOf(client, moto.id), label),
    create: (content, more = {}) => client.createSecret({ Name: moto.id, SecretString: content, ...more }),
  }
  beforeAll(() => {
    stubMoto(facts)
    return () => vi.unstubAllEnvs()
  })
  beforeEach(() => {
    moto.id = `app/${randomUUID()}`
    moto.warned.length = 0
  })
  return moto
}

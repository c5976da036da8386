// The policies of docs/targets.md are enough, and no action of them is too much: against moto, which keeps to IAM policies.
// It looks at actions alone, so that the resources of the policies are compared here.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { parseTarget } from '../../src/targets/index.ts'
import type { Target } from '../../src/targets/target.ts'
import { awsEnvironment, contentOf, createClient, labelsOf, type AwsFacts } from '../servers/aws.ts'
import { failure, old, successor } from './contract.ts'
import { testDeps } from './deps.ts'

const facts = inject('servers')['aws'] as AwsFacts | undefined
const document = await readFile(fileURLToPath(new URL('../../docs/targets.md', import.meta.url)), 'utf8')

interface Statement {
  Effect: 'Allow'
  Action: string[]
  Resource: string | string[]
}

/** The policies of the section, in their order. */
function documentedPolicies(): Statement[][] {
  const section = document.split('## AWS Secrets Manager\n')[1]?.split('\n## ')[0] ?? ''
  const blocks = [...section.matchAll(/```json\n([\s\S]*?)```/g)].map(([, block]) => block ?? '')
  return blocks.map((block) => (JSON.parse(block) as { Statement: Statement[] }).Statement)
}

describe.skipIf(!facts)('aws-sm: least permission', () => {
  const url = facts?.guarded ?? ''
  const region = 'eu-west-1'
  const id = 'app/pictify'
  const client = createClient(url, region)
  const [write = [], create = []] = documentedPolicies()
  const actions = (statements: Statement[]) => statements.flatMap(({ Action }) => Action)
  let users = 0
  beforeAll(() => {
    for (const [key, value] of Object.entries({ ...awsEnvironment(url), AWS_REGION: region }))
      vi.stubEnv(key, value)
    return () => vi.unstubAllEnvs()
  })
  afterEach(async () => {
    await guard(false)
    await client.deleteSecret({ SecretId: id, ForceDeleteWithoutRecovery: true })
  })

  /** Whether policies are kept to from now on. */
  async function guard(isOn: boolean): Promise<void> {
    await fetch(`${url}/moto-api/reset-auth`, { method: 'POST', body: isOn ? '0' : 'inf' })
  }

  async function iam(parameters: Record<string, string>): Promise<string> {
    const scope =
      'AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=x'
    const body = new URLSearchParams({ Version: '2010-05-08', ...parameters })
    const answer = await fetch(url, { method: 'POST', headers: { authorization: scope }, body })
    expect(answer.status).toBe(200)
    return answer.text()
  }

  /** From now on we are a user who may do these, and nothing else. */
  async function allow(allowed: string[]): Promise<void> {
    const UserName = `user-${(users += 1)}`
    const Statement = [{ Effect: 'Allow', Action: allowed, Resource: '*' }]
    await iam({ Action: 'CreateUser', UserName })
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement })
    await iam({ Action: 'PutUserPolicy', UserName, PolicyName: 'least', PolicyDocument })
    const key = await iam({ Action: 'CreateAccessKey', UserName })
    const part = (name: string) => new RegExp(`<${name}>(.*?)</${name}>`).exec(key)?.[1] ?? ''
    vi.stubEnv('AWS_ACCESS_KEY_ID', part('AccessKeyId'))
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', part('SecretAccessKey'))
    await guard(true)
  }

  function target(createTarget = false): Target {
    return parseTarget(`aws-sm:${id}#KEY`, testDeps('/', { createTarget, env: process.env }))
  }

  test('the resources are that secret, and one that is not there yet', async () => {
    const { ARN = '' } = await client.createSecret({ Name: id, SecretString: '{}' })
    const covers = (statements: Statement[], arn: string) =>
      statements.flatMap(({ Resource }) => Resource).some((pattern) => asRegExp(pattern).test(arn))
    expect(covers(write, ARN)).toBe(true)
    expect(covers(create, ARN)).toBe(true)
    // as AWS sees it before it is made
    expect(covers(create, ARN.slice(0, -7))).toBe(true)
    expect(covers([...write, ...create], ARN.replace('pictify', 'other'))).toBe(false)
  })

  test('the first policy is enough to check, stage, write, read and undo, with and without a way back to the old version', async () => {
    await client.createSecret({ Name: id, SecretString: `{"KEY":"${old.reveal()}"}` })
    await allow(actions(write))
    const warned: string[] = []
    await parseTarget(
      `aws-sm:${id}#KEY`,
      testDeps('/', { warn: (text) => void warned.push(text), env: process.env }),
    ).check()
    expect(warned).toEqual([])
    const held = await target().read()
    await target().stage?.(successor, held)
    await target().write(successor, held)
    await target().restore(held, successor)
    await target().write(successor, held)
    expect((await target().read())?.value.reveal()).toBe(successor.reveal())
    await target().restore({ value: old }, successor)
    await target().stage?.(successor, held)
    await target().restore({ value: old }, successor)
    await guard(false)
    expect(await contentOf(client, id)).toBe(`{"KEY":"${old.reveal()}"}`)
  })

  test.each(actions(write))('without %s, check says so before anything is changed', async (action) => {
    await client.createSecret({ Name: id, SecretString: `{"KEY":"${old.reveal()}"}` })
    const before = await labelsOf(client, id)
    await allow(actions(write).filter((each) => each !== action))
    const error = await failure(target().check())
    expect(error.code).toBe('target-refused')
    expect(error.hint).toContain(`allow ${action}`)
    await guard(false)
    expect(await labelsOf(client, id)).toEqual(before)
  })

  test('with the second it is made, and removed by an undo', async () => {
    await allow([...actions(write), ...actions(create)])
    await target(true).check()
    await target(true).write(successor, undefined)
    expect((await target().read())?.value.reveal()).toBe(successor.reveal())
    await target().restore(undefined, successor)
    expect(await target().read()).toBeUndefined()
  })

  test('without secretsmanager:CreateSecret it is not made, without secretsmanager:DeleteSecret not removed', async () => {
    await allow(actions(write))
    expect((await failure(target(true).write(successor, undefined))).hint).toContain(
      'allow secretsmanager:CreateSecret',
    )
    await guard(false)
    expect(await labelsOf(client, id)).toBeUndefined()
    await allow([...actions(write), 'secretsmanager:CreateSecret'])
    await target(true).write(successor, undefined)
    expect((await failure(target().restore(undefined, successor))).hint).toContain(
      'allow secretsmanager:DeleteSecret',
    )
  })
})

/** A resource of a policy: `*` and `?` stand for any. */
function asRegExp(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\/]/g, '\\$&')
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`)
}

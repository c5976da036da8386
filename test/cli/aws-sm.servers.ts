// The built program with a secret of AWS, against moto and the sandbox.
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import {
  awsEnvironment,
  contentOf,
  countVersions,
  createClient,
  labelled,
  labelsOf,
  type AwsFacts,
} from '../servers/aws.ts'
import { errorOf } from './account.ts'
import { openRotating, quick, type Rotating } from './rotating.ts'

const facts = inject('servers')['aws'] as AwsFacts | undefined

describe.skipIf(!facts)('aws-sm, by the program', () => {
  const client = createClient(facts?.url ?? '')
  const env = awsEnvironment(facts?.url ?? '')
  let account: Rotating
  let id: string
  beforeEach(async () => {
    account = await openRotating()
    id = `app/${randomUUID()}`
  })
  afterEach(() => account.end())

  const holding = () =>
    client.createSecret({
      Name: id,
      SecretString: `{\n  "PICTIFY_API_KEY": "${account.old.secret.reveal()}"\n}`,
    })
  const keyIn = async () =>
    (JSON.parse((await contentOf(client, id)) ?? '{}') as Record<string, string>)['PICTIFY_API_KEY']

  test('create puts the secret there, and it is nowhere else', async () => {
    const args = ['create', 'App', '--type', 'live', '--to', `aws-sm:${id}`, '--create-target', '--json']
    const ran = await account.run(args, { env })
    expect(ran).toMatchObject({ exit: 0 })
    const secret = await contentOf(client, id)
    expect(secret).toMatch(/^pk_/)
    expect(JSON.parse(ran.stdout)).toMatchObject({ apiKey: { name: 'App' } })
    expect(ran.stdout + ran.stderr).not.toContain(secret)
    // every line is an event, whatever the SDK has to say of the Node it runs on
    for (const line of ran.stderr.trim().split('\n')) JSON.parse(line)
  })

  test('rotate stages it, proves it and makes it current', async () => {
    await holding()
    const before = labelled(await labelsOf(client, id), 'AWSCURRENT')
    const ran = await account.run(
      ['rotate', account.old.id, '--to', `aws-sm:${id}#PICTIFY_API_KEY`, ...quick],
      { env },
    )
    expect(ran).toMatchObject({ exit: 0 })
    expect(JSON.parse(ran.stdout)).toMatchObject({ rotation: { state: 'done' } })
    expect(await keyIn()).toMatch(/^pk_/)
    expect(await keyIn()).not.toBe(account.old.secret.reveal())
    const labels = await labelsOf(client, id)
    expect(labelled(labels, 'AWSPREVIOUS')).toBe(before)
    expect(labelled(labels, 'AWSPENDING')).toBeUndefined()
    expect(await countVersions(client, id)).toBe(2)
  })

  test('rotate that fails puts the old version back: exit 6', async () => {
    await holding()
    const before = await labelsOf(client, id)
    const args = [
      'rotate',
      account.old.id,
      '--to',
      `aws-sm:${id}#PICTIFY_API_KEY`,
      '--verify',
      'false',
      ...quick,
    ]
    expect(await account.run(args, { env })).toMatchObject({ exit: 6 })
    expect(await keyIn()).toBe(account.old.secret.reveal())
    expect(labelled(await labelsOf(client, id), 'AWSCURRENT')).toBe(labelled(before, 'AWSCURRENT'))
    expect(account.keys()).toHaveLength(1)
  })

  test('rotate without a login is refused before a key is made', async () => {
    await holding()
    const away = { ...env, AWS_ACCESS_KEY_ID: undefined }
    const ran = await account.run(
      ['rotate', account.old.id, '--to', `aws-sm:${id}#PICTIFY_API_KEY`, ...quick],
      { env: away },
    )
    expect(ran.exit).toBe(1)
    expect(errorOf(ran)).toMatchObject({ message: expect.stringContaining('no AWS credentials') as string })
    expect(account.keys()).toHaveLength(1)
  })
})

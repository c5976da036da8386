// Our target and the real gcloud, held against each other: what one writes the other reads.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { parseTarget } from '../../src/targets/index.ts'
import type { TargetDeps } from '../../src/targets/target.ts'
import { certificate } from '../servers/google/roots.ts'
import { project } from '../servers/google/secrets.ts'
import { failure, old, successor, third } from './contract-fixture.ts'
import { testDeps } from './deps.ts'
import { admin, createStage, parent, type Stage } from './gcp-sm-fixture.ts'

interface Gcloud {
  command: string
  env: Record<string, string>
}
const gcloud = inject('servers')['gcloud'] as Gcloud | undefined

describe.skipIf(!gcloud)('gcp-sm and gcloud', () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await createStage()
    Object.assign(process.env, stage.env)
  })
  afterAll(() => stage.close())

  const targetAt = (spec: string, more: Partial<TargetDeps> = {}) =>
    parseTarget(spec, testDeps('/', { env: process.env, ...more }))

  /** Runs `gcloud secrets …` as somebody who may do everything; resolves to what it printed, byte for byte. */
  async function secrets(...args: string[]): Promise<Buffer> {
    if (!gcloud) throw new Error('there is no gcloud')
    const env = {
      PATH: process.env['PATH'],
      HOME: stage.folder,
      ...gcloud.env,
      CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER: stage.google.restUrl,
      CLOUDSDK_AUTH_ACCESS_TOKEN: stage.google.logins.token(admin),
      CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE: certificate('ca'),
      CLOUDSDK_CORE_PROJECT: project.id,
    }
    const run = promisify(execFile)
    const { stdout } = await run(gcloud.command, ['secrets', ...args], { env, encoding: 'buffer' })
    return stdout
  }
  const access = (id: string, version = 'latest') => secrets('versions', 'access', version, `--secret=${id}`)
  const states = async (id: string) =>
    (await secrets('versions', 'list', id, '--format=value(name,state)', '--sort-by=createTime')).toString()

  async function add(id: string, value: string): Promise<void> {
    const file = path.join(stage.folder, 'data')
    await writeFile(file, value)
    await secrets('versions', 'add', id, `--data-file=${file}`)
  }

  test('what gcloud made and wrote we read, and what we write it reads, to the byte', async () => {
    const id = stage.name()
    await secrets('create', id, '--replication-policy=automatic', '--labels=team=billing')
    await add(id, `${old.reveal()}\n`)
    const target = targetAt(`gcp-sm:${parent}/secrets/${id}`)
    await target.check()
    const held = await target.read()
    expect(held?.value.reveal()).toBe(`${old.reveal()}\n`)
    await target.write(successor, held)
    expect((await access(id)).toString()).toBe(successor.reveal())
    await target.restore(held, successor)
    expect((await access(id)).toString()).toBe(`${old.reveal()}\n`)
    expect(await states(id)).toBe('1\tenabled\n2\tdisabled\n3\tenabled\n')
    const labels = await secrets('describe', id, '--format=value(labels)')
    expect(labels.toString().trim()).toBe('team=billing')
  })

  test('one that we made is one as gcloud makes it', async () => {
    const id = stage.name()
    const target = targetAt(`gcp-sm:${parent}/secrets/${id}`, { createTarget: true })
    await target.check()
    await target.write(successor, undefined)
    expect((await access(id)).toString()).toBe(successor.reveal())
    const policy = await secrets(
      'describe',
      id,
      '--format=value(replication.automatic.yesno(yes=automatic),labels)',
    )
    expect(policy.toString()).toContain('created-by=pictify-keys')
    await target.restore(undefined, successor)
    await expect(access(id)).rejects.toThrow(/NOT_FOUND/)
  })

  test('what gcloud disables is gone for us as it is for gcloud', async () => {
    const id = stage.name()
    await secrets('create', id, '--replication-policy=automatic')
    await add(id, old.reveal())
    const target = targetAt(`gcp-sm:${parent}/secrets/${id}`)
    const held = await target.read()
    await secrets('versions', 'disable', '1', `--secret=${id}`)
    await expect(access(id)).rejects.toThrow(/FAILED_PRECONDITION.*is in DISABLED state/)
    expect(await target.read()).toBeUndefined()
    expect((await failure(target.write(successor, held))).code).toBe('target-changed')
  })

  test('what gcloud adds while we write is on top in the end', async () => {
    const id = stage.name()
    await secrets('create', id, '--replication-policy=automatic')
    await add(id, old.reveal())
    const target = targetAt(`gcp-sm:${parent}/secrets/${id}`)
    const held = await target.read()
    stage.google.beforeNextWrite = () => add(id, third.reveal())
    expect((await failure(target.write(successor, held))).code).toBe('target-changed')
    expect((await access(id)).toString()).toBe(third.reveal())
    expect((await access(id, '2')).toString()).toBe(third.reveal())
  })
})

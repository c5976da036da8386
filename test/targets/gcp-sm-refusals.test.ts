import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { parseTarget } from '../../src/targets/index.ts'
import type { TargetDeps } from '../../src/targets/target.ts'
import { type CodeName, Status } from '../servers/google/status.ts'
import { failure, hurried, old, successor } from './contract-fixture.ts'
import { testDeps } from './deps.ts'
import { createStage, parent, type Stage } from './gcp-sm-fixture.ts'

let stage: Stage
beforeAll(async () => {
  stage = await createStage()
  Object.assign(process.env, stage.env)
})
afterAll(() => stage.close())

const targetAt = (spec: string, more: Partial<TargetDeps> = {}) =>
  parseTarget(spec, testDeps('/', { env: process.env, ...more }))
const add = (secret: string, data: string | Buffer) =>
  stage.ask('AddSecretVersion', { parent: secret, payload: { data: Buffer.from(data) } })
afterEach(() => void (stage.google.fault = undefined))

async function held(options: { field?: string } = {}) {
  const place = stage.place(options)
  await place.put(old.reveal())
  return place
}

describe('what it holds', () => {
  test.each([
    ['not UTF-8', Buffer.from([0x70, 0xff, 0xfe]), '', 'is not UTF-8'],
    ['an object, without a field', '{"a":"x","b":"y"}', '', 'is a JSON object (a, b)'],
    ['no object, with a field', 'pk_live_x', '#key', 'is not a JSON object'],
    ['a number', '{"key":12}', '#key', 'the field key is not a string'],
    ['a field twice', '{"key":"a","key":"b"}', '#key', 'stands there twice'],
  ])('%s is refused', async (_what, data, field, message) => {
    const place = stage.place()
    await place.put(undefined)
    add(place.secret, data)
    const target = targetAt(place.spec + field)
    for (const call of [target.read(), target.check(), target.write(successor, undefined)]) {
      const error = await failure(call)
      expect(error.code).toBe('target-refused')
      expect(error.message).toContain(message)
    }
    expect(stage.versions(place.secret)).toEqual(['1 ENABLED'])
  })

  test('a field that is not there is told from the others', async () => {
    const { secret } = await held({ field: 'key' })
    const error = await failure(targetAt(`gcp-sm:${secret}#kye`).check())
    expect(error.message).toContain(`there is no field kye in ${secret}`)
    expect(error.hint).toContain('it has the fields user, list, key')
  })
})

describe('a target that names no secret', () => {
  test.each([
    'gcp-sm:pictify',
    'gcp-sm:projects/p/secrets/',
    'gcp-sm:projects/p/secrets/a/b',
    'gcp-sm:projects/p/secrets/s/versions/latest',
    'gcp-sm:projects/p/secrets/s#',
    'gcp-sm:',
  ])('%s', (spec) => {
    expect(() => targetAt(spec)).toThrow(expect.objectContaining({ code: 'invalid-target' }))
  })

  test('one place is one place', () => {
    expect(targetAt(`gcp-sm:${parent}/secrets/s#a`).place).toBe(`${parent}/secrets/s#a`)
  })
})

describe('what Google answers', () => {
  const info = (reason: string) => ({ reason, domain: 'googleapis.com' })
  test.each<[CodeName, string | undefined, string, string, RegExp]>([
    [
      'PERMISSION_DENIED',
      'SERVICE_DISABLED',
      'target-refused',
      'target-refused',
      /gcloud services enable secretmanager\.googleapis\.com --project=pictify-test/,
    ],
    ['PERMISSION_DENIED', 'USER_PROJECT_DENIED', 'target-refused', 'target-refused', /set-quota-project/],
    [
      'PERMISSION_DENIED',
      'ACCESS_TOKEN_SCOPE_INSUFFICIENT',
      'target-refused',
      'target-refused',
      /cloud-platform/,
    ],
    ['PERMISSION_DENIED', 'SECURITY_POLICY_VIOLATED', 'target-refused', 'target-refused', /perimeter/],
    [
      'PERMISSION_DENIED',
      'IAM_PERMISSION_DENIED',
      'target-refused',
      'target-refused',
      /role of docs\/targets\.md/,
    ],
    [
      'UNAUTHENTICATED',
      undefined,
      'target-refused',
      'target-refused',
      /gcloud auth application-default login/,
    ],
    ['INVALID_ARGUMENT', undefined, 'target-refused', 'target-refused', /Google says/],
    ['FAILED_PRECONDITION', undefined, 'target-refused', 'target-refused', /Google says/],
    ['RESOURCE_EXHAUSTED', undefined, 'target-failed', 'target-unclear', /quota of pictify-test/],
    ['ABORTED', undefined, 'target-failed', 'target-unclear', /run the same command again/],
    ['UNAVAILABLE', undefined, 'target-failed', 'target-unclear', /run the same command again/],
    ['DEADLINE_EXCEEDED', undefined, 'target-failed', 'target-unclear', /run the same command again/],
    ['INTERNAL', undefined, 'target-failed', 'target-unclear', /run the same command again/],
  ])('%s %s: read %s, write %s', async (code, reason, read, write, hint) => {
    const place = await held()
    const target = targetAt(place.spec, { clock: hurried })
    const before = await target.read()
    const says = new Status(code, 'Something about it.', reason === undefined ? undefined : info(reason))
    stage.google.fault = (method) => (method === 'AddSecretVersion' ? says : undefined)
    const written = await failure(target.write(successor, before))
    expect(written.code).toBe(write)
    expect(written.hint).toMatch(hint)
    expect(written.message).toBe(`${place.spec}: Something about it. (${code})`)
    stage.google.fault = () => says
    expect(await failure(target.read())).toMatchObject({ code: read })
  })

  test('a secret in what it says is masked', async () => {
    const place = await held()
    stage.google.fault = () => new Status('INVALID_ARGUMENT', `no ${successor.reveal()}`)
    expect((await failure(targetAt(place.spec).read())).message).toContain('no [secret]')
  })
})

// The built program with a secret of Google Secret Manager, and the sandbox.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { createStage, parent, type Stage } from '../targets/gcp-sm-fixture.ts'
import { errorOf } from './account.ts'
import { openRotating, quick, type Rotating } from './rotating.ts'

let stage: Stage
let account: Rotating
beforeAll(async () => {
  stage = await createStage()
})
afterAll(() => stage.close())
beforeEach(async () => {
  account = await openRotating()
})
afterEach(() => account.end())

test('create puts the secret there, and it is nowhere else', async () => {
  const place = stage.place()
  const args = ['create', 'App', '--type', 'live', '--to', place.spec, '--create-target', '--json']
  const ran = await account.run(args, { env: stage.env })
  expect(ran).toMatchObject({ exit: 0 })
  const key = await place.value()
  expect(key).toMatch(/^pk_/)
  expect(ran.stdout + ran.stderr).not.toContain(key)
  for (const line of ran.stderr.trim().split('\n')) JSON.parse(line)
  expect(stage.versions(place.secret)).toEqual(['1 ENABLED'])
})

test('rotate leaves the other fields, and the old value beneath; an undone one puts it on top again', async () => {
  const place = stage.place({ field: 'key' })
  await place.put(account.old.secret.reveal())
  const before = await place.others()
  const failing = await account.run(
    ['rotate', account.old.id, '--to', place.spec, '--verify', 'false', ...quick],
    {
      env: stage.env,
    },
  )
  expect(failing).toMatchObject({ exit: 6 })
  expect(await place.value()).toBe(account.old.secret.reveal())
  expect(stage.versions(place.secret)).toEqual(['1 ENABLED', '2 DISABLED', '3 ENABLED'])
  const ran = await account.run(['rotate', account.old.id, '--to', place.spec, '--debug', ...quick], {
    env: stage.env,
  })
  expect(ran).toMatchObject({ exit: 0 })
  expect(JSON.parse(ran.stdout)).toMatchObject({ rotation: { state: 'done' } })
  const key = await place.value()
  expect(key).toMatch(/^pk_/)
  expect(key).not.toBe(account.old.secret.reveal())
  expect(ran.stdout + ran.stderr).not.toContain(key)
  expect(await place.others()).toEqual(before)
  expect(stage.versions(place.secret)).toHaveLength(4)
})

test('rotate without a login is refused before a key is made', async () => {
  const ran = await account.run(['rotate', account.old.id, '--to', `gcp-sm:${parent}/secrets/x`, ...quick], {
    env: { ...stage.env, GOOGLE_APPLICATION_CREDENTIALS: '/nowhere/key.json' },
  })
  expect(ran.exit).toBe(1)
  expect(errorOf(ran)).toMatchObject({
    message: expect.stringContaining('the Google login does not work') as string,
    hint: expect.stringContaining('gcloud auth application-default login') as string,
  })
  expect(account.keys()).toHaveLength(1)
})

import { access, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rotate } from '../../src/rotation/rotate.ts'
import { failing, verifyOf } from './machines.ts'
import { setStage, type Stage } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage()
})
afterEach(() => stage.end())

/** A secret of the account that is not the old key's. */
const another = (type: 'live' | 'test') =>
  stage.sandbox.dashboard.create({ name: 'Another', type, access: 'full', createdAt: stage.old.createdAt })
const keys = () => stage.ordinary().map(({ id, name, status }) => ({ id, name, status }))

describe('refused before anything is changed is', () => {
  it('a verify command with a secret written in it', async () => {
    const before = keys()
    const command = `curl -H 'Authorization: Bearer ${stage.old.secret.reveal()}' x`
    const verify = { ...verifyOf(async () => {}), command }
    const run = rotate(stage.services(), stage.old.id, stage.options({ verify }))
    await expect(run).rejects.toMatchObject({ code: 'invalid-secret' })
    expect(keys()).toEqual(before)
  })

  it('an old secret on stdin that is not the old secret', async () => {
    const wrong = another('test')
    const before = keys()
    const targets = [stage.target('exec:cat >taken')]
    const options = stage.options({ targets, verify: failing, oldSecret: wrong.secret })
    const run = rotate(stage.services(), stage.old.id, options)
    await expect(run).rejects.toMatchObject({ code: 'target-refused' })
    await expect(access(path.join(stage.directory, 'taken'))).rejects.toMatchObject({ code: 'ENOENT' })
    expect(keys()).toEqual(before)
  })

  it('a target that holds no API key', async () => {
    await writeFile(stage.envFile, 'DATABASE_URL=postgres://db/app\n')
    const before = keys()
    const options = stage.options({ targets: [stage.target('env:.env#DATABASE_URL')] })
    const run = rotate(stage.services(), stage.old.id, options)
    await expect(run).rejects.toThrow('is not an API key')
    expect(keys()).toEqual(before)
  })

  it('a target that holds another key of the account', async () => {
    const staging = another('live')
    const before = keys()
    await writeFile(stage.envFile, `PICTIFY_API_KEY=${staging.secret.reveal()}\n`)
    const run = rotate(stage.services(), stage.old.id, stage.options())
    await expect(run).rejects.toMatchObject({ code: 'target-refused' })
    expect(await stage.held()).toBe(staging.secret.reveal())
    expect(keys()).toEqual(before)
  })
})

import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rotate } from '../../src/rotation/rotate.ts'
import { createCredentialTarget } from '../../src/targets/credential.ts'
import { dieAt, failing, leaveOpen } from './machines.ts'
import { setStage, type Stage } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage()
})
afterEach(() => stage.end())

const adminId = () => stage.sandbox.keys().find(({ access }) => access === 'admin')?.id ?? ''

/** Another admin key, with which the program was just used, in the .env. */
async function useAnotherAdminKey() {
  const fields = { name: 'ops', type: 'live', access: 'admin' } as const
  const other = stage.sandbox.dashboard.create({ ...fields, createdAt: stage.old.createdAt })
  for await (const _ of stage.client(other.secret).keys.list()) break
  await writeFile(stage.envFile, `PICTIFY_API_KEY=${other.secret.reveal()}\n`)
  return other
}

describe('the credential itself, rotated with --self,', () => {
  it('needs --self: the program would be left without a credential', async () => {
    await writeFile(stage.envFile, `PICTIFY_API_KEY=${stage.sandbox.adminKey.reveal()}\n`)
    const run = rotate(stage.services(), adminId(), stage.options())
    await expect(run).rejects.toMatchObject({ code: 'usage', exit: 2 })
    expect(await stage.call(stage.sandbox.adminKey)).toBe(200)
  })

  it.each(['said', 'not said'])('does not go where another key is kept, whose owner is %s', async (owner) => {
    if (owner === 'not said') stage.sandbox.addFault('html:GET /audit-logs')
    await writeFile(path.join(stage.directory, 'admin.env'), `ADMIN=${stage.sandbox.adminKey.reveal()}\n`)
    const targets = [stage.target('env:.env#PICTIFY_API_KEY'), stage.target('env:admin.env#ADMIN')]
    const run = rotate(stage.services(), adminId(), stage.options({ self: true, targets }))
    await expect(run).rejects.toMatchObject({ code: 'target-refused' })
    expect(await stage.held()).toBe(stage.old.secret.reveal())
  })

  it('does not go where it was not before, beside a target that cannot be read', async () => {
    const targets = [stage.target('env:new.env#ADMIN'), stage.target('exec:cat >taken')]
    const run = rotate(stage.services(), adminId(), stage.options({ self: true, targets }))
    await expect(run).rejects.toThrow('does not hold the admin key yet')
  })

  it('does not go where it was not before, unless the evidence is waived', async () => {
    const options = stage.options({ self: true, targets: [stage.target('env:new.env#ADMIN')] })
    const run = rotate(stage.services(), adminId(), options)
    await expect(run).rejects.toMatchObject({ code: 'target-refused' })
    const waived = await rotate(stage.services(), adminId(), { ...options, evidence: false })
    expect(waived.error, waived.error?.message).toBeUndefined()
  })

  it.each([
    'after saving accepted',
    'after writing value',
    'after saving delivered',
    'before saving retired, retiring',
    'after saving retired, retiring',
  ])('goes on with whichever of the two keys the user has, where it died %s', async (point) => {
    for (const has of ['the old key', 'the new key']) {
      const round = await setStage()
      try {
        const id = round.sandbox.keys().find(({ access }) => access === 'admin')?.id ?? ''
        const file = path.join(round.directory, 'admin.env')
        await writeFile(file, `ADMIN=${round.sandbox.adminKey.reveal()}\n`)
        const options = { self: true, targets: [round.target('env:admin.env#ADMIN')] }
        const admin = { ...round.old, id }
        await dieAt({ ...round, old: admin }, point, options)
        const admins = round.sandbox.keys().filter(({ access }) => access === 'admin')
        const successor = admins.find((key) => key.id !== id)?.secret ?? expect.fail()
        const works = admins.find((key) => key.id === id)?.status === 'active'
        const credential = has === 'the new key' ? successor : round.sandbox.adminKey
        if (has === 'the old key' && !works) continue
        const services = round.services({ credential, api: round.client(credential) })
        const { error } = await rotate(services, id, round.options(options))
        expect(error, `${has}: ${error?.message}`).toBeUndefined()
        expect(await readFile(file, 'utf8')).toBe(`ADMIN=${successor.reveal()}\n`)
      } finally {
        await round.end()
      }
    }
  })

  it('stays while other rotations are open, whose escrow only it opens', async () => {
    await leaveOpen(stage, stage.services())
    await writeFile(path.join(stage.directory, 'admin.env'), `ADMIN=${stage.sandbox.adminKey.reveal()}\n`)
    const options = stage.options({ self: true, targets: [stage.target('env:admin.env#ADMIN')] })
    const run = rotate(stage.services(), adminId(), options)
    await expect(run).rejects.toMatchObject({ code: 'usage' })
  })

  it('is what undoing asks with, whatever the first target held', async () => {
    await writeFile(path.join(stage.directory, 'admin.env'), `ADMIN=${stage.sandbox.adminKey.reveal()}\n`)
    const targets = [stage.target('env:new.env#ADMIN'), stage.target('env:admin.env#ADMIN')]
    const options = stage.options({ self: true, targets, verify: failing })
    const { error } = await rotate(stage.services(), adminId(), options)
    expect(error, error?.message).toMatchObject({ exit: 6 })
  })

  it('is the old secret, which a target that cannot be read gets back', async () => {
    const options = stage.options({ self: true, targets: [stage.target('exec:cat >taken')], verify: failing })
    const { error } = await rotate(stage.services(), adminId(), options)
    expect(error, error?.message).toMatchObject({ exit: 6 })
  })

  it('is put back at once when the user takes it back right after the successor took over', async () => {
    await writeFile(path.join(stage.directory, 'admin.env'), `ADMIN=${stage.sandbox.adminKey.reveal()}\n`)
    const stop = new AbortController()
    const undo = new AbortController()
    const services = stage.services({
      stop: stop.signal,
      undo: undo.signal,
      report: (event) => {
        if (event.event !== 'state' || event.state !== 'accepted') return
        stop.abort()
        undo.abort()
      },
    })
    const options = stage.options({ self: true, targets: [stage.target('env:admin.env#ADMIN')] })
    const { receipt } = await rotate(services, adminId(), options)
    expect(receipt.state).toBe('aborted')
  })
})

describe('another admin key', () => {
  it('is not taken for the credential, though the program was just used with it', async () => {
    const other = await useAnotherAdminKey()
    const { error } = await rotate(stage.services(), other.id, stage.options())
    expect(error, error?.message).toBeUndefined()
  })

  it('does not replace the stored credential, though --self was asked for', async () => {
    const other = await useAnotherAdminKey()
    let stored: typeof other.secret | undefined = stage.sandbox.adminKey
    const credential = createCredentialTarget('credential:default', {
      read: async () => stored,
      proveWritable: async () => {},
      write: async (secret) => void (stored = secret),
      remove: async () => void (stored = undefined),
    })
    const options = stage.options({ targets: [stage.target('env:.env'), credential], self: true })
    const run = rotate(stage.services(), other.id, options)
    await expect(run).rejects.toThrow('is not the admin key in use')
    expect(stored?.equals(stage.sandbox.adminKey)).toBe(true)
  })
})

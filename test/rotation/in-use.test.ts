import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KeysError } from '../../src/errors.ts'
import { rotate } from '../../src/rotation/rotate.ts'
import type { Target } from '../../src/targets/target.ts'
import { dieAt, failing, leaveOpen, machine, verifyOf } from './machines.ts'
import { setStage, type Stage } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage()
})
afterEach(() => stage.end())

describe('a key that an application uses keeps working', () => {
  it('when another server, with a .env of its own, runs the same line', async () => {
    await leaveOpen(stage, machine(stage, 'one'))
    const held = await stage.held()
    await stage.clock.sleep(5_000)
    expect(await stage.call(held)).toBe(200)
    await mkdir(path.join(stage.directory, 'server'))
    await writeFile(
      path.join(stage.directory, 'server/.env'),
      `PICTIFY_API_KEY=${stage.old.secret.reveal()}\n`,
    )
    const options = stage.options({
      targets: [stage.target('env:server/.env')],
      idleMs: 600_000,
      waitMs: 500,
    })
    await rotate(machine(stage, 'two'), stage.old.id, options)
    expect(await stage.call(held)).toBe(200)
  })

  it('when another machine runs a line with a wrong target and a missing command', async () => {
    await leaveOpen(stage, machine(stage, 'one'))
    const held = await stage.held()
    await stage.call(held)
    const options = stage.options({
      targets: [stage.target('env:production.env')],
      verify: { ...failing, exists: async () => false },
    })
    await expect(rotate(machine(stage, 'two'), stage.old.id, options)).rejects.toThrow(KeysError)
    expect(await stage.call(held)).toBe(200)
  })

  it('when undoing waits for it, and another machine runs the line', async () => {
    let secret = ''
    const verify = verifyOf(async (value) => {
      secret = value.reveal()
      await stage.call(secret)
      throw new KeysError('verify-failed', 'no')
    })
    const options = stage.options({ verify, idleMs: 600_000, waitMs: 500 })
    const first = await rotate(machine(stage, 'one'), stage.old.id, options)
    expect(first.error).toMatchObject({ exit: 5 })
    await stage.clock.sleep(3_600_000)
    expect(await stage.call(secret)).toBe(200)
    await rotate(machine(stage, 'two'), stage.old.id, stage.options({ idleMs: 600_000, waitMs: 500 }))
    expect(await stage.call(secret)).toBe(200)
  })

  it('when it had loaded it from one target before another one failed', async () => {
    const broken: Target = {
      ...stage.target('env:other.env'),
      write: async () => {
        await stage.call(await stage.held())
        throw new KeysError('target-refused', 'env: it may not be written')
      },
    }
    // The last is not come to.
    const targets = [stage.target('env:.env'), broken, stage.target('exec:cat >taken')]
    const options = stage.options({ targets, idleMs: 600_000, waitMs: 500 })
    const { error, receipt } = await rotate(stage.services(), stage.old.id, options)
    expect(error, error?.message).toMatchObject({ exit: 5 })
    expect(stage.key(receipt.newKey?.id)?.status).toBe('active')
  })

  it('when it is a stray, and the old key is gone already', async () => {
    const targets = () => [stage.target('exec:cat >taken')]
    const options = stage.options({ targets: targets(), waitMs: 500 })
    const first = await rotate(stage.services(), stage.old.id, options)
    expect(first.error).toMatchObject({ exit: 5 })
    await stage.clock.sleep(2_100)
    const inUse = await readFile(path.join(stage.directory, 'taken'), 'utf8')
    expect(await stage.call(inUse)).toBe(200)
    await dieAt(stage, 'after saving retired, retiring', { targets: targets() })
    expect(stage.key(stage.old.id)?.status).toBe('revoked')

    // On another machine; the application calls all the while with what it loaded.
    const services = machine(stage, 'two', { report: () => void stage.call(inUse) })
    const takeOver = { takeOver: true, idleMs: 600_000, waitMs: 1_000 }
    await stage.call(inUse)
    const again = await rotate(services, stage.old.id, stage.options({ targets: targets(), ...takeOver }))
    expect(await stage.call(inUse), again.error?.message).toBe(200)
  })

  it('when it is the successor of a compromised key, and the rotation is undone', async () => {
    const verify = verifyOf(async (secret) => {
      await stage.call(secret)
      throw new KeysError('verify-failed', 'no')
    })
    const options = stage.options({ verify, compromised: 'no-overlap', idleMs: 600_000, waitMs: 500 })
    const { error, receipt } = await rotate(stage.services(), stage.old.id, options)
    expect(stage.key(receipt.newKey?.id)?.status, error?.message).toBe('active')
  })
})

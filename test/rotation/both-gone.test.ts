import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KeysError } from '../../src/errors.ts'
import { rotate } from '../../src/rotation/rotate.ts'
import type { Target } from '../../src/targets/target.ts'
import { createOthersSuccessor, verifyOf } from './machines.ts'
import { setStage, type Stage } from './stage.ts'

// Somebody else revokes keys of a rotation that is about to be undone.

let stage: Stage
beforeEach(async () => {
  stage = await setStage()
})
afterEach(() => stage.end())

const env = () => stage.target('env:.env#PICTIFY_API_KEY')
const oneWay = () => stage.target('exec:cat >taken')
const putInto = (secret: string) => writeFile(stage.envFile, `PICTIFY_API_KEY=${secret}\n`)
/** What another rotation of the key has left: its successor, by the plain name. */
const createRival = () => stage.sandbox.dashboard.create({ name: 'Production Server', type: 'live' })

/** Both keys are gone when the verify command fails; returns how that ended. */
async function loseBoth(targets: Target[], act: () => Promise<unknown> = async () => {}) {
  const verify = verifyOf(async () => {
    for (const { id } of stage.active()) stage.sandbox.dashboard.revoke(id)
    await act()
    throw new KeysError('verify-failed', 'no')
  })
  const { error, receipt } = await rotate(stage.services(), stage.old.id, stage.options({ targets, verify }))
  return [error?.exit, receipt.state]
}

describe('a rotation whose two keys are gone', () => {
  it.each([
    ['the successor', async () => {}],
    ['the successor, though a rival is there', async () => createRival()],
    ['the old key', () => putInto(stage.old.secret.reveal())],
    ['nothing any more', () => writeFile(stage.envFile, 'PORT=80\n')],
  ])('is left to a person while its target holds %s', async (_what, act) => {
    expect(await loseBoth([env()], act)).toEqual([7, 'delivered'])
  })

  it('is over when its target holds a rival', async () => {
    const act = () => putInto(createRival().secret.reveal())
    expect(await loseBoth([env()], act)).toEqual([6, 'aborted'])
    expect(await stage.call(await stage.held())).toBe(200)
  })

  it('is over when a target that held nothing holds a rival', async () => {
    const place = path.join(stage.directory, 'new.txt')
    const act = () => writeFile(place, createRival().secret.reveal())
    expect(await loseBoth([stage.target('file:new.txt')], act)).toEqual([6, 'aborted'])
  })

  it('is left to a person while one of its targets holds the old key, though another held that before', async () => {
    const act = async () => {
      await putInto(createRival().secret.reveal())
      await writeFile(path.join(stage.directory, 'new.txt'), stage.old.secret.reveal())
    }
    expect(await loseBoth([env(), stage.target('file:new.txt')], act)).toEqual([7, 'delivered'])
  })

  it('is over when its target holds what it held before, and that works', async () => {
    const before = createRival().secret.reveal()
    await putInto(before)
    // Without an audit log nobody can tell that it is not the old key's.
    stage.sandbox.addFault('html:GET /audit-logs')
    const verify = verifyOf(async () => {
      for (const { id, secret } of stage.active()) {
        if (secret.reveal() !== before) stage.sandbox.dashboard.revoke(id)
      }
      await putInto(before)
      throw new KeysError('verify-failed', 'no')
    })
    const { error } = await rotate(stage.services(), stage.old.id, stage.options({ verify }))
    expect(error, error?.message).toMatchObject({ exit: 6 })
    expect(await stage.call(await stage.held())).toBe(200)
  })

  it('is left to a person while a target cannot be read, unless a rival is there', async () => {
    expect(await loseBoth([oneWay()])).toEqual([7, 'delivered'])
  })

  it('is over with a rival, where no target can be read', async () => {
    expect(await loseBoth([oneWay()], async () => createRival())).toEqual([6, 'aborted'])
    // What the rival may have put there is not touched.
    expect(await stage.call(await readFile(path.join(stage.directory, 'taken'), 'utf8'))).toBe(401)
  })
})

describe('the successor is kept when the old key is gone', () => {
  it('though no target was written yet', async () => {
    stage.sandbox.addFault('refuse-new')
    const services = stage.services({
      report: (event) => {
        if (event.event === 'state' && event.state === 'minted') stage.sandbox.dashboard.revoke(stage.old.id)
      },
    })
    const { error, receipt } = await rotate(services, stage.old.id, stage.options())
    expect(error, error?.message).toMatchObject({ exit: 7 })
    expect(stage.key(receipt.newKey?.id)?.status).toBe('active')
  })

  it('though another rotation goes on, when a target holds it already', async () => {
    const services = stage.services({
      report: (event) => {
        if (event.event !== 'target' || event.state !== 'delivered') return
        // It sleeps past its lease, in which another machine's run goes on from an earlier successor.
        void stage.clock.sleep(3_600_000)
        createOthersSuccessor(stage, stage.clock.now() + 3_600_000, stage.old.createdAt)
        stage.sandbox.dashboard.revoke(stage.old.id)
      },
    })
    const options = stage.options({ targets: [env(), oneWay()] })
    const { error } = await rotate(services, stage.old.id, options)
    expect(await stage.call(await stage.held()), error?.message).toBe(200)
  })
})

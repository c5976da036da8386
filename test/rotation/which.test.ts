import { readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { abortRotation, rotate } from '../../src/rotation/rotate.ts'
import type { SandboxKey } from '../../src/sandbox/server.ts'
import { dieAt, leaveOpen } from './machines.ts'
import { setStage, type Stage } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage({ plan: 'business' })
})
afterEach(() => stage.end())

const abort = (wanted = stage.old.id) => abortRotation(stage.services(), wanted, stage.options())
const successorId = () =>
  stage.active().find(({ name }) => name.includes(`(rotating ${stage.old.id} `))?.id ?? ''

/** A further key, with a target of its own. */
async function further(name: string): Promise<{ key: SandboxKey; stage: Stage; spec: string }> {
  const fields = { name, type: 'live', access: 'full', createdAt: stage.old.createdAt } as const
  const key = stage.sandbox.dashboard.create(fields)
  await writeFile(path.join(stage.directory, 'further.txt'), key.secret.reveal())
  return { key, stage: { ...stage, old: key }, spec: 'file:further.txt' }
}

describe('undoing by hand', () => {
  it.each(['after saving retired, retiring', 'after POST /api-keys/:id/revoke'])(
    'is refused once the old key is revoked (%s)',
    async (point) => {
      await dieAt(stage, point)
      await expect(abort()).rejects.toMatchObject({
        exit: 7,
        message: `${stage.old.id} is revoked already; there is only forward`,
        hint: expect.stringContaining('--resume') as string,
      })
      expect(await stage.call(await stage.held())).toBe(200)
    },
  )

  it('is refused where the old key was revoked first', async () => {
    await dieAt(stage, 'after saving minted', { compromised: 'revoke-first' })
    await expect(abort()).rejects.toMatchObject({
      message: expect.stringContaining('only forward') as string,
    })
    expect(stage.active()).toHaveLength(1)
  })

  it('is done while its revoke was only meant, and had not left', async () => {
    await dieAt(stage, 'before POST /api-keys/:id/revoke')
    const { receipt, error } = await abort()
    expect(error, error?.message).toBeUndefined()
    expect(receipt.state).toBe('aborted')
    expect(await stage.held()).toBe(stage.old.secret.reveal())
  })

  it.each(['its old key’s id', 'its successor’s id', 'its name'])(
    'finds the rotation by %s',
    async (what) => {
      await dieAt(stage, 'after saving delivered')
      const other = await further('Other')
      await dieAt(other.stage, 'after saving delivered', { targets: [stage.target(other.spec)] })
      const wanted = { old: stage.old.id, successor: successorId(), name: stage.old.name }
      const by = what.includes('old') ? 'old' : what.includes('successor') ? 'successor' : 'name'
      const { receipt, error } = await abort(wanted[by])
      expect(error, error?.message).toBeUndefined()
      expect(receipt.oldKey.id).toBe(stage.old.id)
      expect(await stage.held()).toBe(stage.old.secret.reveal())
      expect(stage.key(other.key.id)?.status).toBe('active')
      expect(stage.active().filter(({ name }) => name.includes('(rotating '))).toHaveLength(1)
    },
  )

  it('finds none where there is none', async () => {
    await expect(abort()).rejects.toMatchObject({ code: 'rotation-not-found' })
    await rotate(stage.services(), stage.old.id, stage.options())
    await expect(abort()).rejects.toMatchObject({ code: 'rotation-not-found' })
  })
})

describe('which key a name means', () => {
  it('is not told by an open rotation where a further key has it', async () => {
    await dieAt(stage, 'after saving delivered')
    const { key } = await further(stage.old.name)
    const run = rotate(stage.services(), stage.old.name, stage.options())
    await expect(run).rejects.toMatchObject({
      code: 'ambiguous-key',
      message: expect.stringContaining(key.id) as string,
    })
    expect((await rotate(stage.services(), stage.old.id, stage.options())).error).toBeUndefined()
  })

  it('is told by it where no other has it, whatever other keys there are', async () => {
    await further('Other')
    await dieAt(stage, 'after saving delivered')
    const { receipt, error } = await rotate(stage.services(), stage.old.name, stage.options())
    expect(error, error?.message).toBeUndefined()
    expect(receipt.oldKey.id).toBe(stage.old.id)
  })

  it('that there is none is said', async () => {
    await expect(rotate(stage.services(), 'key_nobodys', stage.options())).rejects.toMatchObject({
      code: 'api-key-not-found',
    })
  })
})

describe('a state directory with several rotations in it', () => {
  it('gives each line its own receipt', async () => {
    const first = await rotate(stage.services(), stage.old.id, stage.options())
    const other = await further('Other')
    const targets = [stage.target(other.spec)]
    const second = await rotate(stage.services(), other.key.id, stage.options({ targets }))
    expect((await rotate(stage.services(), stage.old.id, stage.options())).receipt).toEqual(first.receipt)
    expect((await rotate(stage.services(), other.key.id, stage.options({ targets }))).receipt).toEqual(
      second.receipt,
    )
  })

  it('goes on with none that is of another API', async () => {
    await leaveOpen(stage, stage.services())
    const elsewhere = await setStage({ plan: 'business' })
    try {
      const { stateDir, journals } = stage.services()
      const services = elsewhere.services({ stateDir, journals })
      const { receipt, error } = await rotate(services, elsewhere.old.name, elsewhere.options())
      expect(error, error?.message).toBeUndefined()
      expect(receipt.oldKey.id).toBe(elsewhere.old.id)
      expect(stage.active()).toHaveLength(2)
    } finally {
      await elsewhere.end()
    }
  })

  it('sets a spoilt journal aside on the user’s word alone, and only that of the key', async () => {
    const other = await further('Other')
    await dieAt(other.stage, 'after saving delivered', { targets: [stage.target(other.spec)] })
    await dieAt(stage, 'after saving delivered')
    const folder = path.join(stage.directory, 'state', 'rotations')
    for (const name of await readdir(folder)) {
      if (name.startsWith(stage.old.id)) await writeFile(path.join(folder, name), '{')
    }
    await expect(rotate(stage.services(), stage.old.id, stage.options())).rejects.toMatchObject({
      hint: expect.stringContaining('--take-over') as string,
    })
    const { error } = await rotate(stage.services(), stage.old.id, stage.options({ takeOver: true }))
    expect(error, error?.message).toBeUndefined()
    const aside = (await readdir(folder)).filter((name) => name.endsWith('.set-aside'))
    expect(aside).toEqual([expect.stringContaining(stage.old.id)])
    expect(stage.events).toContainEqual(expect.objectContaining({ code: 'journal-set-aside' }))
  })
})

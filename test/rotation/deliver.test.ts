import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KeysError } from '../../src/errors.ts'
import { rotate } from '../../src/rotation/rotate.ts'
import { Secret } from '../../src/secret.ts'
import type { Target } from '../../src/targets/target.ts'
import { dieAt } from './machines.ts'
import { setStage, type Stage } from './stage.ts'

let stage: Stage
let written: string[]
beforeEach(async () => {
  stage = await setStage()
  written = []
  await writeFile(path.join(stage.directory, 'key.txt'), stage.old.secret.reveal())
})
afterEach(() => stage.end())

/** A target that tells of its writes, the first of which fail like that. */
function told(spec: string, ...failures: KeysError[]): Target {
  const target = stage.target(spec)
  return {
    ...target,
    async write(...args) {
      written.push(spec)
      const failure = failures.shift()
      if (failure !== undefined) throw failure
      await target.write(...args)
    },
  }
}
const failed = (message = 'no') => new KeysError('target-failed', message)
const run = (...targets: Target[]) => rotate(stage.services(), stage.old.id, stage.options({ targets }))
const envSpec = 'env:.env#PICTIFY_API_KEY'

describe('delivering', () => {
  it('writes what cannot be read back last, however the targets are named', async () => {
    const options = {
      evidence: false,
      targets: [told('exec:cat >taken'), told(envSpec), told('file:key.txt')],
    }
    const { error } = await rotate(stage.services(), stage.old.id, stage.options(options))
    expect(error, error?.message).toBeUndefined()
    expect(written).toEqual([envSpec, 'file:key.txt', 'exec:cat >taken'])
  })

  it('tries again only what failed, with the same secret', async () => {
    const { error } = await run(told(envSpec), told('file:key.txt', failed(), failed()))
    expect(error, error?.message).toBeUndefined()
    expect(written).toEqual([envSpec, 'file:key.txt', 'file:key.txt', 'file:key.txt'])
    expect(await readFile(path.join(stage.directory, 'key.txt'), 'utf8')).toBe(await stage.held())
  })

  it('gives up after three times, and tells all that failed', async () => {
    const fail = (message: string) => [failed(message), failed(message), failed(message), failed(message)]
    const { error } = await run(told(envSpec, ...fail('first')), told('file:key.txt', ...fail('second')))
    expect(error).toMatchObject({ exit: 6, message: 'rotation undone: first; second' })
    expect(written).toHaveLength(6)
    expect(stage.ordinary().map(({ id }) => id)).toEqual([stage.old.id])
  })

  it.each(['target-refused', 'target-changed'] as const)('does not try %s again', async (code) => {
    const { error } = await run(
      told(envSpec),
      told('file:key.txt', new KeysError(code, 'never', { hint: 'so' })),
    )
    expect(error).toMatchObject({ exit: 6, message: 'rotation undone: never', hint: 'so' })
    expect(written).toEqual([envSpec, 'file:key.txt'])
    expect(await readFile(stage.envFile, 'utf8')).toBe(stage.envBefore)
  })

  it.each([
    ['nothing', undefined],
    ['another value', { value: new Secret('pk_live_OtherOtherOther1') }],
  ])('believes no write after which the target holds %s', async (_what, held) => {
    let hasWritten = false
    const file = stage.target('file:key.txt')
    const liar: Target = {
      ...file,
      write: async () => void (hasWritten = true),
      read: async () => (hasWritten ? held : file.read()),
      restore: async () => {},
    }
    const { error } = await run(liar)
    expect(error).toMatchObject({
      exit: 6,
      message: 'rotation undone: file:key.txt does not hold what was written to it',
    })
    expect(stage.active().map(({ id }) => id)).toEqual([stage.old.id])
  })

  it('runs no command again that had taken the secret when the run died', async () => {
    const targets = () => [told(envSpec), told('exec:cat >taken')]
    await dieAt(stage, 'before saving delivered', { targets: targets() })
    expect(written).toEqual([envSpec, 'exec:cat >taken'])
    const options = stage.options({ targets: targets(), waitMs: 500 })
    expect((await rotate(stage.services(), stage.old.id, options)).error).toMatchObject({ exit: 5 })
    expect(written.filter((spec) => spec.startsWith('exec:'))).toHaveLength(1)
  })

  it('does not take its own probes for an application’s use, where there is no audit log either', async () => {
    stage.sandbox.addFault('html:GET /audit-logs')
    const options = stage.options({ targets: [told(envSpec), told('exec:cat >taken')], waitMs: 20_000 })
    const { error } = await rotate(stage.services(), stage.old.id, options)
    expect(error, error?.message).toMatchObject({ exit: 5 })
    expect(stage.key(stage.old.id)?.status).toBe('active')
  })

  it.each([
    ['refuse:GET /templates', 'refuses the new key as'],
    ['status-503:GET /templates', 'gave no clear answer about the new key as'],
  ])('asks ten times before it gives the new key up (%s)', async (fault, message) => {
    const target = stage.target(envSpec)
    let before = 0
    const broken: Target = {
      ...target,
      async write(...args) {
        await target.write(...args)
        before = stage.sandbox.requests.length
        stage.sandbox.addFault(fault)
      },
    }
    const { error } = await run(broken, told('exec:cat >taken'))
    stage.sandbox.clearFaults()
    expect(error).toMatchObject({ exit: 6, message: expect.stringContaining(message) as string })
    const probes = stage.sandbox.requests
      .slice(before)
      .filter((request) => request.path.startsWith('/templates'))
    expect(probes.length).toBeGreaterThanOrEqual(10)
    expect(written).toEqual([])
  })
})

import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { errorOf } from './account.ts'
import { leftOpen, openRotating, quick, type Rotating } from './rotating.ts'

let account: Rotating
beforeEach(async () => {
  account = await openRotating()
})
afterEach(() => account.end())

describe('a rotation that is open', () => {
  it('keeps the overlap that was asked for when it is resumed', async () => {
    const first = await account.run(['rotate', account.old.id, '--to', 'env:.env', ...leftOpen])
    expect(first.exit, first.stderr).toBe(5)
    const again = await account.run(['rotate', '--resume', ...quick, '--wait', '1s'])
    expect(again.exit, again.stderr).toBe(5)
    expect(account.keys().find(({ id }) => id === account.old.id)?.status).toBe('active')
  })

  it('runs its verify command in the folder it was named in, wherever it is resumed', async () => {
    const { home, old } = account
    await writeFile(path.join(home.directory, 'smoke.sh'), '#!/bin/sh\npwd >>verified\n', { mode: 0o755 })
    // Killed while it waits for the successor to be accepted, before anything was verified.
    const line = ['rotate', old.id, '--to', 'env:.env', '--verify', './smoke.sh', ...quick, '--settle', '30s']
    const running = home.start(line)
    await vi.waitUntil(() => running.output().stderr.includes('"accept"'), { timeout: 30_000 })
    running.child.kill('SIGKILL')
    await running.ended
    const elsewhere = path.join(home.directory, 'elsewhere')
    await mkdir(elsewhere)
    const again = await account.run(['rotate', '--resume', ...quick], { cwd: elsewhere })
    expect(again.exit, again.stderr).toBe(0)
    expect((await account.read('verified')).trim()).toMatch(new RegExp(`${path.basename(home.directory)}$`))
  })

  it('is verified as it was begun, by a line that leaves the command away', async () => {
    const { home, old } = account
    const line = ['rotate', old.id, '--to', 'env:.env', ...quick]
    const running = home.start([...line, '--verify', 'echo no >>verified; false', '--settle', '30s'])
    await vi.waitUntil(() => running.output().stderr.includes('"accept"'), { timeout: 30_000 })
    running.child.kill('SIGKILL')
    await running.ended
    const again = await account.run(line)
    expect(again.exit, again.stderr).toBe(6)
    expect(await account.read('verified')).toBe('no\n')
    expect(account.keys().find(({ id }) => id === old.id)?.status).toBe('active')
  })

  it('that --abort left half undone is undone to its end by its own line, and begun anew by the next', async () => {
    const line = ['rotate', 'Production Server', '--to', 'env:.env', ...quick]
    const first = await account.run(['rotate', account.old.id, '--to', 'env:.env', ...leftOpen])
    expect(first.exit, first.stderr).toBe(5)
    const waiting = await account.run(['rotate', '--abort', ...quick, '--idle', '1h', '--wait', '0s'])
    expect(waiting.exit, waiting.stderr).toBe(5)
    const undone = await account.run(line)
    expect(undone.exit, undone.stderr).toBe(6)
    expect(errorOf(undone)).toMatchObject({
      code: 'rotation-undone',
      message: 'rotation undone, as asked',
      hint: expect.stringContaining('run the same command again to rotate the key anew') as string,
    })
    expect(account.keys()).toMatchObject([{ id: account.old.id, status: 'active' }])
    expect(await account.read('.env')).toContain(account.old.secret.reveal())
    const again = await account.run(line)
    expect(again.exit, again.stderr).toBe(0)
  })

  it('undone for a failure, and only half, says at its end what had failed', async () => {
    const line = ['rotate', 'Production Server', '--to', 'env:.env', ...quick]
    const first = await account.run([...line, '--verify', 'exit 3', '--idle', '1h', '--wait', '0s'])
    expect(first.exit, first.stderr).toBe(5)
    const undone = await account.run(line)
    expect(undone.exit, undone.stderr).toBe(6)
    expect(errorOf(undone).message).toBe('rotation undone: the verify command ended with 3: exit 3')
    expect(errorOf(undone).hint).toContain('mend what failed')
  })

  it.each(['--resume', '--abort'])('is told whose it is when %s asks another API', async (flag) => {
    const first = await account.run(['rotate', account.old.id, '--to', 'env:.env', ...leftOpen])
    expect(first.exit, first.stderr).toBe(5)
    const ran = await account.run(['rotate', flag, '--api-url', 'http://127.0.0.1:9', '--json'])
    expect(ran.exit).toBe(2)
    expect(errorOf(ran).hint).toContain(`--api-url ${account.sandbox.url}`)
  })

  it('is not meant by a name that another key has too', async () => {
    const other = account.sandbox.dashboard.create({ name: 'Production Server' })
    const first = await account.run(['rotate', account.old.id, '--to', 'env:.env', ...leftOpen])
    expect(first.exit, first.stderr).toBe(5)
    const before = account.keys()
    const again = await account.run(['rotate', 'Production Server', '--to', 'env:.env', ...leftOpen])
    expect(again.exit, again.stderr).toBe(2)
    expect(errorOf(again)).toMatchObject({ code: 'ambiguous-key' })
    expect(again.stderr).toContain(other.id)
    expect(account.keys()).toEqual(before)
  })
})

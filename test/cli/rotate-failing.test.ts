import { mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { errorOf } from './account.ts'
import type { Ran } from './program.ts'
import { useRotating } from './rotate-fixture.ts'
import { waits } from './rotating.ts'

const account = useRotating()
const { active, expectUndone, rotate } = account

/** A run that ends before the old key, which is used right before it, has been quiet long enough. */
async function whileInUse(...more: string[]): Promise<Ran> {
  await account.call(account.old.secret)
  const inUse = [...waits, '--idle', '1m', '--wait', '0s']
  return account.run(['rotate', account.old.id, '--to', 'env:.env', ...inUse, ...more])
}

describe('rotate that fails', () => {
  it('is undone with exit 6 when a target fails', async () => {
    const ran = await rotate('--to', 'env:.env', '--to', 'exec:echo broken >&2; exit 3', '--json')
    expect(ran.exit, ran.stderr).toBe(6)
    expect(errorOf(ran)).toMatchObject({ code: 'rotation-undone' })
    expect(JSON.parse(ran.stdout)).toMatchObject({ rotation: { state: 'aborted' } })
    await expectUndone()
  })

  it('is undone with exit 6 when a command alone is the target, and says that it put nothing there', async () => {
    const ran = await rotate('--to', 'exec:exit 1')
    expect(ran.exit, ran.stderr).toBe(6)
    await expectUndone()
  })

  it('ends with 7 and two working keys when a written target can be neither read nor undone', async () => {
    const ran = await rotate('--to', 'exec:cat >taken', '--verify', 'exit 1', '--json')
    expect(ran.exit, ran.stderr).toBe(7)
    expect(errorOf(ran).message).toContain('exec:cat >taken')
    expect(active()).toHaveLength(2)
    const oldSecret = account.old.secret.reveal()
    const undone = await account.home.run(
      [
        'rotate',
        account.old.id,
        '--to',
        'exec:cat >taken',
        ...waits,
        '--verify',
        'exit 1',
        '--old-secret-stdin',
      ],
      { input: oldSecret },
    )
    expect(undone.exit, undone.stderr).toBe(6)
    expect(await readFile(path.join(account.home.directory, 'taken'), 'utf8')).toBe(oldSecret)
    await expectUndone()
  })

  it('is undone with exit 6 when the verify command fails or takes too long', async () => {
    const failed = await rotate('--to', 'env:.env', '--verify', 'echo no, because; exit 1', '-q')
    expect(failed.exit, failed.stderr).toBe(6)
    expect(failed.stderr).toContain('it said: no, because; mend what it found')
    await expectUndone()
    const slow = await rotate('--to', 'env:.env', '--verify', 'sleep 60', '--verify-timeout', '300ms')
    expect(slow.exit, slow.stderr).toBe(6)
    expect(slow.stderr).toContain('took longer than 300ms')
    await expectUndone()
  })

  it('is undone with exit 6 when the successor is never accepted', async () => {
    account.sandbox.addFault('refuse-new')
    const ran = await rotate('--to', 'env:.env', '--json')
    expect(ran.exit, ran.stderr).toBe(6)
    await expectUndone()
  })

  it('ends with 5 while the old key is in use, and can be undone by --abort', async () => {
    const ran = await whileInUse('--json')
    expect(ran.exit, ran.stderr).toBe(5)
    const { rotation } = JSON.parse(ran.stdout) as { rotation: { id: string; state: string } }
    expect(rotation.state).toBe('overlapping')

    const listed = await account.home.run(['rotations', '--open', '--json'])
    expect(JSON.parse(listed.stdout)).toMatchObject({
      rotations: [{ id: rotation.id, state: 'overlapping' }],
    })

    const undone = await account.home.run(['rotate', rotation.id, '--abort', ...waits, '--json'])
    expect(undone.exit, undone.stderr).toBe(0)
    await expectUndone()
  })

  it('goes on with --resume, from another folder', async () => {
    const first = await whileInUse()
    expect(first.exit, first.stderr).toBe(5)
    const elsewhere = path.join(account.home.directory, 'elsewhere')
    await mkdir(elsewhere)
    const ran = await account.home.run(['rotate', '--resume', ...waits], { cwd: elsewhere })
    expect(ran.exit, ran.stderr).toBe(0)
    expect(await readFile(account.envFile, 'utf8')).toContain(active()[0]?.secret.reveal())
    expect(active()).toHaveLength(1)
  })

  it('refuses the line of an open rotation with other targets', async () => {
    await whileInUse()
    const ran = await rotate('--to', 'file:other.txt', '--json')
    expect(ran.exit).toBe(2)
    expect(errorOf(ran)).toMatchObject({ code: 'rotation-differs' })
  })
})

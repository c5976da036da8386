// The admin key of a profile in a real Secret Service, replaced by the built program.
import { readFile } from 'node:fs/promises'
import { describe, expect, inject, test } from 'vitest'
import { useKeychain } from '../credentials/keychain-account.ts'
import type { KeychainFacts } from '../credentials/secret-service.ts'
import { errorOf } from './account.ts'
import { quick, waits } from './rotating.ts'

const facts = inject('servers')['keychain'] as KeychainFacts | undefined

describe.skipIf(!facts)('rotate --self of a key in the keychain', () => {
  const user = useKeychain(facts)
  const { admin, run, signIn } = user

  const activeAdmins = () =>
    user.account.sandbox.keys().filter(({ access, status }) => access === 'admin' && status === 'active')

  test('puts the successor there, and works with it from then on; logout asks before it is gone', async () => {
    await signIn()
    const ran = await run('rotate', '--self', ...waits)
    expect(ran.exit, ran.stderr).toBe(0)
    const [successor, ...others] = activeAdmins()
    expect(others).toEqual([])
    expect(await user.service.lookup('default')).toBe(successor?.secret.reveal())
    expect(ran.stdout + ran.stderr + (await readFile(user.profileFile, 'utf8'))).not.toContain(
      successor?.secret.reveal(),
    )
    expect(await run('list')).toMatchObject({ exit: 0 })

    const asked = await run('logout')
    expect(errorOf(asked)).toMatchObject({ code: 'needs-answer', hint: 'give --yes' })
    expect(await user.service.lookup('default')).toBe(successor?.secret.reveal())
    expect((await run('logout', '--yes')).stderr).toContain('this may be its only copy')
    expect(await user.service.lookup('default')).toBeUndefined()
  })

  /** Locks it while the API is being waited for, before the successor is put there. */
  async function rotatingIntoLocked() {
    await signIn()
    const line = ['rotate', '--self', '--settle', '3s', ...quick.slice(2)]
    const running = user.account.home.start(line, { env: user.env })
    await running.until(() => running.output().stderr.includes('"step":"accept"'))
    await user.service.lock()
    return running
  }

  test('into a keychain that stays locked: both keys work, and once it is unlocked it can be undone', async () => {
    const ran = await (await rotatingIntoLocked()).ended
    expect(ran.exit, ran.stderr).toBe(7)
    expect(errorOf(ran).message).toContain('is locked, and was not unlocked')
    expect(activeAdmins()).toHaveLength(2)
    await user.service.unlock()
    expect(await user.service.lookup('default')).toBe(admin())
    const undone = await run('rotate', '--abort', ...waits)
    expect(undone.exit, undone.stderr).toBe(0)
    expect(await user.service.lookup('default')).toBe(admin())
    expect(activeAdmins().map(({ secret }) => secret.reveal())).toEqual([admin()])
    expect(await run('list')).toMatchObject({ exit: 0 })
  })

  test('into one that is unlocked again meanwhile: the next attempt puts it there', async () => {
    const running = await rotatingIntoLocked()
    await running.until(() => running.output().stderr.includes('"event":"target-failed"'))
    await user.service.unlock()
    const ran = await running.ended
    expect(ran.exit, ran.stderr).toBe(0)
    expect(await user.service.lookup('default')).toBe(activeAdmins()[0]?.secret.reveal())
  })

  test('that is killed right after the successor is there goes on with the same line', async () => {
    await signIn()
    const line = ['rotate', '--self', ...quick]
    const running = user.account.home.start(line, { env: user.env })
    const isThere = async () => ![admin(), undefined].includes(await user.service.lookup('default'))
    while (!(await isThere()));
    running.child.kill('SIGKILL')
    await running.ended
    const again = await user.account.run(line, { env: user.env })
    expect(again.exit, again.stderr).toBe(0)
    expect(activeAdmins().map(({ secret }) => secret.reveal())).toEqual([
      await user.service.lookup('default'),
    ])
    expect(await run('list')).toMatchObject({ exit: 0 })
  })
})

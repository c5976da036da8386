import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { errorOf } from './account.ts'
import { useRotating } from './rotate-fixture.ts'
import { waits } from './rotating.ts'

const account = useRotating()
const { expectNothingChanged, ordinary, rotate } = account

describe('rotate changes nothing', () => {
  it('when it cannot be told which key is meant', async () => {
    await expectNothingChanged(await account.home.run(['rotate', '--to', 'env:.env']), 2)
    await expectNothingChanged(await account.home.run(['rotate', 'No Such Key', '--to', 'env:.env']), 3)
    const twin = account.sandbox.dashboard.create({ name: 'Production Server' })
    const ran = await rotate('--to', 'env:.env')
    expect(ran.exit).toBe(2)
    expect(ran.stderr).toContain(account.old.id)
    expect(ran.stderr).toContain(twin.id)
    expect(ordinary()).toHaveLength(2)
  })

  it('when a target, the verify command or a flag is wrong, and says all of it at once', async () => {
    await expectNothingChanged(await rotate(), 2)
    await expectNothingChanged(await rotate('--to', 'env:.env', '--to', './.env'), 2)
    await expectNothingChanged(await rotate('--to', 'env:.env', '--to', 'env:./.env#PICTIFY_API_KEY'), 2)
    await expectNothingChanged(await rotate('--to', 'env:.env', '--overlap', 'soon'), 2)
    await expectNothingChanged(await rotate('--to', 'env:.env', '--revoke-first'), 2)
    await expectNothingChanged(await rotate('--to', 'manual:the wiki'), 2)
    await mkdir(path.join(account.home.directory, 'folder.env'))
    const ran = await rotate(
      '--to',
      'env:folder.env',
      '--to',
      'exec:no-such-command-here',
      '--verify',
      'nor-this-one',
    )
    await expectNothingChanged(ran, 1)
    expect(ran.stderr).toContain('folder.env')
    expect(ran.stderr).toContain('no such command')
    expect(ran.stderr).toContain('nor-this-one')
  })

  it('when the .env holds the variable twice, or a key of the other type', async () => {
    await writeFile(
      path.join(account.home.directory, 'twice.env'),
      'PICTIFY_API_KEY=a\nPORT=1\nPICTIFY_API_KEY=b\n',
    )
    const ran = await rotate('--to', 'env:twice.env')
    await expectNothingChanged(ran, 1)
    expect(ran.stderr).toMatch(/twice.*1.*3/)
    await writeFile(
      path.join(account.home.directory, 'test.env'),
      'PICTIFY_API_KEY=pk_test_0123456789abcdef\n',
    )
    await expectNothingChanged(await rotate('--to', 'env:test.env'), 1)
  })

  it('when the plan is full', async () => {
    const plan = ['--plan', 'free']
    const ran = await rotate('--to', 'env:.env', ...plan, '--json')
    await expectNothingChanged(ran, 9)
    expect(errorOf(ran)).toMatchObject({ code: 'key-limit-reached' })
  })

  it('when the state directory cannot be written to', async () => {
    await writeFile(account.home.stateDir, 'a file where the folder should be')
    const ran = await rotate('--to', 'env:.env', '--json')
    await expectNothingChanged(ran, 1)
    expect(errorOf(ran)).toMatchObject({ code: 'state-directory' })
  })

  it('when the locks in it cannot be kept', async () => {
    await mkdir(account.home.stateDir)
    await writeFile(path.join(account.home.stateDir, 'locks'), 'a file where the folder should be')
    const ran = await rotate('--to', 'env:.env', '--json')
    await expectNothingChanged(ran, 1)
    expect(errorOf(ran)).toMatchObject({ code: 'state-directory' })
  })

  it('when the disk has no room for a journal', async () => {
    // No file may grow beyond 4 KiB: what a full disk looks like to a process that can write small files still.
    const line = ['rotate', account.old.id, '--to', 'env:.env', ...waits, '--json']
    const ran = await account.home.run(line, { first: 'ulimit -f 8' })
    await expectNothingChanged(ran, 1)
    expect(errorOf(ran)).toMatchObject({ code: 'state-directory' })
  })

  it('when the key is the admin key in use, unless --self says so', async () => {
    const admin = account.sandbox.keys().find(({ access }) => access === 'admin')
    const ran = await account.home.run(['rotate', admin?.id ?? '', ...waits, '--to', 'file:admin.txt'])
    expect(ran.exit, ran.stderr).toBe(2)
    expect(ran.stderr).toContain('--self')
    expect(account.sandbox.keys()).toHaveLength(2)
  })

  it('when a key is revoked already', async () => {
    account.sandbox.dashboard.revoke(account.old.id)
    const ran = await account.home.run(['rotate', account.old.id, ...waits, '--to', 'env:.env', '--json'])
    expect(ran.exit).toBe(1)
    expect(errorOf(ran)).toMatchObject({ code: 'api-key-revoked' })
    expect(ordinary()).toHaveLength(1)
  })
})

import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { errorOf } from './account.ts'
import { openGuide, openProject, shortWaits } from './guided.ts'
import { leftOpen, type Rotating } from './rotating.ts'
import { keyboard, openScreen } from './screen.ts'

// What commands ask for on a real terminal, and what they say where there is none.

let project: Rotating
beforeEach(async () => {
  project = await openProject()
})
afterEach(() => project.end())

const { ctrlC, enter, tab } = keyboard
const keyOf = (name: string) => project.sandbox.keys().find((key) => key.name === name)

describe('at a terminal', () => {
  test('revoke finds several keys as one types, and says who last used each', async () => {
    for (const name of ['Worker 1', 'Worker 2', 'Other'])
      project.sandbox.dashboard.create({
        name,
        type: 'test',
        createdAt: Date.now() - 864e5,
        lastUsedAt: Date.now() - 2 * 864e5,
      })
    const screen = openScreen(project.home, ['revoke'], { columns: 110 })
    await screen.until('Which keys are to be revoked?')
    expect(screen.text()).toContain('↑↓ navigate • tab select • ⏎ submit')
    screen.type(`worker${tab}${tab}`)
    await screen.until('2 selected')
    screen.type(enter)
    await screen.until(/Revoke 2 keys \(Worker \d, .*for\s+good\?/s)
    expect(screen.text()).toMatch(/Worker 1 \(key_\w+\) was last used 2d ago/)
    expect(screen.text()).toContain('✔ Which keys are to be revoked? Worker')
    screen.type(`y${enter}`)
    expect((await screen.ended).exit, screen.text()).toBe(0)
    expect(['Worker 1', 'Worker 2', 'Other'].map((name) => keyOf(name)?.status)).toEqual([
      'revoked',
      'revoked',
      'active',
    ])
  })

  test('a successor of a rotation that is open stands below its old key, and cannot be renamed', async () => {
    const open = await project.run(['rotate', project.old.id, '--to', 'env:.env', ...leftOpen])
    expect(open.exit, open.stderr).toBe(5)
    const revoking = openScreen(project.home, ['revoke'], { columns: 160 })
    await revoking.until('Which keys are to be revoked?')
    expect(revoking.text()).toMatch(
      new RegExp(`Production Server .*\\n.*Production Server .*\\(the successor of ${project.old.id}, whose`),
    )
    revoking.type(ctrlC)
    await revoking.ended
    const renaming = openScreen(project.home, ['rename'], { columns: 160 })
    await renaming.until('Which key gets another name?')
    expect(renaming.text().match(/Production Server/g)).toHaveLength(1)
    renaming.type(ctrlC)
    await renaming.ended
  })

  test('rename begins with the name that is there', async () => {
    const screen = openScreen(project.home, ['rename'], { columns: 110 })
    await screen.until('Which key gets another name?')
    screen.type(`prod${enter}`)
    await screen.until('What is its new name? Production Server')
    screen.type(` 2${'x'.repeat(100)}${enter}`)
    await screen.until('a name has at most 100')
    screen.type(`${'\x7f'.repeat(100)}${enter}`)
    expect((await screen.ended).exit, screen.text()).toBe(0)
    expect(keyOf('Production Server 2')?.id).toBe(project.old.id)
  })

  test.each(['create', 'rename', 'revoke', 'delete --revoke'])(
    'Ctrl-C at the first question of %s changes nothing',
    async (line) => {
      const before = project.sandbox.keys().map(({ id, name, status }) => ({ id, name, status }))
      const screen = openScreen(project.home, line.split(' '))
      await screen.until(/^\?/m)
      screen.type(ctrlC)
      expect((await screen.ended).signal).toBe(2)
      expect(screen.isCursorHidden()).toBe(false)
      expect(project.sandbox.keys().map(({ id, name, status }) => ({ id, name, status }))).toEqual(before)
    },
  )

  test('rotate --revoke-first says who last used the key, before anything', async () => {
    expect(((await project.call(project.old.secret)) as Response).status).toBe(200)
    const line = [
      'rotate',
      project.old.id,
      '--to',
      'env:.env',
      '--compromised',
      '--revoke-first',
      ...shortWaits,
    ]
    const screen = openScreen(project.home, line, { columns: 150 })
    expect((await screen.ended).exit, screen.scrollback()).toBe(0)
    expect(screen.scrollback()).toMatch(
      /Production Server \(key_\w+\) was last used just now \(.*Z\) by node from/,
    )
  })

  test('a file that is not there yet is said to be made', async () => {
    const line = ['rotate', project.old.id, '--to', 'env:.evn', ...shortWaits, '--wait', '0s']
    const screen = openScreen(project.home, line, { columns: 150 })
    await screen.ended
    expect(screen.scrollback()).toMatch(/warning: \/.*\/\.evn is not there yet: it will be made/)
  })
})

describe('with --plain', () => {
  test('a paste with newlines answers nothing', async () => {
    const screen = openScreen(project.home, ['revoke', 'Production Server', '--plain'], { columns: 150 })
    await screen.until('(y or n, Enter for n)')
    screen.paste('some notes\ny\n')
    await screen.until('several lines came at once')
    screen.paste('y\nsome notes')
    await screen.until(/several lines came at once[^]*several lines came at once/)
    expect(keyOf('Production Server')?.status).toBe('active')
    // of what was pasted nothing is left before what is typed
    screen.type(`y${enter}`)
    expect((await screen.ended).exit, screen.text()).toBe(0)
    expect(keyOf('Production Server')?.status).toBe('revoked')
  })

  test('the guide is lines to its end, and Ctrl-C is the signal', async () => {
    const screen = openGuide(project, { columns: 100 }, ['--plain'])
    await screen.until('number, or words to search for:')
    screen.type(`prod${enter}`)
    await screen.until('1 found')
    screen.type(`1${enter}`)
    await screen.until('numbers (Enter for 1):')
    screen.type(enter)
    await screen.until(/works with the new key\?[^]*number:/)
    screen.type(`1${enter}`)
    await screen.until(/When may the old key go\?[^]*number:/)
    screen.type(`1${enter}`)
    await screen.until('(y or n, Enter for n)')
    screen.type(`y${enter}`)
    expect((await screen.ended).exit, screen.scrollback()).toBe(0)
    expect(keyOf('Production Server')?.id).not.toBe(project.old.id)
    // nothing moves the cursor, hides it or takes anything back
    expect(screen.raw()).not.toMatch(/\x1b\[[?\d;]*[A-HJKhl]/)

    const left = openGuide(project, {}, ['--plain'])
    await left.until('number, or words')
    left.type(ctrlC)
    expect((await left.ended).signal).toBe(2)
    expect(left.text()).toContain('nothing was changed')
  })
})

describe.each([
  ['at a terminal', []],
  ['with --plain', ['--plain']],
])('the admin key, %s,', (_name, flags) => {
  test('is asked for and never shown, by no key either', async () => {
    const secret = project.sandbox.adminKey.reveal()
    const screen = openScreen(project.home, ['login', '--store', 'file', ...flags], {
      env: { PICTIFY_ADMIN_KEY: undefined },
    })
    await screen.until('Admin key (hidden):')
    screen.type(secret.slice(0, 20))
    screen.type('\x14')
    await sleep(100)
    screen.type(`${flags.length > 0 ? '\x7f' : ''}${secret.slice(20)}${enter}`)
    expect((await screen.ended).exit, screen.text()).toBe(0)
    expect(screen.raw()).not.toContain(secret.slice(0, 14))
    expect(screen.scrollback()).not.toContain('visibility')
    if (flags.length > 0) expect(screen.raw()).not.toContain('\x1b')
  })
})

describe('without a terminal', () => {
  test.each([
    [['create'], 'name'],
    [['rename'], 'key'],
    [['rename', 'Production Server'], 'name'],
    [['revoke'], 'keys'],
    [['delete', '--revoke'], 'keys'],
  ])('%j names what is missing, and exits with 2', async (line, missing) => {
    const ran = await project.run([...line, '--json'], { env: { PICTIFY_ADMIN_KEY: undefined } })
    expect(ran.exit).toBe(2)
    const error = errorOf(ran)
    expect(error.code).toBe('usage')
    expect(error.message).toContain(`${line[0]} needs <${missing}>: `)
    expect(ran.stdout).toBe('')
  })

  test('rotate names the key and the places', async () => {
    const none = await project.run(['rotate', '--json'])
    expect([none.exit, errorOf(none).code]).toEqual([2, 'needs-answer'])
    const nowhere = await project.run(['rotate', project.old.id, '--json'])
    expect([nowhere.exit, errorOf(nowhere).message]).toEqual([
      2,
      'no target: where does the application find its key?',
    ])
  })

  test('a file that is made is a warning event', async () => {
    const ran = await project.run(['create', 'New', '--type', 'test', '--to', 'env:.evn', '--json'])
    expect(ran.exit, ran.stderr).toBe(0)
    expect(ran.stderr).toMatch(/\{"event":"warning".*\.evn is not there yet: it will be made"/)
  })
})

import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { authority, createGitHubServer, type GitHubServer } from '../servers/github.ts'
import { shortWaits } from './guided.ts'
import { openRotating, quick, type Rotating } from './rotating.ts'
import { keyboard, openScreen } from './screen.ts'

// Places that the guide has to ask a server about, and the key that it is signed in with.

const { down, enter, space } = keyboard
const token = 'ghp_TheTokenOfSomebody1'
let project: Rotating
beforeEach(async () => {
  project = await openRotating()
})
afterEach(() => project.end())

describe('an Actions secret of the remote', () => {
  let server: GitHubServer
  beforeEach(async () => {
    server = await createGitHubServer()
    server.grant(token, { role: 'write', scopes: ['repo'] })
    server.addRepository('acme/app')
    const git = path.join(project.home.directory, '.git')
    await mkdir(git)
    const host = server.host.replace(/:\d+$/, '')
    await writeFile(path.join(git, 'config'), `[remote "origin"]\n\turl = git@${host}:acme/app.git\n`)
  })
  afterEach(() => server.close())

  const open = (env: Record<string, string>) =>
    openScreen(project.home, ['rotate', project.old.id, ...shortWaits, '--wait', '0s'], {
      columns: 200,
      rows: 60,
      env: { GH_HOST: server.host, SSL_CERT_FILE: authority, ...env },
    })

  test('that is not there yet is made if that is wanted, and the plan and the line say so', async () => {
    const screen = open({ GH_ENTERPRISE_TOKEN: token })
    await screen.until('Where does the application find it?')
    screen.type(`${down}${space}${enter}`)
    // the name that the environment file has is suggested
    await screen.until('Which Actions secret of acme/app? (PICTIFY_API_KEY)')
    screen.type(enter)
    await screen.until('Not there yet: github:acme/app#PICTIFY_API_KEY. What now?')
    screen.type(enter)
    await screen.until('How is it seen')
    screen.type(`${down}${enter}`)
    await screen.until('When may the old key go?')
    expect(screen.text()).toContain('and something uses the new one')
    screen.type(enter)
    await screen.until('now?')
    expect(screen.text()).toContain('github:acme/app#PICTIFY_API_KEY is not there yet: it will be made.')
    expect(screen.text()).toContain(
      'github:acme/app#PICTIFY_API_KEY cannot be read back: it is written last.',
    )
    expect(server.secretsOf('repos/acme/app').size).toBe(0)
    screen.type(`y${enter}`)
    // nothing has used it within no time at all, and it goes on later
    expect((await screen.ended).exit, screen.scrollback()).toBe(5)
    expect(server.secretsOf('repos/acme/app').get('PICTIFY_API_KEY')?.value).toMatch(/^pk_live_/)
    expect(screen.scrollback()).toMatch(
      /--to 'env:.env#PICTIFY_API_KEY' --to 'github:acme\/app#PICTIFY_API_KEY' --create-target /,
    )
  })

  test('that nobody is signed in for is refused with what to do, and others can be chosen', async () => {
    const screen = open({})
    await screen.until('Where does the application find it?')
    screen.type(`${down}${space}${enter}`)
    await screen.until('Which Actions secret')
    screen.type(enter)
    await screen.until('there is no token for')
    await screen.until(/Where does the application find it\?\s+❯/)
    screen.type(enter)
    await screen.until('How is it seen')
    screen.type(keyboard.ctrlC)
    expect((await screen.ended).signal).toBe(2)
    expect(server.requests).toEqual([])
  })
})

describe('a key that a rotation of this machine made', () => {
  test('is offered first where that put it, from any folder', async () => {
    const { home, old } = project
    await project.run(['rotate', old.id, '--to', 'env:.env', ...quick])
    const before = await project.read('.env')
    const elsewhere = path.join(home.directory, 'elsewhere')
    await mkdir(elsewhere)
    await writeFile(path.join(elsewhere, '.env'), 'PICTIFY_API_KEY=\n')
    const screen = openScreen(home, ['rotate', old.name, '--compromised', ...shortWaits], {
      columns: 200,
      rows: 60,
      cwd: elsewhere,
    })
    const place = `env:${home.directory}/.env#PICTIFY_API_KEY`
    await screen.until('Where does the application find it?')
    expect(screen.text()).toMatch(
      new RegExp(`◉ ${place} {2}\\(rotation [0-9a-f]{6} put the key there on 20\\d\\d-\\d\\d-\\d\\d\\)\\n`),
    )
    expect(screen.text()).toContain('◯ env:.env#PICTIFY_API_KEY  (is empty)')
    screen.type(enter)
    await screen.until('How is it seen')
    screen.type(`${down}${enter}`)
    await screen.until('now?')
    screen.type(`y${enter}`)
    expect((await screen.ended).exit, screen.scrollback()).toBe(0)
    expect(await project.read('.env')).not.toBe(before)
    expect(await project.read('elsewhere/.env')).toBe('PICTIFY_API_KEY=\n')
  })

  test('is offered one place once where it is also found', async () => {
    await project.run(['rotate', project.old.id, '--to', 'env:.env', ...quick])
    const screen = openScreen(project.home, ['rotate', project.old.name, ...shortWaits], { columns: 200 })
    await screen.until('Where does the application find it?')
    await screen.until('another place')
    expect(screen.text().match(/env:\.env#PICTIFY_API_KEY/g)).toHaveLength(1)
    screen.type(keyboard.ctrlC)
    await screen.ended
  })
})

describe('the admin key in use', () => {
  test('is rotated as such, and its line says --self', async () => {
    const { adminKey } = project.sandbox
    await writeFile(path.join(project.home.directory, '.env'), `PICTIFY_ADMIN_KEY=${adminKey.reveal()}\n`)
    const screen = openScreen(project.home, ['rotate', ...shortWaits], { columns: 200, rows: 60 })
    await screen.until('Which key')
    screen.type(`team admin${enter}`)
    await screen.until('That is the admin key in use')
    await screen.until('◉ env:.env#PICTIFY_ADMIN_KEY')
    screen.type(enter)
    await screen.until('How is it seen')
    screen.type(`${down}${enter}`)
    await screen.until('When may')
    screen.type(enter)
    await screen.until('now?')
    screen.type(`y${enter}`)
    expect((await screen.ended).exit, screen.scrollback()).toBe(0)
    expect(screen.scrollback()).toMatch(/pictify-keys rotate --to 'env:.env#PICTIFY_ADMIN_KEY' .*--self/)
    expect(await project.read('.env')).not.toContain(adminKey.reveal())
  })
})

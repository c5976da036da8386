import { execFile } from 'node:child_process'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { furnish, longWay, openGuide, openProject, shortWay, walk } from './guided.ts'
import { openRotating, type Rotating } from './rotating.ts'
import { keyboard } from './screen.ts'

// The guide of rotate, on a real terminal against the sandbox, up to the rotation itself.

const bin = fileURLToPath(new URL('../../bin/pictify-keys.js', import.meta.url))
let project: Rotating
beforeEach(async () => {
  project = await openProject()
})
afterEach(() => project.end())

const sigint = 2
const statusOf = ({ sandbox }: Rotating, id: string) => sandbox.keys().find((key) => key.id === id)?.status

/** The line that the guide ends with, from a screen that is wide enough for it. */
function lineOf(text: string): string {
  const line = /the same without questions:\n {2}(pictify-keys .*)/.exec(text)?.[1]
  if (line === undefined) throw new Error(`no line in:\n${text}`)
  return line
}

describe('the whole guide', () => {
  test('rotates the key, and its line does the same on another machine', async () => {
    const screen = openGuide(project, { columns: 200 })
    await walk(screen, shortWay, shortWay.length)
    expect((await screen.ended).exit, screen.scrollback()).toBe(0)
    expect(statusOf(project, project.old.id)).toBe('revoked')
    const text = screen.scrollback()
    expect(text).toMatch(/7\. Revoke the old key, key_\w+: for good\./)
    expect(text).toContain('then run ./smoke-test.sh (at most 2m)')
    expect(screen.isCursorHidden()).toBe(false)
    const env = await project.read('.env')
    expect(env).not.toContain(project.old.secret.reveal())
    expect(text).not.toMatch(/pk_(live|test)_\w/)

    const other = await openRotating()
    try {
      await furnish(other.home.directory)
      // which it names, as the environment chose it
      expect(lineOf(text)).toContain(` --api-url ${project.sandbox.url}`)
      const line = lineOf(text).replace(project.sandbox.url, other.sandbox.url)
      const ran = await runLine(other, line)
      expect(ran.stdout, ran.stderr).toContain('rotated Production Server')
      expect(statusOf(other, other.old.id)).toBe('revoked')
      expect(await other.read('.env')).not.toContain(other.old.secret.reveal())
    } finally {
      await other.end()
    }
  })

  test('its line names the profile that `profile use` chose', async () => {
    const { url, adminKey } = project.sandbox
    const env = { PICTIFY_API_URL: undefined, PICTIFY_ADMIN_KEY: undefined }
    const login = ['login', '--profile', 'acme', '--api-url', url, '--store', 'file']
    const signedIn = await project.run(login, { env, input: adminKey.reveal() })
    expect(signedIn.exit, signedIn.stderr).toBe(0)
    expect((await project.run(['profile', 'use', 'acme'], { env })).exit).toBe(0)
    const screen = openGuide(project, { columns: 240, env })
    await walk(screen, shortWay, 4)
    screen.type(keyboard.enter)
    expect((await screen.ended).exit, screen.scrollback()).toBe(1)
    expect(lineOf(screen.scrollback())).toMatch(/ --profile acme$/)
  })

  test('a key that is named, and places that are, are not asked for', async () => {
    const screen = openGuide(project, { columns: 120 }, [project.old.id])
    await screen.until('Where does the application find it?')
    expect(screen.text()).not.toContain('Which key')
    await walk(screen, shortWay.slice(1), 4)
    expect((await screen.ended).exit).toBe(0)
    // by the name, which its successor has too: the id is gone with this rotation
    expect(lineOf(screen.scrollback())).toContain(`rotate 'Production Server' --to`)
  })

  test('where the name is not the key’s alone, its line is said to be for this rotation', async () => {
    project.sandbox.dashboard.create({ name: project.old.name })
    const screen = openGuide(project, { columns: 160 }, [project.old.id])
    await walk(screen, shortWay.slice(1), 3)
    screen.type(keyboard.enter)
    expect((await screen.ended).exit).toBe(1)
    expect(screen.scrollback()).toContain(
      `the same without questions (this rotation alone: the new key has another id):\n  pictify-keys rotate ${project.old.id} --to`,
    )
  })

  test.each([
    ['going on with it', keyboard.enter, '--resume', 'revoked'],
    ['undoing it', `${keyboard.down}${keyboard.enter}`, '--abort', 'active'],
  ])('a rotation that is not over is marked, and leads to %s', async (_, keys, flag, status) => {
    const open = await project.run([
      ...['rotate', project.old.id, '--to', 'env:.env', '--settle', '100ms'],
      ...['--idle', '0s', '--usage-lag', '0s', '--overlap', '2s', '--wait', '0s'],
    ])
    expect(open.exit, open.stderr).toBe(5)
    const screen = openGuide(project, { columns: 160 })
    await screen.until(/Production Server .* \(its rotation \w+ is not over: overlapping\)/)
    screen.type(`prod${keyboard.enter}`)
    await screen.until('is not over: overlapping. What now?')
    screen.type(keys)
    expect((await screen.ended).exit, screen.scrollback()).toBe(0)
    expect(lineOf(screen.scrollback())).toMatch(
      new RegExp(`^pictify-keys rotate \\w+ .*${flag} --api-url \\S+$`),
    )
    expect(statusOf(project, project.old.id)).toBe(status)
    expect(project.sandbox.keys().filter((key) => key.status === 'active')).toHaveLength(2)
  })

  test('a place that is refused is said to be at the question, and others can be chosen', async () => {
    await writeFile(
      path.join(project.home.directory, '.env.test'),
      'PICTIFY_API_KEY=pk_test_0123456789abcdef\n',
    )
    const screen = openGuide(project, { columns: 120 })
    await walk(screen, shortWay, 1)
    const { down, enter, space } = keyboard
    screen.type(`${space}${down}${space}${enter}`)
    await screen.until('holds a test key')
    expect(screen.text()).toContain('choose the place of this key')
    expect(screen.text()).not.toContain('✔ Where does')
    screen.type(`${space}${keyboard.up}${space}${enter}`)
    await screen.until('How is it seen')
    expect(screen.text()).toContain('✔ Where does the application find it? env:.env#PICTIFY_API_KEY\n')
    screen.type(keyboard.ctrlC)
    expect((await screen.ended).signal).toBe(sigint)
  })

  test('a folder is no place, and a file that is not there is made only if that is said', async () => {
    await mkdir(path.join(project.home.directory, 'settings'))
    const screen = openGuide(project, { columns: 160 })
    await walk(screen, shortWay, 1)
    const { down, enter, space } = keyboard
    screen.type(`${space}${down}${down}${space}${enter}`)
    await screen.until('Which place?')
    screen.type(`file:settings${enter}`)
    await screen.until(/> file:settings: .*(directory|folder|regular)/)
    expect(screen.text()).not.toContain('✔ Which place?')
    screen.type(`${'\x7f'.repeat('settings'.length)}pictify.key${enter}`)
    await screen.until('A further one?')
    screen.type(enter)
    await screen.until('Not there yet: file:pictify.key. What now?')
    screen.type(`${down}${enter}`)
    await screen.until(/Where does the application find it\?\s+❯/)
    screen.type(keyboard.ctrlC)
    expect((await screen.ended).signal).toBe(sigint)
  })
})

test('left in the overlap, the guide names the one line that goes on, whole', async () => {
  const screen = openGuide(project, { columns: 200 }, ['--overlap', '1h', '--state-dir', 'state'])
  const way = shortWay.filter(([question]) => !question.startsWith('When may'))
  await walk(screen, way, way.length)
  await screen.until('both keys work; waiting')
  screen.type(keyboard.ctrlC)
  expect((await screen.ended).signal, screen.scrollback()).toBe(sigint)
  const text = screen.scrollback()
  expect(text).not.toContain('the same without questions')
  const line = /go on: (pictify-keys rotate \w+ --resume [^;]*);/.exec(text)?.[1] ?? text
  expect(line).toMatch(/ --state-dir \S+$/)
  expect(text.replace(/\s+/g, ' ')).toContain(`go on later with: ${line}`)
  // in its account, which the environment names
  const ran = await runLine(project, `${line} --overlap 0s --idle 0s --usage-lag 0s`)
  expect(ran.stdout, ran.stderr).toContain('rotated Production Server')
})

describe('leaving the guide', () => {
  test.each(longWay.map(([question], index) => [question, index] as const))(
    'by Ctrl-C at "%s" changes nothing, and dies of the signal',
    async (question, index) => {
      const before = await project.read('.env')
      // it is asked whether GitHub takes the secret, which needs a server: the way there leaves the remote out
      const way = index > 2 ? withoutRemote : longWay
      const at = way.findIndex(([each]) => each === question)
      const screen = openGuide(project, { columns: 240 })
      await walk(screen, way, at)
      screen.type(keyboard.ctrlC)
      expect((await screen.ended).signal, screen.text()).toBe(sigint)
      const text = screen.scrollback()
      expect(text).toContain('nothing was changed')
      expect(screen.isCursorHidden()).toBe(false)
      expect(screen.raw().lastIndexOf('\x1b[?2004l')).toBeGreaterThan(screen.raw().lastIndexOf('\x1b[?2004h'))
      expect(await project.read('.env')).toBe(before)
      expect(project.keys()).toEqual([expect.objectContaining({ id: project.old.id, status: 'active' })])
      // what was typed is not lost
      if (question === 'now?')
        expect(lineOf(text)).toMatch(/--verify '.\/smoke-test.sh --quick' .*--overlap 1s/)
      else expect(text).not.toContain('the same without questions')
    },
  )

  test('by a no says so, and prints the line', async () => {
    const screen = openGuide(project, { columns: 240 })
    await walk(screen, shortWay, 4)
    screen.type(keyboard.enter)
    expect((await screen.ended).exit).toBe(1)
    expect(screen.scrollback()).toContain('nothing was done')
    expect(lineOf(screen.scrollback())).toContain(
      "rotate 'Production Server' --to 'env:.env#PICTIFY_API_KEY'",
    )
    expect(statusOf(project, project.old.id)).toBe('active')
  })
})

const withoutRemote = longWay
  .filter(([question]) => !question.startsWith('Which Actions'))
  .map(([question, keys]) =>
    question.startsWith('Where')
      ? ([question, `${keyboard.down}${keyboard.down}${keyboard.space}${keyboard.enter}`] as const)
      : ([question, keys] as const),
  )

/** The line in a shell that finds the program by its name. */
async function runLine({ home }: Rotating, line: string) {
  const folder = path.join(home.directory, 'bin')
  await mkdir(folder)
  const program = path.join(folder, 'pictify-keys')
  await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${bin}' "$@"\n`)
  await chmod(program, 0o755)
  const env = { ...home.env, PATH: `${folder}:${home.env['PATH']}` }
  return promisify(execFile)('sh', ['-c', line], { cwd: home.directory, env })
}

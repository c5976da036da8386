import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { manPage } from '../scripts/man-page.ts'
import { commands } from '../src/commands/index.ts'
import { Exit } from '../src/errors.ts'
import { flagName } from '../src/flags.ts'
import { has } from './cli/programs.ts'

const run = promisify(execFile)
const file = fileURLToPath(new URL('../man/pictify-keys.1', import.meta.url))
const page = await readFile(file, 'utf8')
test('the page is what the command table makes of it (npm run man)', async () => {
  const manifest = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  expect(page).toBe(await manPage(commands, manifest.version))
})

test('every exit code is in it', () => {
  const listed = [...page.matchAll(/^\.It Sy "(\d+)/gm)].map(([, code]) => Number(code))
  expect(listed).toEqual([...Object.values(Exit), 130])
})

test.skipIf(!has('mandoc'))('mandoc finds nothing to say about it', async () => {
  const { stdout, stderr } = await run('mandoc', ['-T', 'lint', file])
  expect(stdout + stderr).toBe('')
})

test.skipIf(!has('man'))('man shows it without a warning, each command with its flags', async () => {
  const env = { ...process.env, MANPAGER: 'cat', MANWIDTH: '80', LC_ALL: 'C.UTF-8' }
  const { stdout, stderr } = await run('man', ['--warnings', '--local-file', file], { env })
  expect(stderr).toBe('')
  for (const { name, load } of commands) {
    expect(stdout).toMatch(new RegExp(`^ +pictify-keys ${name}`, 'm'))
    const { flags } = await load()
    for (const key of Object.keys(flags)) expect(stdout).toContain(flagName(key))
  }
})

import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openAccount, type Account } from './account.ts'
import { has } from './programs.ts'
import { openScreen, type Screen } from './screen.ts'

// Completion as real shells do it, on a real terminal: what is typed, Tab, Enter, and what the program is then given.

const bin = fileURLToPath(new URL('../../bin/pictify-keys.js', import.meta.url))

/** Whatever a shell could make more of than it says. Told apart by their first letter. */
const names = [
  'alpha beta',
  'b"double" quotes',
  "c'est la vie",
  'd$(touch pwned) $HOME ${x}',
  'e`touch pwned`',
  'f; touch pwned & x | y > pwned',
  'g\\back\\slash \\n',
  'h!history !! !$',
  'i*glob? [a-z] {a,b} ~x',
  'j#hash =equals: colon',
  'k%percent ^caret (paren)',
  'léger – Ünïcode 漢字',
  '~tilde',
  '-dash',
]

let account: Account
let env: Record<string, string>

beforeAll(async () => {
  account = await openAccount({ plan: 'enterprise' })
  for (const name of names) {
    await fetch(`${account.sandbox.url}/api-keys`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${account.sandbox.adminKey.reveal()}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ name, type: 'test' }),
    })
  }
  expect(
    account
      .keys()
      .map(({ name }) => name)
      .sort(),
  ).toEqual([...names].sort())
  // the program, which notes what it is given instead of doing it
  const folder = path.join(account.home.directory, 'bin')
  await mkdir(folder)
  const program = path.join(folder, 'pictify-keys')
  await writeFile(
    program,
    `#!/bin/sh
case $1 in
  __complete | completion) exec "${process.execPath}" "${bin}" "$@" ;;
esac
printf '%s\\0' "$@" > "$HOME/given.part" && mv "$HOME/given.part" "$HOME/given"
`,
  )
  await chmod(program, 0o755)
  await writeFile(path.join(account.home.directory, 'some file.pem'), '')
  await mkdir(path.join(account.home.directory, 'work'))
  await writeFile(path.join(account.home.directory, 'work', '.env'), 'PICTIFY_API_KEY=x\nOTHER=y\n')
  env = {
    ...account.home.env,
    PATH: `${folder}:${account.home.env['PATH'] ?? ''}`,
    PS1: '> ',
    LANG: 'C.UTF-8',
  }
})
afterAll(() => account.end())

const shells = [
  {
    shell: 'bash',
    command: ['bash', '--norc', '--noprofile', '-i'],
    setUp: 'source <(pictify-keys completion bash)',
  },
  {
    shell: 'zsh',
    command: ['zsh', '-f', '-i'],
    setUp: "PS1='> '; autoload -Uz compinit && compinit -u && source <(pictify-keys completion zsh)",
  },
  {
    shell: 'fish',
    command: ['fish', '--no-config', '-i'],
    setUp: "function fish_prompt; echo -n '> '; end; pictify-keys completion fish | source",
  },
] as const

async function openShell({ command, setUp }: (typeof shells)[number]): Promise<Screen> {
  const screen = openScreen({ directory: account.home.directory, env }, [], {
    command: [...command],
    columns: 160,
    env: { INPUTRC: '/dev/null' },
  })
  await screen.until(/[>$%#] *$/)
  screen.type(`${setUp}; echo set' 'up\r`)
  await screen.until(/^set up/m)
  return screen
}

/** What the program is given once the line is typed, with a Tab at its end, and entered. */
async function given(screen: Screen, typed: string): Promise<string[]> {
  const file = path.join(account.home.directory, 'given')
  await rm(file, { force: true })
  // a shell reads on when the completion is done
  screen.type(`${typed}\t\r`)
  while (!existsSync(file)) await sleep(5)
  return (await readFile(file, 'utf8')).split('\0').slice(0, -1)
}

describe.each(shells)('$shell', (shell) => {
  const there = has(shell.shell)
  let screen: Screen
  beforeAll(async () => {
    if (there) screen = await openShell(shell)
  })
  afterAll(() => {
    if (there) screen.kill('SIGKILL')
  })

  test.skipIf(!there).each(names.filter((name) => !/^[~-]/.test(name)))(
    'a name is whole, and nothing in it is run: %s',
    async (name) => {
      expect(await given(screen, `pictify-keys show ${name.slice(0, 1)}`)).toEqual(['show', name])
      expect(existsSync(path.join(account.home.directory, 'pwned'))).toBe(false)
    },
  )

  test.skipIf(!there).each([
    ['in double quotes that are open: pictify-keys show "d', ['show', names[3]]],
    ["in single quotes that are open: pictify-keys show 'c", ['show', names[2]]],
    ['in double quotes that are open: pictify-keys show "h', ['show', names[7]]],
    ['behind an escape: pictify-keys show alpha\\ ', ['show', 'alpha beta']],
    ['a command: pictify-keys rotati', ['rotations']],
    ['a flag: pictify-keys list --unus', ['list', '--unused-for']],
    ['a choice: pictify-keys create x --access read', ['create', 'x', '--access', 'read-only']],
    ['a choice behind =: pictify-keys create x --access=read', ['create', 'x', '--access=read-only']],
    ['a kind of place: pictify-keys rotate k --to aws', ['rotate', 'k', '--to', 'aws-sm:']],
    ['a file of a place: pictify-keys rotate k --to env:work/.e', ['rotate', 'k', '--to', 'env:work/.env']],
    [
      'a variable of a place: pictify-keys rotate k --to env:work/.env#PICT',
      ['rotate', 'k', '--to', 'env:work/.env#PICTIFY_API_KEY'],
    ],
    ['a file: pictify-keys list --ca-file some', ['list', '--ca-file', 'some file.pem']],
    ['a file behind =: pictify-keys list --ca-file=some', ['list', '--ca-file=some file.pem']],
    ['another key: pictify-keys revoke -y alpha\\ beta c', ['revoke', '-y', 'alpha beta', names[2]]],
    ['nothing that there is: pictify-keys show zzz', ['show', 'zzz']],
  ])('%s', async (line, expected) => {
    expect(await given(screen, line.slice(line.indexOf('pictify-keys')))).toEqual(expected)
  })

  test.skipIf(!there)('an id', async () => {
    const [key] = account.keys()
    expect(await given(screen, `pictify-keys show ${key?.id.slice(0, 9)}`)).toEqual(['show', key?.id])
  })

  test.skipIf(!there)('of several the names are shown', async () => {
    screen.type('pictify-keys create x --type \t')
    if (shell.shell === 'bash') screen.type('\t')
    await screen.until(/live[^]*test|test[^]*live/)
    screen.type('\x03')
  })
})

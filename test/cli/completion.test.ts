import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { errorOf, openAccount, type Account } from './account.ts'
import { actsOnTerminal, createHostileApi } from './hostile.ts'
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

const has = (program: string) => {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`])
    return true
  } catch {
    return false
  }
}

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

describe('the scripts', () => {
  test.each(['bash', 'zsh', 'fish'])('of %s are data, with --json a document', async (shell) => {
    const script = (await account.run(['completion', shell])).stdout
    expect(script).toContain(`__complete ${shell} --`)
    const ran = await account.run(['completion', shell, '--json'])
    expect(JSON.parse(ran.stdout)).toEqual({ completion: { shell, script } })
  })

  test('another shell is refused, with those that there are', async () => {
    const ran = await account.run(['completion', 'tcsh', '--json'])
    expect(ran.exit).toBe(2)
    expect(errorOf(ran)).toMatchObject({ code: 'usage', hint: 'choose one of bash, zsh, fish' })
  })

  test.skipIf(!has('shellcheck'))('shellcheck has nothing to say about that of bash', async () => {
    const file = path.join(account.home.directory, 'completion.bash')
    await writeFile(file, (await account.run(['completion', 'bash'])).stdout)
    expect(execFileSync('shellcheck', ['--shell', 'bash', file], { encoding: 'utf8' })).toBe('')
  })
})

describe('names that are out to get a terminal', () => {
  test('are offered by an id that is harmless, or not at all', async () => {
    const api = await createHostileApi(account.sandbox.url)
    try {
      for (const shell of ['bash', 'zsh', 'fish']) {
        const line = shell === 'bash' ? ['pictify-keys show ', ''] : ['show', '']
        const ran = await account.run(['__complete', shell, '--', ...line], {
          env: { PICTIFY_API_URL: api.url },
        })
        expect(ran).toMatchObject({ exit: 0, stderr: '' })
        const lines = ran.stdout.split('\n')
        expect(lines[0]).toBe('words')
        // a tab parts a candidate from its summary, and that is all that a terminal would act on
        expect(actsOnTerminal(ran.stdout.replaceAll('\t', ' '))).toEqual([])
      }
    } finally {
      await api.close()
    }
  })
})

describe('what is asked of the API', () => {
  test('is asked once a minute, by whom it belongs to, and kept in a file of theirs alone', async () => {
    const home = path.join(account.home.directory, '.cache', 'pictify-keys')
    const complete = () => account.run(['__complete', 'bash', '--', 'pictify-keys show al', 'al'])
    const before = account.sandbox.requests.length
    expect((await complete()).stdout).toBe('words\nalpha\\ beta\n')
    expect((await complete()).stdout).toBe('words\nalpha\\ beta\n')
    expect(account.sandbox.requests.length - before).toBeLessThanOrEqual(1)
    const [file = ''] = execFileSync('ls', [home], { encoding: 'utf8' }).trim().split('\n')
    expect((await stat(path.join(home, file))).mode & 0o777).toBe(0o600)
    expect((await stat(home)).mode & 0o777).toBe(0o700)
    expect(readFileSync(path.join(home, file), 'utf8')).not.toMatch(/pk_(live|test)_/)
  })

  test.each([
    ['nobody is signed in', { PICTIFY_ADMIN_KEY: undefined }],
    ['the key is refused', { PICTIFY_ADMIN_KEY: 'pk_live_notakeynotakeynotakey' }],
    ['there is no API', { PICTIFY_API_URL: 'http://127.0.0.1:9' }],
    ['its folder cannot be made', { XDG_CACHE_HOME: '/dev/null/x', PICTIFY_API_URL: 'http://127.0.0.1:9' }],
  ])('is nothing, in silence, where %s', async (_, env) => {
    const ran = await account.run(['__complete', 'bash', '--', 'pictify-keys show ', ''], { env })
    expect(ran).toMatchObject({ exit: 0, stdout: 'words\n', stderr: '' })
  })

  test('the account is the one of the line that is typed', async () => {
    const other = await openAccount({ keys: 1, seed: 9 })
    try {
      const [key] = other.keys()
      const line = `pictify-keys --api-url ${other.sandbox.url} show key_`
      const ran = await account.run(['__complete', 'bash', '--', line, 'key_'], {
        env: { PICTIFY_ADMIN_KEY: other.sandbox.adminKey.reveal() },
      })
      expect(ran.stdout).toContain(key?.id)
    } finally {
      await other.end()
    }
  })
})

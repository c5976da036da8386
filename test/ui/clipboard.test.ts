import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { Secret } from '../../src/secret.ts'
import { createClipboard, osc52 } from '../../src/ui/clipboard.ts'

const text = 'pk_test_clipboardclipboard'
const plain = `\x1b]52;c;${Buffer.from(text).toString('base64')}\x07`

test('a terminal is sent the text in base64', () => {
  expect(osc52(text, {})).toBe(plain)
})

test('tmux gets it plain, and wrapped with its escapes doubled; GNU screen wrapped alone', () => {
  const doubled = plain.replaceAll('\x1b', '\x1b\x1b')
  expect(osc52(text, { TMUX: '/tmp/tmux-0/default,1,0' })).toBe(`${plain}\x1bPtmux;${doubled}\x1b\\`)
  expect(osc52(text, { STY: '1.pts-0.host' })).toBe(`\x1bP${plain}\x1b\\`)
})

/** What a clipboard does where no program is on the PATH. */
async function copy(env: Record<string, string>, platform: NodeJS.Platform = 'linux') {
  const written: string[] = []
  const clipboard = createClipboard({
    env: { PATH: '/nowhere', ...env },
    cwd: '/',
    platform,
    write: (sequence) => void written.push(sequence),
  })
  return { copied: await clipboard.copy(new Secret(text)), written, hasProgram: await clipboard.hasProgram() }
}

test('without a program it is the terminal’s, which is never sure', async () => {
  expect(await copy({ TERM: 'xterm-256color', DISPLAY: ':77' })).toEqual({
    copied: { by: 'the terminal', isSure: false },
    written: [plain],
    hasProgram: false,
  })
})

test.each(['dumb', 'linux', ''])(
  'a terminal of the kind "%s" is sent nothing it would show',
  async (TERM) => {
    expect(await copy({ TERM })).toEqual({ copied: undefined, written: [], hasProgram: false })
  },
)

test.each([
  ['darwin', {}, 'pbcopy'],
  ['linux', { WAYLAND_DISPLAY: 'wayland-0' }, 'wl-copy'],
  ['linux', { DISPLAY: ':0' }, 'xclip'],
  ['linux', { WSL_DISTRO_NAME: 'Debian' }, 'clip.exe'],
] as const)('on %s with %j it is %s, by its standard input', async (platform, env, program) => {
  const { copied, given } = await withProgram(program, platform, env)
  expect(copied).toEqual({ by: program, isSure: true })
  expect(given).toEqual({ args: expect.not.stringContaining(text) as string, input: text, environment: '' })
})

test('from afar the programs of this machine are left alone', async () => {
  const { copied, given } = await withProgram('xclip', 'linux', { DISPLAY: ':0', SSH_TTY: '/dev/pts/1' })
  expect(copied).toEqual({ by: 'the terminal', isSure: false })
  expect(given).toBeUndefined()
})

/** A program of that name that notes what it is given, in the way of the real one. */
async function withProgram(program: string, platform: NodeJS.Platform, env: Record<string, string>) {
  const folder = await mkdtemp(path.join(tmpdir(), 'pictify-keys-clipboard-'))
  try {
    const file = path.join(folder, program)
    await writeFile(
      file,
      `#!/bin/sh\nprintf %s "$*" > ${folder}/args; cat > ${folder}/input; env | grep pk_ > ${folder}/environment; true\n`,
    )
    await chmod(file, 0o755)
    const PATH = `${folder}:/usr/bin:/bin`
    const clipboard = createClipboard({
      env: { PATH, TERM: 'xterm', PICTIFY_ADMIN_KEY: 'pk_live_adminadminadmin', ...env },
      cwd: '/',
      platform,
      write: () => {},
    })
    const copied = await clipboard.copy(new Secret(text))
    const read = (name: string) => readFile(path.join(folder, name), 'utf8')
    const given =
      copied?.isSure === true
        ? { args: await read('args'), input: await read('input'), environment: await read('environment') }
        : await read('args').catch(() => undefined)
    return { copied, given }
  } finally {
    await rm(folder, { recursive: true })
  }
}

import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { commandLine, quoted } from '../src/command-line.ts'
import { args, flags } from '../src/commands/rotate-flags.ts'
import { parse } from '../src/cli.ts'
import { readFlag } from '../src/flags.ts'
import { globalFlags, type Globals } from '../src/globals.ts'
import { has } from './cli/programs.ts'
import { fc } from './property.ts'

const globalsOf = (given: Record<string, unknown> = {}, env = {}) =>
  Object.fromEntries(
    Object.entries(globalFlags).map(([key, flag]) => [key, readFlag(key, flag, given[key], env)]),
  ) as Globals

/** The words that a shell makes of a line. */
function wordsIn(shell: string, line: string, first = ''): string[] {
  const print = `for word in "$@"; do printf '%s\\0' "$word"; done`
  const out = execFileSync(shell, ['-c', `${first}words() { ${print}; }; words ${line}`]).toString()
  return out.split('\0').slice(0, -1)
}

/** What a command would get of the line. */
async function inputsOf(line: string, env = {}) {
  const parsed = await parse(wordsIn('bash', line).slice(1), env)
  if (parsed.kind !== 'run') throw new Error(`it is no command: ${line}`)
  return parsed
}

describe('quoting', () => {
  const hostile = [
    "it's",
    'a b',
    '$HOME `id` $(id)',
    '*',
    '~/x',
    '#c',
    'a\\',
    '!!',
    '',
    '-x',
    '"',
    "\\'",
    'a=b',
    '日本',
    '{a,b}',
    '<>&|;',
  ]

  test.each(['sh', 'bash'])('%s reads every word as it was', (shell) => {
    expect(wordsIn(shell, hostile.map(quoted).join(' '))).toEqual(hostile)
  })

  // with the pattern characters that its users turn on
  test.skipIf(!has('zsh'))('zsh does', () => {
    expect(wordsIn('zsh', hostile.map(quoted).join(' '), 'setopt extendedglob; ')).toEqual(hostile)
  })

  // in whose quotes a backslash before a quote or a backslash means more than itself
  test.skipIf(!has('fish'))('fish does', () => {
    const words = hostile.filter((word) => !word.includes('\\'))
    const line = words.map(quoted).join(' ')
    const out = execFileSync('fish', ['--no-config', '-c', `for word in ${line}; printf '%s\\0' $word; end`])
    expect(out.toString().split('\0').slice(0, -1)).toEqual(words)
  })

  test('any text at all, in bash', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((each) => !each.includes('\0'))
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 8 }), (words) => {
        expect(wordsIn('bash', words.map(quoted).join(' '))).toEqual(words)
      }),
      { numRuns: 60 },
    )
  })

  test('what a terminal does not show is written out', () => {
    expect(quoted("a\u202eb'c")).toBe("$'a\\u202eb\\'c'")
    expect(wordsIn('bash', quoted("a\u202eb'c"))).toEqual(["a\u202eb'c"])
  })

  test('plain words stay plain', () => {
    expect(['key_abc', 'Server', './commands/smoke-test.sh', 'a/b:c', '10m', 'x=1'].map(quoted)).toEqual([
      'key_abc',
      'Server',
      './commands/smoke-test.sh',
      'a/b:c',
      '10m',
      'x=1',
    ])
    // zsh takes a # in a word for a pattern
    expect(quoted('env:.env#KEY')).toBe("'env:.env#KEY'")
  })
})

describe('the line', () => {
  const none = Object.fromEntries([
    ...args.map(({ name }) => [name, undefined] as const),
    ...Object.entries(flags).map(([key, flag]) => [key, readFlag(key, flag, undefined, {})] as const),
  ])
  const inputs = {
    ...none,
    to: ['env:.env#KEY', 'exec:tee "a b"'],
    restart: ['deployment/web'],
    createTarget: true,
    verify: '-x',
    settle: 30_000,
    overlap: 90_000,
    idle: 0,
    usageLag: 1_500,
    probes: 4,
    ifOlderThan: 90 * 86_400_000,
  }

  test('is read as what it was made of', async () => {
    const context = {
      env: {},
      globals: globalsOf({ profile: 'acme & co', timeout: '10s', insecureHttp: true }),
    }
    const line = commandLine(context, 'rotate', ["Ann's server"], flags, inputs)
    expect(line).toContain('--overlap 90s')
    expect(line).toContain('--if-older-than 90d')
    expect(line).toContain('--usage-lag 1500ms')
    const parsed = await inputsOf(line)
    expect(parsed.inputs).toEqual({ ...inputs, key: "Ann's server" })
    expect(parsed.globals).toEqual(context.globals)
  })

  test('leaves away what the environment says, and how it shows', async () => {
    const env = { PICTIFY_PROFILE: 'acme', PICTIFY_API_URL: 'https://api.example' }
    const context = { env, globals: globalsOf({ debug: true, noColor: true, quiet: true }, env) }
    expect(commandLine(context, 'rotate', [], flags, { ...none, self: true })).toBe(
      'pictify-keys rotate --self',
    )
    // but for another machine, whose keys they are
    const whose = { profile: 'acme', apiUrl: 'https://api.example' }
    expect(commandLine(context, 'rotate', [], flags, { ...none, self: true }, whose)).toBe(
      'pictify-keys rotate --self --profile acme --api-url https://api.example',
    )
  })
})

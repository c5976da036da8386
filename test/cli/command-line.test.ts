import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commands } from '../../src/commands/index.ts'
import { errorOf, openAccount, untimed, type Account } from './account.ts'

let account: Account
beforeAll(async () => {
  account = await openAccount({ keys: 2 })
})
afterAll(() => account.end())

test('a folder that is gone is named, not called a fault of ours', async () => {
  const ran = await account.run(['list'], { first: 'mkdir gone && cd gone && rmdir ../gone' })
  expect(ran.exit).toBe(2)
  expect(ran.stderr).toContain('does not exist any more')
})

test('a port that there is not is refused', async () => {
  const ran = await account.run(['sandbox', '--port', '99999', '--json'])
  expect(ran.exit).toBe(2)
  expect(errorOf(ran)).toMatchObject({ code: 'usage', message: 'there is no port 99999' })
})

describe('help', () => {
  test('of what is no command is refused, with the nearest name', async () => {
    const ran = await account.run(['help', 'rotat'])
    expect(ran.exit).toBe(2)
    expect(ran.stderr).toContain('did you mean rotate?')
  })

  test('is the same from the build and from commander, names every command, and is not an error', async () => {
    const built = await account.run(['--help'])
    const made = await account.run(['--help', '--no-color'])
    expect(built).toMatchObject({ exit: 0, stderr: '' })
    expect(built.stdout).toBe(made.stdout)
    for (const { name, summary } of commands)
      expect(built.stdout).toMatch(new RegExp(`  ${name} +${summary.slice(0, 20)}`))
    expect((await account.run([])).stdout).toBe(built.stdout)
  })

  test.each(commands.map(({ name }) => name))(
    'of %s: flags, examples, exit 0, nothing asked of the API',
    async (name) => {
      const before = account.sandbox.requests.length
      const flag = await account.run([name, '--help'])
      const word = await account.run(['help', name])
      expect(flag).toMatchObject({ exit: 0, stderr: '' })
      expect(flag.stdout).toBe(word.stdout)
      expect(flag.stdout).toContain(`Usage: pictify-keys ${name}`)
      expect(flag.stdout).toContain('Global flags:')
      expect(flag.stdout).toContain('--api-url')
      expect(flag.stdout).toContain('Examples:')
      expect(account.sandbox.requests.length).toBe(before)
    },
  )
})

describe('version', () => {
  test.each([[['--version']], [['-V']], [['--json', '--version']]])('%j', async (args) => {
    expect(await account.run(args)).toMatchObject({
      exit: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string,
    })
  })
})

describe('what is misspelt is exit 2 and says what was meant', () => {
  test.each([
    [['lsit'], "unknown command 'lsit'", 'did you mean list?'],
    [['list', '--fromat', 'csv'], "unknown option '--fromat'", 'did you mean --format?'],
    [['--profile'], "option '--profile <name>' argument missing", 'see pictify-keys --help'],
    [['--jsno', 'list'], "unknown option '--jsno'", 'did you mean --json?'],
    [['show'], 'show needs <key>: key id or name', 'write pictify-keys show <key>'],
    [['rename'], 'rename needs <key>: key id or name', 'write pictify-keys rename <key> [name]'],
    [
      ['rename', 'key_abc123'],
      'rename needs <name>: its new name, 1 to 100 characters',
      'write pictify-keys rename <key> <name>',
    ],
    [['create'], 'create needs <name>: what uses the key', 'write pictify-keys create <name>'],
    [['revoke'], 'revoke needs <keys>: key ids or names', 'write pictify-keys revoke <keys...>'],
    [['version'], "unknown command 'version'", 'did you mean --version?'],
    [['versoin'], "unknown command 'versoin'", 'did you mean --version?'],
    [['hlep'], "unknown command 'hlep'", 'did you mean help?'],
    [['list', '--name'], "option '--name <glob>' argument missing", 'see pictify-keys list --help'],
    [['show', 'a', 'b'], "too many arguments for 'show'", undefined],
  ])('%j', async (args, message, hint) => {
    const words = await account.run(args)
    expect(words).toMatchObject({ exit: 2, stdout: '' })
    expect(words.stderr).toContain(`error: ${message}`)
    if (hint) expect(untimed(words.stderr)).toContain(`\n  ${hint}\n`)
    const json = await account.run(
      [...args, '--json'].sort((a, b) => Number(b === '--json') - Number(a === '--json')),
    )
    expect(json.exit).toBe(2)
    expect(errorOf(json)).toMatchObject({ code: 'usage' })
    expect(errorOf(json).message).toContain(message)
  })
})

describe('global flags', () => {
  test.each([[['--json', 'list']], [['list', '--json']], [['--json', 'list', '--json']]])(
    '%j',
    async (args) => {
      const ran = await account.run(args)
      expect((JSON.parse(ran.stdout) as { apiKeys: unknown[] }).apiKeys).toHaveLength(3)
    },
  )

  test.each([
    ['PICTIFY_TIMEOUT', 'soon', 'PICTIFY_TIMEOUT: "soon" is not a duration'],
    ['PICTIFY_PLAN', 'gold', 'PICTIFY_PLAN: "gold" is not one of its values'],
    ['PICTIFY_INSECURE_HTTP', 'maybe', 'PICTIFY_INSECURE_HTTP: "maybe" is neither yes nor no'],
  ])('a bad %s names the variable', async (variable, value, message) => {
    const ran = await account.run(['list', '--json'], { env: { [variable]: value } })
    expect(ran.exit).toBe(2)
    expect(errorOf(ran).message).toBe(message)
  })

  test('the plan as the user says it', async () => {
    const ran = await account.run(['status', '--json', '--plan', 'business'])
    expect((JSON.parse(ran.stdout) as { status: { plan: string } }).status.plan).toBe('business')
  })

  test('there is no flag for a secret', async () => {
    const ran = await account.run(['list', '--admin-key', 'pk_live_0123456789abcdef'])
    expect(ran.exit).toBe(2)
    expect(ran.stderr).not.toContain('0123456789')
  })

  test('a flag that begins with "no" is a flag of its own', async () => {
    const { stdout } = await account.run(['rotate', '--help'])
    expect(stdout).toContain('--no-evidence')
    expect((await account.run(['list', '--no-color', '--quiet'])).exit).toBe(0)
  })
})

describe('colour', () => {
  const listed = async (env: Record<string, string>, ...args: string[]) =>
    (await account.run(['list', ...args], { env })).stdout.includes('\u001b[')

  test.each([
    ['none without a terminal', {}, [], false],
    ['FORCE_COLOR', { FORCE_COLOR: '1' }, [], true],
    ['FORCE_COLOR=0', { FORCE_COLOR: '0' }, [], false],
    ['NO_COLOR goes first', { FORCE_COLOR: '1', NO_COLOR: '1' }, [], false],
    ['--no-color goes first', { FORCE_COLOR: '1' }, ['--no-color'], false],
  ] as [string, Record<string, string>, string[], boolean][])('%s', async (_, env, args, coloured) => {
    expect(await listed(env, ...args)).toBe(coloured)
  })

  test('colours change nothing but colour', async () => {
    const plain = await account.run(['list'])
    const coloured = await account.run(['list'], { env: { FORCE_COLOR: '1' } })
    expect(coloured.stdout.replace(/\u001b\[\d+m/g, '').replace(/ +$/gm, '')).toBe(plain.stdout)
  })
})

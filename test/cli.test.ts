import { describe, expect, test } from 'vitest'
import { parse } from '../src/cli.ts'
import { readFlag } from '../src/flags.ts'

/** What `run` would get, of a command line and an environment. */
async function read(line: string[], env: Record<string, string> = {}) {
  const parsed = await parse(line, env)
  if (parsed.kind !== 'run') throw new Error(`not a run: ${parsed.kind}`)
  return {
    name: parsed.command.name,
    inputs: parsed.inputs,
    globals: parsed.globals as Record<string, unknown>,
  }
}

describe('a command line', () => {
  test('becomes inputs, with defaults and in milliseconds', async () => {
    const { name, inputs, globals } = await read(['list', '--older-than', '90d', '--limit', '3', '--reverse'])
    expect(name).toBe('list')
    expect(inputs).toMatchObject({ olderThan: 7_776_000_000, limit: 3, reverse: true, type: undefined })
    expect(globals).toMatchObject({ json: false, timeout: 30_000, apiUrl: undefined, noColor: false })
  })

  test('a flag whose name begins with no is no negation', async () => {
    expect((await read(['rotate', 'k', '--no-evidence'])).inputs).toMatchObject({ noEvidence: true })
    expect((await read(['rotate', 'k'])).inputs).toMatchObject({ noEvidence: false })
    expect((await read(['--no-color', 'list'])).globals).toMatchObject({ noColor: true })
  })

  test('lists repeat, and are empty when absent', async () => {
    expect((await read(['rotate', 'k', '--to', 'a', '--to=b'])).inputs).toMatchObject({ to: ['a', 'b'] })
    expect((await read(['rotate', 'k'])).inputs).toMatchObject({ to: [] })
  })

  test('many arguments are an array, an optional one may be missing', async () => {
    expect((await read(['revoke', 'a', 'b', '--yes', 'c'])).inputs).toMatchObject({
      keys: ['a', 'b', 'c'],
      yes: true,
    })
    expect((await read(['usage'])).inputs).toMatchObject({ keys: [] })
    expect((await read(['rotate'])).inputs).toMatchObject({ key: undefined })
    expect((await read(['show', '--', '--json'])).inputs).toMatchObject({ key: '--json' })
  })

  test('a global flag counts on either side; a command’s own of that name is its own', async () => {
    const url = 'https://a.example'
    for (const line of [
      ['--api-url', url, 'list'],
      ['list', '--api-url', url],
      [`--api-url=${url}`, 'list'],
    ]) {
      expect((await read(line)).globals).toMatchObject({ apiUrl: url })
    }
    const { inputs, globals } = await read(['--plan', 'free', 'sandbox', '--plan', 'business'])
    expect([inputs['plan'], globals['plan']]).toEqual(['business', 'free'])
  })

  test('flag goes before environment, and an empty variable is none', async () => {
    const env = { PICTIFY_API_URL: 'https://env.example', PICTIFY_PROFILE: '' }
    expect((await read(['list'], env)).globals).toMatchObject({
      apiUrl: 'https://env.example',
      profile: undefined,
    })
    expect((await read(['list', '--api-url', 'https://flag.example'], env)).globals).toMatchObject({
      apiUrl: 'https://flag.example',
    })
    expect((await read(['list'], { PICTIFY_INSECURE_HTTP: '1' })).globals).toMatchObject({
      insecureHttp: true,
    })
    expect((await read(['list'], { PICTIFY_INSECURE_HTTP: 'false' })).globals).toMatchObject({
      insecureHttp: false,
    })
  })

  test.each([
    [['nothing'], "unknown command 'nothing'"],
    [['list', '--limit', '1.5'], '--limit: "1.5" is not a whole number'],
    [['list', '--limit', '99999999999999999999'], '--limit: "99999999999999999999" is not a whole number'],
    [['completion'], 'completion needs <shell>: bash, zsh or fish'],
    [['list', '--json=yes'], "unknown option '--json=yes'"],
  ])('%j is refused: %s', async (line, message) => {
    await expect(parse(line, {})).rejects.toMatchObject({ code: 'usage', exit: 2, message })
  })

  test.each([[[]], [['--help']], [['help']], [['list', '-h']], [['help', 'list']]])(
    '%j is help',
    async (line) => {
      const parsed = await parse(line, {})
      expect(parsed).toMatchObject({
        kind: 'help',
        text: expect.stringContaining('Usage: pictify-keys') as string,
      })
    },
  )

  test.each(['list', 'create', 'rotate', 'usage'])('help of %s fits the width it is told', async (name) => {
    for (const columns of [40, 60, 80, 100]) {
      const parsed = await parse([name, '--help'], {}, columns)
      const lines = (parsed.kind === 'help' ? parsed.text : '').split('\n')
      expect(lines.length).toBeGreaterThan(10)
      // a target that is one word of an example cannot be parted
      const tooLong = lines.filter((line) => line.length > columns && !/^ +\S+( \S+)?( \\)?$/.test(line))
      expect(tooLong).toEqual([])
    }
  })

  test('help has the examples first, then the usage, then the flags by their headings', async () => {
    const parsed = await parse(['rotate', '--help'], {})
    const text = parsed.kind === 'help' ? parsed.text : ''
    const headings = ['Examples:\n', 'Usage: pictify-keys rotate', 'Arguments:\n', 'Global flags:\n']
    const places = headings.map((heading) => text.indexOf(heading))
    expect(places).not.toContain(-1)
    expect(places).toEqual(places.toSorted((a, b) => a - b))
  })
})

test('a list may come from the environment, parted by commas', () => {
  const flag = { type: 'list', value: 'x', summary: '', env: 'XS' } as const
  expect(readFlag('xs', flag, undefined, { XS: 'a,b' })).toEqual(['a', 'b'])
  expect(readFlag('xs', flag, ['c'], { XS: 'a,b' })).toEqual(['c'])
})

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Metafile } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundleProgram } from '../../scripts/bundle.js'
import { openAccount, type Account } from './account.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const bin = `${root}bin/pictify-keys.js`

/** The packages whose code is in these outputs. */
function packagesIn({ outputs }: Metafile, names: Iterable<string>): string[] {
  const inputs = [...names].flatMap((name) => Object.keys(outputs[name]?.inputs ?? {}))
  const packages = inputs.map((input) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? '')
  return [...new Set(packages)].filter((name) => name !== '').sort()
}

/** An output and all it loads without waiting. */
function closureOf({ outputs }: Metafile, entry: string): Set<string> {
  const reached = new Set<string>()
  const queue = [entry]
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (reached.has(name)) continue
    reached.add(name)
    for (const { path, kind } of outputs[name]?.imports ?? [])
      if (kind === 'import-statement') queue.push(path)
  }
  return reached
}

describe('what a run loads', () => {
  let account: Account
  let metafile: Metafile
  let spy: string

  beforeAll(async () => {
    account = await openAccount({ keys: 3 })
    metafile = (await bundleProgram()).metafile
    spy = path.join(account.home.directory, 'spy.cjs')
    await writeFile(
      spy,
      `const { _extensions } = require('node:module')
      const load = _extensions['.js']
      _extensions['.js'] = (module, file) => {
        require('node:fs').writeSync(2, 'loaded ' + file + '\\n')
        load(module, file)
      }`,
    )
  })
  afterAll(() => account.end())

  /** The packages in the files of dist/ that a run really opens, as Node's own loader tells. */
  async function loaded(...args: string[]): Promise<string[]> {
    const child = spawn(process.execPath, ['--require', spy, bin, ...args], {
      env: account.home.env,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0)
    const files = [...stderr.matchAll(/^loaded \S+(dist\/\S+)$/gm)].map(([, file = '']) => file)
    expect(files).toContain('dist/main.js')
    // a file this build does not know would pass unseen: dist/ is stale, run npm run build
    for (const file of files) expect(Object.keys(metafile.outputs)).toContain(file)
    return packagesIn(metafile, files)
  }

  const heavy = ['@inquirer/prompts', 'chalk', 'cli-table3', 'csv-stringify', 'hono', 'picomatch', 'undici']

  test('every heavy library is somewhere in dist, so that a check for it can fail', () => {
    expect(existsSync(`${root}dist/main.js`)).toBe(true)
    expect(packagesIn(metafile, Object.keys(metafile.outputs))).toEqual(
      expect.arrayContaining(heavy.filter((name) => !name.startsWith('@'))),
    )
  })

  test.each([['--version'], ['--help'], ['-h']])('%s: no library at all', async (...args) => {
    expect(await loaded(...args)).toEqual([])
  })

  test.each([
    [['list', '--help'], []],
    [['create', '--help'], []],
    [['list', '--json'], ['undici']],
    [['list', '--format', 'ndjson'], ['undici']],
    [
      ['list', '--format', 'csv'],
      ['csv-stringify', 'undici'],
    ],
    [
      ['list', '--json', '--name', '*'],
      ['picomatch', 'undici'],
    ],
    [['list'], ['cli-table3', 'undici']],
  ] as [string[], string[]][])('%j', async (args, expected) => {
    const packages = await loaded(...args)
    expect(packages).toContain('commander')
    expect(packages.filter((name) => heavy.includes(name) || name.startsWith('@inquirer/'))).toEqual(expected)
  })
})

describe('what core.ts imports without waiting, and so every command loads', () => {
  async function atOnce(contents: string): Promise<string[]> {
    const { metafile } = await build({
      stdin: { contents, resolveDir: `${root}src`, loader: 'ts' },
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      outdir: 'nowhere',
      write: false,
      metafile: true,
    })
    const [entry = ''] =
      Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint === '<stdin>') ?? []
    return packagesIn(metafile, closureOf(metafile, entry))
  }

  test('is commander, what reads answers, and what finds folders', async () => {
    expect(await atOnce(`export * from './core.ts'`)).toEqual(['commander', 'env-paths', 'valibot'])
  })

  test.each(['undici', '@inquirer/prompts'])('a static import of %s would be seen', async (library) => {
    const added = await atOnce(
      `export * from './core.ts'; import * as all from '${library}'; globalThis.all = all`,
    )
    expect(added.some((name) => name.startsWith(library.split('/')[0] ?? ''))).toBe(true)
  })
})

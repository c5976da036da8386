import { readdir, readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { commandTable, withTable } from '../scripts/command-table.ts'
import type { Flag } from '../src/commands/command.ts'
import { commands } from '../src/commands/index.ts'
import { Exit } from '../src/errors.ts'
import { globalFlags } from '../src/globals.ts'

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')

describe('the README', () => {
  it('has the command table as the program has it (npm run readme)', async () => {
    expect(readme).toBe(withTable(readme, await commandTable(commands)))
  })

  it('has every exit code', () => {
    const listed = [...readme.matchAll(/^\| (\d+)(?:, (\d+))? \|/gm)].flatMap(([, ...codes]) => codes)
    const codes = [...Object.values(Exit), 130, 143].map(String)
    expect(listed.filter((code) => code !== undefined)).toEqual(codes)
  })

  it('has every variable that stands for a flag', () => {
    const variables = Object.values<Flag>(globalFlags).flatMap(({ env }) => env ?? [])
    expect(variables.length).toBeGreaterThan(5)
    for (const variable of variables) expect(readme).toContain(`\`${variable}\``)
  })

  it('names scripts and commands that exist', async () => {
    const manifest = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as {
      scripts: Record<string, string>
    }
    const scripts = [...readme.matchAll(/npm run ([\w:-]+)/g)].map(([, name = '']) => name)
    expect(scripts.length).toBeGreaterThan(0)
    for (const name of scripts) expect(Object.keys(manifest.scripts)).toContain(name)
    const used = [...readme.matchAll(/^(?:\$ )?pictify-keys ([a-z]+)/gm)].map(([, name = '']) => name)
    expect(used.length).toBeGreaterThan(5)
    for (const name of used) expect(commands.map((command) => command.name)).toContain(name)
  })
})

describe('docs/json.md', () => {
  it('names every event the program reports', async () => {
    const src = new URL('../src/', import.meta.url)
    const files = (await readdir(src, { recursive: true })).filter((name) => name.endsWith('.ts'))
    const texts = await Promise.all(files.map((name) => readFile(new URL(name, src), 'utf8')))
    const events = new Set(
      texts.flatMap((text) => [...text.matchAll(/\bevent: '([a-z-]+)'/g)].map(([, name = '']) => name)),
    )
    expect(events.size).toBeGreaterThan(10)
    const docs = await readFile(new URL('../docs/json.md', import.meta.url), 'utf8')
    const rows = docs.slice(docs.indexOf('## Events'))
    for (const event of events) expect(rows, event).toContain(`\`${event}\``)
  })
})

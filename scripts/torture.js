// Runs the whole of what the quick suite runs a part of, and prints what it counted: `npm run test:torture [file]`.
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import Table from 'cli-table3'

const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url))
const folder = await mkdtemp(path.join(tmpdir(), 'pictify-keys-figures-'))
const gathered = path.join(folder, 'figures.jsonl')
const began = Date.now()

const child = spawn(
  process.execPath,
  [vitest, 'run', '--config', 'vitest.torture.config.ts', ...process.argv.slice(2)],
  { stdio: 'inherit', env: { ...process.env, FIGURES: gathered } },
)
const exit = await new Promise((resolve) => child.once('close', (code) => resolve(code ?? 1)))

const text = await readFile(gathered, 'utf8').catch(() => '')
const lines = text
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line))
const byTitle = new Map()
for (const line of lines) byTitle.set(line.title, [...(byTitle.get(line.title) ?? []), line])
for (const [title, rows] of byTitle) {
  const columns = [...new Set(rows.flatMap(({ figures }) => Object.keys(figures)))]
  const table = new Table({ head: columns, style: { head: [], border: [] } })
  for (const { figures } of rows) table.push(columns.map((column) => String(figures[column] ?? '')))
  console.log(`\n${title}\n${table.toString()}`)
}
console.log(`\n${Math.round((Date.now() - began) / 1000)} s in all`)
await rm(folder, { recursive: true })
process.exitCode = exit

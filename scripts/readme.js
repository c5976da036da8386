// Writes the command table into README.md; a test says when that is due.
import { readFile, writeFile } from 'node:fs/promises'
import { importSource } from './source-module.js'

const readme = new URL('../README.md', import.meta.url)
const { commands, commandTable, withTable } = await importSource(
  "export * from './scripts/command-table.ts'; export { commands } from './src/commands/index.ts'",
)
await writeFile(readme, withTable(await readFile(readme, 'utf8'), await commandTable(commands)))

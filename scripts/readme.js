// Writes the command table into README.md and the rules into docs/audit.md; tests say when that is due.
import { readFile, writeFile } from 'node:fs/promises'
import { importSource } from './source-module.js'

const { commands, commandTable, withTable, rules, ruleList, withRules } = await importSource(
  `export * from './scripts/command-table.ts'
  export * from './scripts/rule-list.ts'
  export { commands } from './src/commands/index.ts'
  export { rules } from './src/audit/rules.ts'`,
)
const readme = new URL('../README.md', import.meta.url)
await writeFile(readme, withTable(await readFile(readme, 'utf8'), await commandTable(commands)))
const audit = new URL('../docs/audit.md', import.meta.url)
await writeFile(audit, withRules(await readFile(audit, 'utf8'), ruleList(rules)))

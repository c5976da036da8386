// Writes man/pictify-keys.1; a test says when that is due.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { importSource } from './source-module.js'

const root = new URL('..', import.meta.url)
const { commands, manPage } = await importSource(
  "export * from './scripts/man-page.ts'; export { commands } from './src/commands/index.ts'",
)
const { version } = JSON.parse(await readFile(new URL('package.json', root), 'utf8'))
await mkdir(new URL('man/', root), { recursive: true })
await writeFile(new URL('man/pictify-keys.1', root), await manPage(commands, version))

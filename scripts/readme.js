// Writes the command table into README.md; a test says when that is due.
import { build } from 'esbuild'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = new URL('..', import.meta.url)
const readme = new URL('README.md', root)
const bundle = fileURLToPath(new URL(`dist/.readme-${process.pid}.mjs`, root))
const banner = "import{createRequire as _cr}from'node:module';const require=_cr(import.meta.url);"

await build({
  stdin: {
    contents:
      "export * from './scripts/command-table.ts'; export { commands } from './src/commands/index.ts'",
    resolveDir: fileURLToPath(root),
  },
  bundle: true,
  format: 'esm',
  platform: 'node',
  banner: { js: banner },
  outfile: bundle,
  logLevel: 'warning',
})
try {
  const { commands, commandTable, withTable } = await import(pathToFileURL(bundle).href)
  const text = await readFile(readme, 'utf8')
  await writeFile(readme, withTable(text, await commandTable(commands)))
} finally {
  await rm(bundle)
}

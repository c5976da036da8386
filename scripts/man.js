// Writes man/pictify-keys.1; a test says when that is due.
import { build } from 'esbuild'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = new URL('..', import.meta.url)
const bundle = fileURLToPath(new URL(`dist/.man-${process.pid}.mjs`, root))
const banner = "import{createRequire as _cr}from'node:module';const require=_cr(import.meta.url);"

await build({
  stdin: {
    contents: "export * from './scripts/man-page.ts'; export { commands } from './src/commands/index.ts'",
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
  const { commands, manPage } = await import(pathToFileURL(bundle).href)
  const { version } = JSON.parse(await readFile(new URL('package.json', root), 'utf8'))
  await mkdir(new URL('man/', root), { recursive: true })
  await writeFile(new URL('man/pictify-keys.1', root), await manPage(commands, version))
} finally {
  await rm(bundle)
}

// Loads modules of the source (TypeScript) for a script that makes a document of them.
import { build } from 'esbuild'
import { rm } from 'node:fs/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = new URL('..', import.meta.url)
const banner = "import{createRequire as _cr}from'node:module';const require=_cr(import.meta.url);"

/** What `contents` exports: a module that imports from the root of the project. */
export async function importSource(contents) {
  const bundle = fileURLToPath(new URL(`dist/.source-${process.pid}.mjs`, root))
  await build({
    stdin: { contents, resolveDir: fileURLToPath(root) },
    bundle: true,
    format: 'esm',
    platform: 'node',
    banner: { js: banner },
    outfile: bundle,
    logLevel: 'warning',
  })
  try {
    return await import(pathToFileURL(bundle).href)
  } finally {
    await rm(bundle)
  }
}

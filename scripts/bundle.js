// What goes into dist/: main.js, core.js and a chunk for whatever is loaded on first use. Nothing is left outside but
// Node's own modules, so that a global install is two folders and no dependencies.
import { build } from 'esbuild'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))
export const dist = path.join(root, 'dist')
const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'))

/** What the bundles inside hold of CommonJS asks for Node's modules by `require`. */
const banner = "import{createRequire as _cr}from'node:module';const require=_cr(import.meta.url);"

/** Modules of Node's that a library asks for as it loads and that are never used here; loading one takes milliseconds. */
const unused = [
  // only for subcommands that are programs of their own
  { module: 'node:child_process', of: '/node_modules/commander/', contents: 'module.exports = {}' },
  // only with allowH2; without the module undici does this itself
  { module: 'node:http2', of: '/node_modules/undici/', contents: 'module.exports = { constants: {} }' },
]
const withoutUnused = {
  name: 'without-unused',
  setup(builder) {
    builder.onResolve({ filter: /^node:(child_process|http2)$/ }, ({ path: module, importer }) =>
      unused.some((each) => each.module === module && importer.includes(each.of))
        ? { path: module, namespace: 'unused' }
        : undefined,
    )
    builder.onLoad({ filter: /.*/, namespace: 'unused' }, ({ path: module }) => ({
      contents: unused.find((each) => each.module === module).contents,
    }))
  },
}

/** main.ts stands alone, so that what it answers by itself loads one file; the rest is behind this one import. */
const coreApart = {
  name: 'core-apart',
  setup(builder) {
    builder.onResolve({ filter: /^\.\/core\.ts$/ }, () => ({ path: './core.js', external: true }))
  },
}

function bundle(help, options) {
  return build({
    absWorkingDir: root,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    splitting: true,
    minify: true,
    legalComments: 'none',
    outdir: dist,
    chunkNames: 'chunks/[name]-[hash]',
    metafile: true,
    write: false,
    logLevel: 'warning',
    define: { PICTIFY_KEYS_VERSION: JSON.stringify(version), PICTIFY_KEYS_HELP: JSON.stringify(help) },
    ...options,
    plugins: [withoutUnused, ...(options.plugins ?? [])],
  })
}

/** The answer to --help, as the program itself makes it: printing it then needs neither commander nor a chunk. */
async function renderHelp() {
  const { outputFiles } = await bundle('', {
    entryPoints: ['src/cli.ts'],
    splitting: false,
    banner: { js: banner },
    minify: false,
  })
  const folder = await mkdtemp(path.join(tmpdir(), 'pictify-keys-help-'))
  const scratch = path.join(folder, 'cli.mjs')
  await writeFile(scratch, outputFiles[0].contents)
  try {
    const { parse } = await import(pathToFileURL(scratch).href)
    return (await parse(['--help'], {}, 80)).text
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Every file of dist/ by its path, and esbuild's account of what is in each. */
export async function bundleProgram() {
  const builds = await Promise.all([
    bundle(await renderHelp(), { entryPoints: ['src/main.ts'], plugins: [coreApart] }),
    bundle('', { entryPoints: ['src/core.ts'] }),
  ])
  const metafile = {
    inputs: Object.assign({}, ...builds.map((each) => each.metafile.inputs)),
    outputs: Object.assign({}, ...builds.map((each) => each.metafile.outputs)),
  }
  const files = new Map()
  for (const { path: file, text } of builds.flatMap((each) => each.outputFiles)) {
    // only where it is called: the line loads node:module
    files.set(file, /\brequire\b/.test(text) ? banner + text : text)
  }
  return { files, metafile }
}

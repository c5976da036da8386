// What goes into dist/: main.js, core.js and a chunk for whatever is loaded on first use. Nothing is left outside but
// Node's own modules, so that a global install is two folders and no dependencies.
//
// The source is ESM and is split as ESM; what comes out is then written as CommonJS, because Node starts that without
// its asynchronous loader: on Node 20 an empty .mjs costs 15 % of a bare start, and every further file adds to it.
import { build, transform } from 'esbuild'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))
export const dist = path.join(root, 'dist')
const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'))

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

const commandsApart = {
  name: 'commands-apart',
  setup(builder) {
    builder.onResolve({ filter: /^\.\/[a-z]+\.ts$/ }, ({ path: file, kind, importer }) =>
      kind === 'dynamic-import' && importer.endsWith('/src/commands/index.ts')
        ? { path: file, external: true }
        : undefined,
    )
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
    format: 'cjs',
    // the commands themselves are loaded when one is named, which --help does not
    plugins: [commandsApart],
  })
  const module = { exports: {} }
  new Function('module', 'exports', 'require', outputFiles[0].text)(
    module,
    module.exports,
    createRequire(import.meta.url),
  )
  return (await module.exports.parse(['--help'], {}, 80)).text
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
  const outputs = builds.flatMap((each) => each.outputFiles)
  const files = new Map(
    await Promise.all(outputs.map(async ({ path: file, text }) => [file, await asCommonJs(text)])),
  )
  files.set(path.join(dist, 'package.json'), '{"type":"commonjs"}\n')
  return { files, metafile }
}

async function asCommonJs(text) {
  const { code } = await transform(text, {
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    minify: true,
    legalComments: 'none',
    // import() becomes a require() when its turn comes
    supported: { 'dynamic-import': false },
  })
  return code
}

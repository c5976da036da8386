// What goes into dist/: main.js, core.js and a chunk for whatever is loaded on first use; keychain.js, which is a process of
// its own; and library.js, which shares no chunk with those, so that neither moves the other's start-up. Nothing is left
// outside but Node's own modules, the optional libraries of the stores, and the binding to the system's keychain, which is
// native: a global install is two folders, and that binding where the platform has one.
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
const { version, peerDependencies, optionalDependencies } = JSON.parse(
  await readFile(path.join(root, 'package.json'), 'utf8'),
)
/** What `explain` prints. */
const errors = await readFile(path.join(root, 'docs/errors.md'), 'utf8')

/** The libraries of the stores, which whoever uses one installs, and the keychain's: each is loaded on first use. */
const optional = Object.keys({ ...peerDependencies, ...optionalDependencies })

/** What a library loads as it loads itself and that is never used here; each costs up to milliseconds. */
const unused = [
  // only for subcommands that are programs of their own
  { of: 'commander', module: 'node:child_process', contents: 'module.exports = {}' },
  // only with allowH2, which is off
  {
    of: 'undici',
    module: './client-h2.js',
    contents: "module.exports = () => { throw new Error('no HTTP/2') }",
  },
  // only for forms as bodies; without it nothing of undici's own fetch is left
  {
    of: 'undici',
    module: '../web/fetch/body.js',
    contents: "exports.extractBody = () => { throw new Error('no forms') }",
  },
  { of: 'undici', module: 'node:http2', contents: 'module.exports = { constants: {} }' },
  // only the limit of Node's own client, which is this unless Node is told otherwise, and a test on a body that streams
  {
    of: 'undici',
    module: 'node:http',
    contents: 'exports.maxHeaderSize = 16384; exports.IncomingMessage = class {}',
  },
]
const withoutUnused = {
  name: 'without-unused',
  setup(builder) {
    builder.onResolve({ filter: /./ }, ({ path: module, importer }) => {
      const index = unused.findIndex(
        (each) => each.module === module && importer.includes(`/node_modules/${each.of}/`),
      )
      return index < 0 ? undefined : { path: module, namespace: 'unused', pluginData: unused[index] }
    })
    builder.onLoad({ filter: /./, namespace: 'unused' }, ({ pluginData }) => ({
      contents: pluginData.contents,
    }))
  },
}

/** Modules of Node's that take a millisecond or more to load, and of which most commands call no function. */
const onFirstCall = {
  name: 'on-first-call',
  setup(builder) {
    builder.onResolve({ filter: /^node:(crypto|fs\/promises)$/ }, ({ path: module, importer, namespace }) =>
      namespace === 'file' && importer.startsWith(path.join(root, 'src'))
        ? { path: module, namespace: 'on-first-call', sideEffects: false }
        : undefined,
    )
    builder.onLoad({ filter: /./, namespace: 'on-first-call' }, async ({ path: module }) => ({
      contents: Object.entries(await import(module))
        .filter(([name, value]) => /^[a-z]/.test(name) && name !== 'default' && typeof value === 'function')
        .map(([name]) => `export const ${name} = (...given) => require('${module}').${name}(...given)`)
        .join('\n'),
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
    define: {
      PICTIFY_KEYS_VERSION: JSON.stringify(version),
      PICTIFY_KEYS_HELP: JSON.stringify(help),
      PICTIFY_KEYS_ERRORS: JSON.stringify(errors),
      // what is written as CommonJS has no import.meta
      'import.meta.filename': '__filename',
    },
    external: optional,
    ...options,
    plugins: [withoutUnused, onFirstCall, ...(options.plugins ?? [])],
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
  const bundles = await Promise.all([
    bundle(await renderHelp(), { entryPoints: ['src/main.ts'], plugins: [coreApart] }),
    bundle('', { entryPoints: ['src/core.ts'] }),
    bundle('', { entryPoints: [{ in: 'src/keychain-process.ts', out: 'keychain' }] }),
  ])
  const [, core] = bundles
  const texts = new Map(
    bundles.flatMap(({ outputFiles }) => outputFiles.map(({ path: file, text }) => [file, text])),
  )
  const eager = eagerChunks(core.metafile)
  const files = new Map([[path.join(dist, 'core.js'), await mergeCore(texts, eager)]])
  for (const [file, text] of texts) {
    if (files.has(file) || eager.includes(file)) continue
    const code = await asCommonJs(text)
    files.set(
      file,
      code.replace(/require\("(\.\/chunk-[^"]+)"\)/g, (call, chunk) => {
        const index = eager.indexOf(path.resolve(file, '..', chunk))
        return index < 0 ? call : `require("../core.js").${eagerName(index)}`
      }),
    )
  }
  files.set(path.join(dist, 'package.json'), '{"type":"commonjs"}\n')
  const metafile = { inputs: {}, outputs: {} }
  for (const { inputs, outputs } of bundles.map((each) => each.metafile)) {
    Object.assign(metafile.inputs, inputs)
    Object.assign(metafile.outputs, outputs)
  }
  for (const file of eager) {
    const name = path.relative(root, file)
    Object.assign(metafile.outputs['dist/core.js'].inputs, metafile.outputs[name].inputs)
    delete metafile.outputs[name]
  }
  return { files, metafile }
}

/** As `bundleProgram`: what `import … from 'pictify-keys'` loads. */
export async function bundleLibrary() {
  const { outputFiles, metafile } = await bundle('', {
    entryPoints: ['src/library.ts'],
    chunkNames: 'library/[name]-[hash]',
    // whoever calls it sees its functions in stack traces, and Node prints the line where an error was thrown
    minify: false,
  })
  const files = new Map()
  for (const { path: file, text } of outputFiles) files.set(file, await asCommonJs(text, false))
  return { files, metafile }
}

/** The chunks that core.js loads at once: what it shares with what comes later. */
function eagerChunks({ outputs }) {
  const names = new Set(['dist/core.js'])
  for (const name of names) {
    for (const { path: chunk, kind, external } of outputs[name].imports) {
      if (kind === 'import-statement' && !external) names.add(chunk)
    }
  }
  return [...names].slice(1).map((name) => path.join(root, name))
}

const eagerName = (index) => `_${index}`

/** core.js with its eager chunks inside, for the others to find there: a file takes longer to find than to run. */
async function mergeCore(texts, eager) {
  const core = path.join(dist, 'core.js')
  const inside = {
    name: 'inside',
    setup(builder) {
      builder.onResolve({ filter: /./ }, ({ path: asked, resolveDir }) => {
        if (!asked.startsWith('.')) return { path: asked, external: true }
        const file = path.resolve(resolveDir, asked)
        if (file === core || eager.includes(file)) return { path: file, namespace: 'inside' }
        return { path: `./${path.relative(dist, file)}`, external: true }
      })
      builder.onLoad({ filter: /./, namespace: 'inside' }, ({ path: file }) => ({
        contents: texts.get(file),
        resolveDir: path.dirname(file),
      }))
    },
  }
  const chunks = eager.map(
    (file, index) => `export * as ${eagerName(index)} from './${path.relative(dist, file)}'`,
  )
  const { outputFiles } = await build({
    ...commonJs,
    stdin: { contents: [`export * from './core.js'`, ...chunks].join('\n'), resolveDir: dist },
    bundle: true,
    write: false,
    plugins: [inside],
  })
  return outputFiles[0].text
}

const commonJs = {
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  minify: true,
  legalComments: 'none',
  // import() becomes a require() when its turn comes
  supported: { 'dynamic-import': false },
}

/** A library that is not bundled may be an ES module, which Node 20 has no require() for: its import() stays one. */
async function asCommonJs(text, minify = true) {
  const kept = text.replace(/\bimport\("([^."][^"]*)"\)/g, (call, module) =>
    optional.includes(module) ? `__import("${module}")` : call,
  )
  return (await transform(kept, { ...commonJs, minify })).code.replaceAll('__import(', 'import(')
}

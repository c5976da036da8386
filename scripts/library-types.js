// dist/library.d.ts: the types of src/library.ts and of all that it names, in one file. TypeScript makes a declaration of
// each module (without checking them: that is for `npm run check`), and rollup puts those together.
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { root } from './bundle.js'

const entry = path.join(root, 'src/library.ts')
/** What was made last, and the digest of each file that it was made of: it takes seconds, and changes rarely. */
const kept = path.join(root, 'node_modules/.cache/pictify-keys/library-types.json')

export async function libraryTypes() {
  const last = await readFile(kept, 'utf8').then(JSON.parse, () => undefined)
  if (last !== undefined && (await isAsItWas(last.digests))) return last.text
  const { text, files } = await join()
  await mkdir(path.dirname(kept), { recursive: true })
  await writeFile(kept, JSON.stringify({ text, digests: await digestsOf(files) }))
  return text
}

async function isAsItWas(digests) {
  const now = await digestsOf(Object.keys(digests)).catch(() => undefined)
  return JSON.stringify(now) === JSON.stringify(digests)
}

async function digestsOf(files) {
  const digest = async (file) => [
    file,
    createHash('sha256')
      .update(await readFile(path.join(root, file)))
      .digest('hex'),
  ]
  return Object.fromEntries(await Promise.all(files.map(digest)))
}

/** The declarations of the entry and of each module whose types it names, as one text. */
async function join() {
  const [{ rollup }, { dts }, { default: ts }] = await Promise.all([
    import('rollup'),
    import('rollup-plugin-dts'),
    import('typescript'),
  ])
  const declarationOf = createDeclarations(ts)
  const files = new Set()
  const declarations = {
    name: 'declarations',
    resolveId(module, importer) {
      if (importer === undefined) return module
      return module.startsWith('.') ? path.resolve(path.dirname(importer), declared(module)) : null
    },
    load(file) {
      const source = file.replace(/\.d\.ts$/, '.ts')
      files.add(path.relative(root, source))
      return declarationOf(source)
    },
  }
  const bundle = await rollup({
    input: declared(entry),
    plugins: [declarations, dts({ tsconfig: false })],
    external: (module) => module.startsWith('node:'),
    onwarn({ message }) {
      throw new Error(`the library's types: ${message}`)
    },
  })
  const { output } = await bundle.generate({ format: 'es' })
  return { text: output[0].code, files: [...files, 'tsconfig.json', 'scripts/library-types.js'] }
}

const declared = (module) => module.replace(/\.ts$/, '.d.ts')

/** Gives the declaration of a module of ours. */
function createDeclarations(ts) {
  const { config } = ts.readConfigFile(path.join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options: own } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root)
  const emitting = { noEmit: false, declaration: true, emitDeclarationOnly: true, stripInternal: true }
  const options = { ...own, ...emitting, rootDir: root, outDir: root }
  const host = ts.createCompilerHost(options)
  // No type of another library is in ours, and reading those of the stores' takes longer than all else.
  host.resolveModuleNameLiterals = (modules, file, _, settings) =>
    modules.map(({ text }) =>
      text.startsWith('.') ? ts.resolveModuleName(text, file, settings, host) : { resolvedModule: undefined },
    )
  const program = ts.createProgram([entry], options, host)
  return (file) => {
    let declaration
    program.emit(program.getSourceFile(file), (_, text) => (declaration = text), undefined, true)
    return declaration
  }
}

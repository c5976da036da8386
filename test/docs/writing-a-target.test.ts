// What docs/writing-a-target.md shows of code is the code.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { blocks, root } from './documents.ts'

const own = blocks.filter(({ document }) => document === 'docs/writing-a-target.md')
const example = (
  await Promise.all(
    ['settings-target.js', 'rotate.js'].map((name) =>
      readFile(new URL(`examples/target/${name}`, root), 'utf8'),
    ),
  )
).join('\n')

const parts = own.filter(({ language }) => language === 'js')
test.each(parts.map((part) => [part.line, part] as const))(
  'line %d is of the example',
  (_line, { lines }) => {
    const code = lines.filter((line) => line.trim() !== '// …').map((line) => line.trim())
    const inExample = example.split('\n').map((line) => line.trim())
    const begin = inExample.findIndex((_, at) => code.every((line, index) => inExample[at + index] === line))
    expect(begin, code.join('\n')).toBeGreaterThanOrEqual(0)
  },
)

test('the interface is that of the library, both ways', () => {
  const shown = own.filter(({ language }) => language === 'ts').flatMap(({ lines }) => lines)
  const file = fileURLToPath(new URL('test/docs/shown-target.ts', root))
  const text = [
    `import type { Secret, Held as RealHeld, Target as RealTarget } from '../../src/library.ts'`,
    ...shown,
    'export const there: (shown: Target, held: Held) => [RealTarget, RealHeld] = (shown, held) => [shown, held]',
    'export const back: (real: RealTarget, held: RealHeld) => [Target, Held] = (real, held) => [real, held]',
  ].join('\n')
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    lib: ['lib.es2023.d.ts'],
    types: ['node'],
    typeRoots: [fileURLToPath(new URL('node_modules/@types', root))],
    allowImportingTsExtensions: true,
    skipLibCheck: true,
  }
  const host = ts.createCompilerHost(options)
  const read = host.getSourceFile.bind(host)
  host.getSourceFile = (name, version) =>
    name === file ? ts.createSourceFile(name, text, version) : read(name, version)
  host.fileExists = (name) => name === file || ts.sys.fileExists(name)
  const program = ts.createProgram([file], options, host)
  const wrong = program.getSemanticDiagnostics(program.getSourceFile(file))
  expect(wrong.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([])
})

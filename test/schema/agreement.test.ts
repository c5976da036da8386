// Whether the types of the program and what schema/ publishes are one: TypeScript compares them, in both directions and
// field by field, after types were made of the schemas.
import { compile, type JSONSchema } from 'json-schema-to-typescript'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { schemas } from './schemas.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const here = path.join(root, 'test/schema')

/** What is published, `P` where `published` says more of it, and what it is in the program, likewise `O`. */
interface Pair {
  file: string
  type: string
  published?: string
  from: string
  own: string
  program?: string
}

const pairs: Pair[] = [
  { file: 'definitions', type: 'Key', from: 'api/contract', own: 'Key' },
  { file: 'definitions', type: 'Usage', from: 'api/contract', own: 'Usage' },
  { file: 'definitions', type: 'Evidence', from: 'rotation/state', own: 'Evidence' },
  { file: 'definitions', type: 'Rotation', from: 'rotation/state', own: 'Receipt' },
  { file: 'definitions', type: 'Incident', from: 'audit/incident', own: 'Incident' },
  { file: 'incident', type: 'IncidentReport', from: 'audit/incident-report', own: 'IncidentReport' },
  { file: 'usage', type: 'Usage', from: 'audit/account-usage', own: 'AccountUsage' },
  {
    file: 'audit',
    type: 'AuditReport',
    from: 'audit/report',
    own: 'AuditReport',
    program: 'Mutable<O>',
  },
  { file: 'definitions', type: 'ErrorCode', from: 'errors', own: 'ErrorCode' },
  { file: 'status', type: 'Status', published: "P['status']", from: 'ui/status', own: 'StatusReport' },
  { file: 'profile', type: 'Profile1', from: 'ui/profiles', own: 'ProfileRow' },
  { file: 'definitions', type: 'Snippet', from: 'ui/snippets', own: 'Snippet' },
  {
    file: 'explain',
    type: 'Explanation',
    from: 'ui/explanation',
    own: 'Explanation',
    // read from a text, whose codes a test of its own compares
    program: "Omit<O, 'code'> & Pick<P, 'code'>",
  },
  {
    file: 'event',
    type: 'Event',
    published: "Extract<P, { event: Exclude<O['event'], 'warning'> }>",
    from: 'rotation/run',
    own: 'RotationEvent',
    // a warning loses its code on the way: it is printed as every other
    program: "Printed<Exclude<O, { event: 'warning' }>>",
  },
  {
    file: 'event',
    type: 'Event',
    published: "Extract<P, { event: 'wait' }>",
    from: 'api/contract',
    own: 'Wait',
    program: "Printed<{ event: 'wait' } & O>",
  },
]

/** Types of what the schemas say, a module for each file. `change` is made to a file's schema first. */
async function publishedTypes(
  change: (name: string, schema: JSONSchema) => void = () => {},
): Promise<Map<string, string>> {
  const modules = new Map<string, string>()
  for (const name of new Set(pairs.map(({ file }) => file))) {
    const schema = structuredClone(schemas.get(name)) as JSONSchema
    change(name, schema)
    const text = await compile(schema, name, {
      cwd: path.join(root, 'schema/'),
      additionalProperties: false,
      bannerComment: '',
      format: false,
      unreachableDefinitions: true,
    })
    modules.set(path.join(here, `published-${name}.ts`), text)
  }
  return modules
}

/** Compiles only where both are the same: every field, and whether it is optional. */
function comparison({ file, type, published = 'P', from, own, program = 'O' }: Pair): string {
  return `import type { ${type} as P } from './published-${file}.ts'
import type { ${own} as O } from '../../src/${from}.ts'
type Deep<T> = T extends object ? { [K in keyof T]: Deep<T[K]> } : T
type Is<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
/** A list that the program does not change is a list. */
export type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T
/** As output.ts prints it. */
export type Printed<E> = E extends { event: infer N } ? { event: N; at: string } & Omit<E, 'event'> : never
export const same: Is<Deep<${published}>, Deep<${program}>> = true
`
}

/** The pairs that are not the same, and whatever else TypeScript has to say. */
function differences(published: ReadonlyMap<string, string>): string[] {
  const comparisons = pairs.map(
    (pair, index) => [path.join(here, `pair-${index}.ts`), comparison(pair)] as const,
  )
  const texts = new Map([...published, ...comparisons])
  const { config } = ts.readConfigFile(path.join(root, 'tsconfig.json'), (file) => ts.sys.readFile(file)) as {
    config: { compilerOptions: object }
  }
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root)
  const host = ts.createCompilerHost(options)
  const withTexts: ts.CompilerHost = {
    ...host,
    fileExists: (file) => texts.has(file) || host.fileExists(file),
    getSourceFile: (file, ...rest) => {
      const text = texts.get(file)
      if (text === undefined) return host.getSourceFile(file, ...rest)
      return ts.createSourceFile(file, text, ts.ScriptTarget.ES2023)
    },
  }
  const program = ts.createProgram([...texts.keys()], options, withTexts)
  return [...texts.keys()].flatMap((file) => {
    const source = program.getSourceFile(file)
    const said = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
    return said.map(({ messageText }) => {
      const message = ts.flattenDiagnosticMessageText(messageText, '\n')
      const pair = pairs[comparisons.findIndex(([name]) => name === file)]
      if (pair === undefined || !message.includes("'true' is not assignable to type 'false'"))
        return `${path.basename(file)}: ${message}`
      return `${pair.type} of schema/${pair.file}.json is not ${pair.own} of src/${pair.from}.ts`
    })
  })
}

test('the published types are those of the program', async () => {
  expect(differences(await publishedTypes())).toEqual([])
})

type Field = Record<string, unknown>

test.each<[string, (key: { properties: Record<string, Field>; required: string[] }) => void]>([
  ['an optional field is missing', ({ properties }) => delete properties['access']],
  ['a required field is optional', ({ required }) => void required.pop()],
  ['there is a field more', ({ properties }) => (properties['colour'] = { type: 'string' })],
  ['a field has another type', ({ properties }) => (properties['name'] = { type: 'number' })],
])('where %s, it is found', async (_, spoil) => {
  const published = await publishedTypes((name, schema) => {
    const { Key } = (schema.$defs ?? {}) as { Key: Parameters<typeof spoil>[0] }
    if (name === 'definitions') spoil(Key)
  })
  expect(differences(published)).toContain('Key of schema/definitions.json is not Key of src/api/contract.ts')
})

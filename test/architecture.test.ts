import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

const src = fileURLToPath(new URL('../src/', import.meta.url))

// What stands on the ground: it may be used from everywhere, and uses nothing but itself.
const ground = [
  'ages',
  'child',
  'clock',
  'connection-failure',
  'duration',
  'durable-file',
  'errors',
  'http',
  'key-limits',
  'nearest',
  'node-debug',
  'proxy',
  'request-limits',
  'secret',
  'small-heap',
  'system-error',
]

/**
 * main → cli → commands → { api, rotation, targets, audit, ui } → ground. What an area may load, besides itself and the
 * ground, and what it may know the types of. `core` and `session` are parts of main: they put the others together.
 */
const rules: Record<string, { loads?: string[]; knows?: string[] }> = {
  main: { loads: ['core'] },
  core: { loads: ['cli', 'config', 'session', 'ui'] },
  session: {
    loads: ['api', 'command-line', 'config', 'credentials', 'processes', 'rotation', 'ui'],
    knows: ['context', 'flags', 'globals'],
  },
  library: {
    loads: ['api', 'config', 'processes', 'rotation', 'targets', 'ui'],
  },
  cli: { loads: ['commands', 'flags', 'globals', 'ui'] },
  flags: { knows: ['commands'] },
  globals: { knows: ['commands'] },
  'command-line': { loads: ['flags', 'globals', 'ui'], knows: ['commands', 'context'] },
  context: { knows: ['api', 'config', 'credentials', 'globals', 'rotation', 'ui'] },
  config: { loads: ['profile-file'], knows: ['api'] },
  // the main of a process of its own
  'keychain-process': { knows: ['credentials'] },
  'profile-file': {},
  processes: { knows: ['rotation'] },
  commands: {
    loads: [
      'alerts',
      'api',
      'audit',
      'command-line',
      'credentials',
      'flags',
      'fleet',
      'globals',
      'rotation',
      'sandbox',
      'targets',
      'ui',
    ],
    knows: ['config', 'context'],
  },
  credentials: { knows: ['config'] },
  api: {},
  rotation: { knows: ['api', 'targets'] },
  targets: {},
  alerts: { loads: ['audit'], knows: ['api', 'fleet'] },
  audit: { knows: ['api', 'fleet'] },
  fleet: { knows: ['api'] },
  ui: { knows: ['alerts', 'api', 'audit', 'credentials', 'fleet', 'rotation'] },
  sandbox: { knows: ['api'] },
  ...Object.fromEntries(ground.map((name) => [name, {}])),
}

/** The one place that imports each library; of what reads and checks documents, one for each kind of document. */
const importers: Record<string, string | readonly string[]> = {
  '@aws-sdk/client-secrets-manager': 'targets/aws-sm-client.ts',
  '@google-cloud/secret-manager': 'targets/gcp-sm-',
  '@hono/node-server': 'sandbox/server.ts',
  '@inquirer/core': 'ui/search.ts',
  '@inquirer/figures': 'ui/search.ts',
  '@inquirer/prompts': 'ui/inquirer.ts',
  '@kubernetes/client-node': 'targets/kubernetes',
  '@napi-rs/keyring': 'keychain-process.ts',
  chalk: 'ui/colours.ts',
  'cli-table3': 'ui/table.ts',
  commander: 'cli.ts',
  'csv-stringify': 'ui/csv.ts',
  'env-paths': 'config.ts',
  hono: 'sandbox/app.ts',
  'hono/html': 'ui/html/markup.ts',
  'ipaddr.js': 'audit/address.ts',
  leven: 'nearest.ts',
  'libsodium-wrappers': 'targets/sealed-box.ts',
  'log-update': 'ui/live.ts',
  nodemailer: 'alerts/email.ts',
  picomatch: 'commands/name-glob.ts',
  sparkly: 'ui/usage.ts',
  undici: 'http.ts',
  // the wire's schemas, and what holds an answer against them; those of the keys file
  valibot: ['api/', 'fleet/'],
  'wrap-ansi': 'ui/wrapping.ts',
  yaml: ['commands/kube-context.ts', 'fleet/document.ts'],
}

/** Libraries that cost time to load: never at once, only when they are needed. */
const lazy = [
  '@aws-sdk/client-secrets-manager',
  '@google-cloud/secret-manager',
  '@inquirer/core',
  '@inquirer/prompts',
  '@kubernetes/client-node',
  '@napi-rs/keyring',
  'chalk',
  'csv-stringify',
  'libsodium-wrappers',
  'log-update',
  'nodemailer',
  'picomatch',
  'undici',
  'yaml',
]
/** A module that is loaded on first use may import its library at its top. */
const loadedLate = [
  'ui/colours.ts',
  'ui/csv.ts',
  'ui/inquirer.ts',
  'ui/live.ts',
  'ui/search.ts',
  'commands/kube-context.ts',
  'fleet/document.ts',
]

/** Where a process begins. */
const mains = ['main.ts', 'keychain-process.ts']

/** What reads the process's own time or handle besides main: each measures real processes, not the program's time. */
const realTime = ['clock.ts', 'child.ts', 'rotation/lock.ts']
const realProcess = ['main.ts', 'library/rotate.ts', 'child.ts', 'durable-file.ts']

interface Import {
  from: string
  kind: 'now' | 'later' | 'type'
}

function importsOf(source: ts.SourceFile): Import[] {
  const found: Import[] = []
  const visit = (node: ts.Node): void => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier) {
      const isType = ts.isImportDeclaration(node) ? node.importClause?.isTypeOnly : node.isTypeOnly
      found.push({
        from: (node.moduleSpecifier as ts.StringLiteral).text,
        kind: isType || isTypesOnly(node) ? 'type' : 'now',
      })
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments
      found.push({
        from: argument && ts.isStringLiteral(argument) ? argument.text : 'a computed path',
        kind: 'later',
      })
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** `import { type A, type B }`. */
function isTypesOnly(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (!ts.isImportDeclaration(node) || !node.importClause || node.importClause.name) return false
  const { namedBindings } = node.importClause
  return (
    namedBindings !== undefined &&
    ts.isNamedImports(namedBindings) &&
    namedBindings.elements.length > 0 &&
    namedBindings.elements.every(({ isTypeOnly }) => isTypeOnly)
  )
}

/** `api/client.ts` is of the area `api`, `errors.ts` of `errors`. */
function areaOf(file: string): string {
  return file.split('/')[0]?.replace(/\.(d\.)?ts$/, '') ?? ''
}

/** What a file of src/ (its path from there) does that the design forbids. */
function violations(file: string, text: string): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const problems = importsOf(source).flatMap((each) =>
    each.from.startsWith('.') ? localProblem(file, each) : libraryProblem(file, each),
  )
  return [...problems, ...ambientProblems(file, source)]
}

function localProblem(file: string, { from, kind }: Import): string[] {
  const [own, other] = [areaOf(file), areaOf(path.posix.join(path.posix.dirname(file), from))]
  const rule = rules[own]
  if (!rule) return [`${file} is of no area that the rules know`]
  if (own === other || ground.includes(other)) return []
  if (rule.loads?.includes(other) || (kind === 'type' && rule.knows?.includes(other))) return []
  return [`${own} must not ${kind === 'type' ? 'know' : 'load'} ${other} (${file})`]
}

function libraryProblem(file: string, { from, kind }: Import): string[] {
  if (from.startsWith('node:'))
    return from === 'node:process' && !realProcess.includes(file) ? [`${file} imports process`] : []
  const library = from
    .split('/')
    .slice(0, from.startsWith('@') ? 2 : 1)
    .join('/')
  const importer = importers[from] ?? importers[library]
  if (importer === undefined) return [`${library} has no place in the rules (${file})`]
  if (!isImporter(importer, file))
    return [`only ${[importer].flat().join(', ')} imports ${library}, not ${file}`]
  if (kind === 'now' && lazy.includes(library) && !loadedLate.includes(file))
    return [`${file} loads ${library} at once`]
  return []
}

function isImporter(importer: string | readonly string[], file: string): boolean {
  return [importer].flat().some((each) => file.startsWith(each))
}

/** Streams, environment and arguments enter at main, time by the clock. */
function ambientProblems(file: string, source: ts.SourceFile): string[] {
  const problems: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
      const { text } = node.expression
      if ((text === 'process' || text === 'console') && !mains.includes(file))
        problems.push(`${file} uses ${text}`)
      if (text === 'Date' && node.name.text === 'now' && !realTime.includes(file))
        problems.push(`${file} reads the clock`)
    }
    const isNow = ts.isNewExpression(node) && node.expression.getText() === 'Date' && !node.arguments?.length
    if (isNow && !realTime.includes(file)) {
      problems.push(`${file} reads the clock`)
    }
    if (ts.isIdentifier(node) && node.text === 'globalThis') problems.push(`${file} reaches for a global`)
    ts.forEachChild(node, visit)
  }
  visit(source)
  return problems
}

const declarations = (file: string) => file.endsWith('.d.ts') || file === 'api/openapi.ts'

test('src/ keeps the rules of the design', async () => {
  const files = (await readdir(src, { recursive: true })).filter(
    (file) => file.endsWith('.ts') && !declarations(file),
  )
  expect(files.length).toBeGreaterThan(60)
  const found = await Promise.all(
    files.map(async (file) => violations(file, await readFile(src + file, 'utf8'))),
  )
  expect(found.flat()).toEqual([])
})

test('every library of the rules is imported where they say', async () => {
  const files = (await readdir(src, { recursive: true })).filter(
    (file) => file.endsWith('.ts') && !declarations(file),
  )
  const seen = new Set<string>()
  for (const file of files) {
    for (const { from } of importsOf(
      ts.createSourceFile(file, await readFile(src + file, 'utf8'), ts.ScriptTarget.Latest, true),
    )) {
      const names = Object.keys(importers).sort((a, b) => b.length - a.length)
      const library = names.find((name) => from === name || from.startsWith(`${name}/`))
      if (library !== undefined && isImporter(importers[library] ?? '', file)) seen.add(library)
    }
  }
  expect([...seen].sort()).toEqual(Object.keys(importers).sort())
})

describe('a file that breaks a rule is found', () => {
  test.each([
    ['rotation/mint.ts', `import { createClient } from '../api/client.ts'`, 'rotation must not load api'],
    [
      'rotation/mint.ts',
      `const { x } = await import('../targets/index.ts')`,
      'rotation must not load targets',
    ],
    ['rotation/mint.ts', `import type { Output } from '../ui/output.ts'`, 'rotation must not know ui'],
    ['rotation/mint.ts', `export { x } from '../commands/index.ts'`, 'rotation must not load commands'],
    ['api/client.ts', `import type { Target } from '../targets/target.ts'`, 'api must not know targets'],
    ['targets/env.ts', `import type { Key } from '../api/contract.ts'`, 'targets must not know api'],
    ['ui/keys.ts', `import { list } from '../commands/list.ts'`, 'ui must not load commands'],
    ['ui/keys.ts', `import { createClient } from '../api/client.ts'`, 'ui must not load api'],
    ['commands/list.ts', `import { parse } from '../cli.ts'`, 'commands must not load cli'],
    ['commands/list.ts', `import { createContext } from '../context.ts'`, 'commands must not load context'],
    ['sandbox/app.ts', `import { createClient } from '../api/client.ts'`, 'sandbox must not load api'],
    [
      'audit/incident.ts',
      `import { parseMark } from '../rotation/marked-name.ts'`,
      'audit must not load rotation',
    ],
    ['errors.ts', `import { run } from './session.ts'`, 'errors must not load session'],
    ['main.ts', `import { list } from './commands/list.ts'`, 'main must not load commands'],
    ['main.ts', `import { parse } from './cli.ts'`, 'main must not load cli'],
    ['helpers/strings.ts', `import { KeysError } from '../errors.ts'`, 'is of no area that the rules know'],
    ['commands/list.ts', `import { Command } from 'commander'`, 'only cli.ts imports commander'],
    ['commands/list.ts', `import type { Option } from 'commander'`, 'only cli.ts imports commander'],
    ['api/sender.ts', `import { request } from 'undici'`, 'only http.ts imports undici'],
    ['http.ts', `import { request } from 'undici'`, 'http.ts loads undici at once'],
    ['ui/text.ts', `import _ from 'lodash'`, 'lodash has no place in the rules'],
    ['ui/text.ts', `const text = process.env.HOME`, 'ui/text.ts uses process'],
    ['ui/text.ts', `import { env } from 'node:process'`, 'ui/text.ts imports process'],
    ['ui/text.ts', `console.log('x')`, 'ui/text.ts uses console'],
    ['rotation/mint.ts', `const now = Date.now()`, 'rotation/mint.ts reads the clock'],
    ['rotation/mint.ts', `const now = new Date()`, 'rotation/mint.ts reads the clock'],
    ['rotation/mint.ts', `const env = globalThis`, 'reaches for a global'],
  ])('%s: %s', (file, text, problem) => {
    expect(violations(file, text)).toEqual([expect.stringContaining(problem)])
  })

  test.each([
    ['rotation/mint.ts', `import type { Client } from '../api/contract.ts'`],
    ['rotation/mint.ts', `import { type Client } from '../api/contract.ts'`],
    ['http.ts', `import type { Agent } from 'undici'; const { request } = await import('undici')`],
    ['commands/list.ts', `import { toJson } from '../ui/text.ts'`],
    ['rotation/mint.ts', `const then = new Date(0)`],
  ])('and one that keeps them is not: %s: %s', (file, text) => {
    expect(violations(file, text)).toEqual([])
  })
})

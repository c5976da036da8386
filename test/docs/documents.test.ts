import { access, readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { parse } from '../../src/cli.ts'
import { commands } from '../../src/commands/index.ts'
import { flagName } from '../../src/flags.ts'
import { globalFlags } from '../../src/globals.ts'
import { parseTarget } from '../../src/targets/index.ts'
import { testDeps } from '../targets/deps.ts'
import { blocks, documents, isRunnable, root } from './documents.ts'
import { programLines, wordsOf } from './words.ts'

const title = ({ document, line }: { document: string; line: number }) => `${document}:${line}`

describe('what cannot be run here', () => {
  const marked = blocks.filter(({ notRun }) => notRun !== undefined)

  test('is marked with why, and no more of it than this', () => {
    const counts = new Map<string, number>()
    for (const { document } of marked) counts.set(document, (counts.get(document) ?? 0) + 1)
    expect(Object.fromEntries(counts)).toEqual({
      'README.md': 6,
      'docs/alerts.md': 1,
      'docs/errors.md': 6,
      'docs/targets.md': 7,
      'docs/terminal.md': 1,
      'docs/writing-a-target.md': 1,
    })
    for (const { notRun } of marked) expect(notRun).toMatch(/\w+ \w+/)
    expect(marked.filter((block) => !isRunnable(block)).map(title)).toEqual([])
  })

  const unproved = blocks.filter((block) => !isRunnable(block) || block.notRun !== undefined)
  const lines = unproved.flatMap((block) => programLines(block).map((line) => [title(block), line] as const))
  test.each(lines)('%s is a command line all the same: %s', async (_place, line) => {
    const parsed = await parse(wordsOf(line), {})
    if (parsed.kind !== 'run') return expect(parsed.kind).toMatch(/help|version/)
    const { to = [] } = parsed.inputs as { to?: string[] }
    for (const target of to) parseTarget(target, testDeps('/'))
  })
})

describe('what stands in the text', () => {
  const prose = documents.map(({ name, text }) => ({
    name,
    text: text.replace(/^```[^]*?^```$/gm, '').replace(/<!--[^]*?-->/g, ''),
  }))
  const spans = prose.flatMap(({ name, text }) =>
    [...text.matchAll(/`([^`]+)`/g)].map(([, span = '']) => [name, span.replace(/\s+/g, ' ')] as const),
  )

  const lines = spans.filter(([, span]) => /^pictify-keys (?!`)[-a-z<]/.test(span))
  test.each(lines)('%s: %s is a command line', async (_name, span) => {
    const typed = span
      .replace('pictify-keys ', '')
      .replace('<command>', 'list')
      .replace(/<[^>]*>/g, 'x')
    const parsed = await parse(wordsOf(typed.replace('…', 'x')), {})
    expect(parsed.kind).toMatch(/^(run|help)$/)
  })

  test('every flag is one of the program, or of another one that is named', async () => {
    const loaded = await Promise.all(commands.map(({ load }) => load()))
    const known = new Set(
      [globalFlags, ...loaded.map(({ flags }) => flags)].flatMap((flags) => Object.keys(flags).map(flagName)),
    )
    const named = spans.flatMap(([name, span]) =>
      [...span.matchAll(/(?<![\w-])--[a-z][\w-]*/g)].map(([flag]) => `${name} ${flag}`),
    )
    // of npm, of Stryker, of the AWS command line, of git
    for (const flag of ['--help', '--omit', '--mutate', '--version-stage', '--all']) known.add(flag)
    const unknown = new Set(named.filter((each) => !known.has(each.split(' ')[1] ?? '')))
    expect([...unknown].sort()).toEqual([])
  })
})

describe('blocks of data', () => {
  const read: Record<string, (text: string) => unknown> = {
    json: (text) => JSON.parse(text) as unknown,
    yaml(text) {
      const problems = parseAllDocuments(text).flatMap(({ errors }) => errors)
      if (problems[0] !== undefined) throw problems[0]
    },
  }
  const data = blocks.filter(({ language }) => language in read)
  test.each(data.map((block) => [title(block), block] as const))(
    '%s can be read',
    (_place, { language, lines }) => {
      expect(() => read[language]?.(lines.join('\n'))).not.toThrow()
    },
  )
})

describe('links', () => {
  const links = documents.flatMap(({ name, text }) =>
    [...text.matchAll(/\]\((?!https?:)([^)\s]*)\)/g)].map(([, link = '']) => [name, link] as const),
  )
  test.each(links)('%s: %s leads somewhere', async (name, link) => {
    const [file = '', anchor] = link.split('#')
    const target = file === '' ? new URL(name, root) : new URL(file, new URL(name, root))
    await access(target)
    if (anchor === undefined) return
    const headings = (await readFile(target, 'utf8')).matchAll(/^#+ (.*)$/gm)
    expect([...headings].map(([, heading = '']) => anchorOf(heading))).toContain(anchor)
  })

  test('every document is named in the README', () => {
    const readme = documents.find(({ name }) => name === 'README.md')
    for (const { name } of documents.slice(1)) expect(readme?.text).toContain(`(${name})`)
  })
})

/** As GitHub makes it. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-')
}

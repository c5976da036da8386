import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { errorExits } from '../../src/errors.ts'
import { readExplanations } from '../../src/ui/explanation.ts'
import { blocks, root } from './documents.ts'

const text = await readFile(new URL('docs/errors.md', root), 'utf8')
const explanations = readExplanations(text)

test('docs/errors.md has every code there is, once', () => {
  expect(explanations.map(({ code }) => code).sort()).toEqual(Object.keys(errorExits).sort())
})

test.each(explanations.map((each) => [each.code, each] as const))(
  '%s: exit, causes, what to do, an example',
  (code, each) => {
    // it dies of the signal, which no exit says
    if (code !== 'interrupted') expect(each.exits).toEqual([errorExits[code as keyof typeof errorExits]])
    expect(each.summary).toMatch(/^[A-Z].*\.$/)
    expect(each.text).toMatch(/^\*\*Causes\*\*\n\n- /m)
    expect(each.text).toMatch(/^\*\*What to do\*\*\n\n- /m)
    const example = blocks.find(
      ({ document, headings, language }) =>
        document === 'docs/errors.md' && headings.at(-1)?.text === code && language === 'console',
    )
    expect(example?.lines.join('\n')).toMatch(/^\$ /)
  },
)

test('messages of what cannot be run are in the program', async () => {
  const src = new URL('src/', root)
  const files = (await readdir(src, { recursive: true })).filter((name) => name.endsWith('.ts'))
  const code = (await Promise.all(files.map((name) => readFile(new URL(name, src), 'utf8')))).join('\n')
  const marked = blocks.filter(
    ({ document, notRun }) => document === 'docs/errors.md' && notRun !== undefined,
  )
  for (const { lines } of marked) {
    const said = lines.flatMap((line) => /^(?:error: | {2}(?!more: ))(.*)$/.exec(line)?.[1] ?? [])
    // what stands in angle brackets, and names of hosts, are filled in
    const parts = said
      .flatMap((line) => line.split(/: |<[^>]*>|\S+\.example\S*|…/))
      .map((part) => part.trim())
    expect(parts.length).toBeGreaterThan(0)
    expect(parts.filter((part) => !code.includes(part))).toEqual([])
  }
})

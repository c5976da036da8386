import { writeFile } from 'node:fs/promises'
import { afterAll, expect, test } from 'vitest'
import { has } from '../cli/programs.ts'
import type { Session } from './blocks.ts'
import { documents, isRunnable, root, sessions } from './documents.ts'
import { type Difference, runSession } from './run.ts'

// WRITE_DOCS=1 writes what is printed into the documents, for a person to read over.
const isWriting = process.env['WRITE_DOCS'] === '1'
const found: Difference[] = []
afterAll(async () => {
  if (!isWriting) return
  for (const { name, text } of documents) {
    const lines = text.split('\n')
    const own = found.filter(({ document, count, lines: to }) => document === name && count + to.length > 0)
    if (own.length === 0) continue
    for (const { line, count, lines: to } of own.sort((a, b) => b.line - a.line))
      lines.splice(line - 1, count, ...to)
    await writeFile(new URL(name, root), lines.join('\n'))
  }
})

const runnable = sessions.filter(({ blocks }) =>
  blocks.some((block) => isRunnable(block) && !block.notRun && block.keychain === undefined),
)

/** Programs that documents use and not every machine has. */
const programs = ['git']
const lacksProgram = ({ blocks }: Session) =>
  programs.some(
    (program) =>
      !has(program) && blocks.some(({ lines }) => lines.some((line) => line.startsWith(`$ ${program} `))),
  )

test.skip.each(runnable.filter(lacksProgram).map(({ title }) => title))(
  '%s: a program is not installed',
  () => {},
)

// elsewhere the keychain is the user's own, and there is no /dev/full
test
  .runIf(process.platform === 'linux')
  .concurrent.each(
    runnable.filter((session) => !lacksProgram(session)).map((session) => [session.title, session] as const),
  )('%s: every command prints what it says', async (_title, session) => {
  const differences = await runSession(session)
  found.push(...differences)
  const told = differences.map(({ message }) => message).join('\n\n')
  if (isWriting) console.log(told)
  else expect(told).toBe('')
})

// Runs the blocks of a session, and holds what they print against what the document says.
import path from 'node:path'
import type { SecretService } from '../credentials/secret-service.ts'
import { type Block, commandsOf, type Session } from './blocks.ts'
import {
  type Bindings,
  isPrinted,
  isSameJson,
  noBindings,
  withRealIds,
  withWrittenIds,
} from './comparison.ts'
import { isRunnable } from './documents.ts'
import { unschematic } from './json.ts'
import { type Machine, openMachine } from './machine.ts'
import { writeProgram } from './program-file.ts'
import { sandboxOptions, stage } from './stage.ts'

/** A place of a document that does not say what is so. */
export interface Difference {
  document: string
  /** Lines of the document from here (counted from 1) … */
  line: number
  /** … so many … */
  count: number
  /** … are to be these. */
  lines: string[]
  /** What is wrong, for a person. */
  message: string
}

/** With a Secret Service, the blocks too that need one. */
export async function runSession(session: Session, keychain?: SecretService): Promise<Difference[]> {
  const lines = [...session.stage, ...session.blocks.flatMap((block) => block.stage)]
  const machine = await openMachine(sandboxOptions(lines), keychain)
  const bindings = noBindings()
  const differences: Difference[] = []
  let lastPrinted = ''
  try {
    await stage(machine, session.stage, bindings)
    for (const block of session.blocks) {
      await stage(machine, block.stage, bindings)
      if (block.keychain !== undefined) {
        if (keychain === undefined) continue
        await stage(machine, block.keychain, bindings)
      }
      if (block.file !== undefined) {
        await writeProgram(path.join(machine.folder, block.file), `${block.lines.join('\n')}\n`)
      } else if (block.isOutput) {
        const difference = compare(block, block.lines, 0, lastPrinted, bindings)
        if (difference) differences.push(difference)
      } else if (isRunnable(block) && block.notRun === undefined) {
        const run = block.language === 'console' ? runTranscript : runScript
        const ran = await run(machine, block, bindings)
        lastPrinted = ran.printed
        differences.push(...ran.differences)
      }
    }
  } finally {
    await machine.end()
  }
  return differences
}

interface Ran {
  printed: string
  differences: Difference[]
}

/** Commands with what they print. */
async function runTranscript(machine: Machine, block: Block, bindings: Bindings): Promise<Ran> {
  const differences: Difference[] = []
  const commands = commandsOf(block)
  let printed = ''
  let shot: string | undefined
  for (const [index, { text, printed: written, at }] of commands.entries()) {
    const isLast = index === commands.length - 1
    const typed = isLast ? block.keys : []
    const command = withRealIds(text, bindings)
    const goesOn = isLast && block.goesOn
    const done = goesOn
      ? { printed: await machine.show(command, written.length), exit: 0, shot: undefined }
      : await machine.run(command, { terminal: block.terminal, typed })
    printed = machine.plain(done.printed)
    shot = done.shot === undefined ? undefined : machine.plain(done.shot)
    if (goesOn) {
      for (const [, name = '', value = ''] of done.printed.matchAll(/^export (\w+)=(\S+)$/gm)) {
        await machine.setVariable(name, value)
      }
    }
    const difference = compare(block, written, at, printed, bindings)
    if (difference) differences.push(difference)
    for (const problem of unschematic(command, printed)) {
      const { document, line } = block
      differences.push({ document, line, count: 0, lines: [], message: `${document}:${line}: ${problem}` })
    }
    const wanted = isLast ? block.exit : 0
    const isTold = commands[index + 1]?.text === 'echo $?'
    if (done.exit !== wanted && !isTold) differences.push(wrongExit(block, text, done.exit, wanted, printed))
  }
  return { printed: shot ?? printed, differences }
}

/** Commands without what they print, as a script. */
async function runScript(machine: Machine, block: Block, bindings: Bindings): Promise<Ran> {
  const text = block.lines.join('\n')
  const done = await machine.run(`set -e\n${withRealIds(text, bindings)}`, {
    terminal: block.terminal,
    typed: block.keys,
  })
  const printed = machine.plain(done.printed)
  const differences = done.exit === block.exit ? [] : [wrongExit(block, text, done.exit, block.exit, printed)]
  return { printed, differences }
}

function compare(
  { document, line }: Block,
  written: string[],
  at: number,
  printed: string,
  bindings: Bindings,
): Difference | undefined {
  const lines = printed === '' ? [] : printed.split('\n')
  const [asJson, printedJson] = [parse(written.join('\n')), parse(printed)]
  const isSame =
    asJson !== undefined && printedJson !== undefined
      ? isSameJson(asJson, printedJson, bindings)
      : isPrinted(written, lines, bindings)
  if (isSame) return undefined
  const toBe = withWrittenIds(lines.map((each) => each.trimEnd()).join('\n'), bindings)
    .replace(/\bpk_(live|test)_\w{20,}/g, 'pk_$1_…')
    .split('\n')
  // once it is written so, its ids are those of the document
  isPrinted(toBe, lines, bindings)
  const told = `it says:\n${written.join('\n')}\nit prints:\n${printed}`
  // the fence itself is a line
  const place = { document, line: line + at + 1, count: written.length, lines: printed === '' ? [] : toBe }
  return { ...place, message: `${document}:${line + at + 1}: ${told}` }
}

function parse(text: string): unknown {
  if (!/^\s*[{[]/.test(text)) return undefined
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function wrongExit(
  { document, line }: Block,
  text: string,
  exit: number,
  wanted: number,
  printed: string,
): Difference {
  const message = `${document}:${line}: it ends with ${exit}, not ${wanted}: ${text}\n${printed}`
  return { document, line, count: 0, lines: [], message }
}

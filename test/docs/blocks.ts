// The blocks of a document, and what the comments before them say of how they are run. A comment is one directive:
//
//   session[: every <heading>]   what follows (or each section of that level) has a machine and an account of its own
//   stage                        what is so before the next block, a line each (stage.ts)
//   keys                         what a person types meanwhile, a line each (run.ts)
//   goes on                      the last command of the next block goes on; what it exports, all later ones get
//   exit <n>                     how the last command of the next block ends, when not with 0
//   no terminal                  the next block is run by a program and not by a person
//   output                       the next block is what the block before it printed last, or the screen of its `shot`
//   file <name>                  the next block is the content of that file
//   keychain                     the next block needs a Secret Service, and that these lines are so (stage.ts): it is run by
//                                keychain.servers.ts alone
//   not run: <why>               the next block cannot be run here
export interface Block {
  document: string
  /** Of the fence, counted from 1. */
  line: number
  language: string
  lines: string[]
  /** The headings above it, outermost first. */
  headings: { level: number; text: string }[]
  stage: string[]
  keychain: string[] | undefined
  keys: string[]
  exit: number
  terminal: boolean
  goesOn: boolean
  isOutput: boolean
  file: string | undefined
  notRun: string | undefined
}

/** Blocks that share a machine and an account. */
export interface Session {
  document: string
  title: string
  stage: string[]
  blocks: Block[]
}

type Notes = Pick<
  Block,
  'stage' | 'keychain' | 'keys' | 'exit' | 'terminal' | 'goesOn' | 'isOutput' | 'file' | 'notRun'
>

const none = (): Notes => ({
  stage: [],
  keychain: undefined,
  keys: [],
  exit: 0,
  terminal: true,
  goesOn: false,
  isOutput: false,
  file: undefined,
  notRun: undefined,
})

/** Every fenced block of a document, in sessions. Throws for a directive that is none. */
export function readDocument(document: string, text: string): Session[] {
  const lines = text.split('\n')
  const sessions: Session[] = [{ document, title: document, stage: [], blocks: [] }]
  const headings: Block['headings'] = []
  let every: { level: number; stage: string[] } | undefined
  let notes = none()

  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? ''
    const [, marks = '', heading = ''] = /^(#{1,6}) (.*)$/.exec(line) ?? []
    if (marks !== '') {
      headings.splice(0, headings.length, ...headings.filter(({ level }) => level < marks.length))
      headings.push({ level: marks.length, text: heading })
      if (every?.level === marks.length) {
        sessions.push({ document, title: `${document}: ${heading}`, stage: every.stage, blocks: [] })
      }
    } else if (line.startsWith('<!--')) {
      const end = lines.findIndex((each, index) => index >= at && each.includes('-->'))
      const comment = lines
        .slice(at, end + 1)
        .join('\n')
        .replace(/^<!--\s*|\s*-->.*$/g, '')
      at = end
      const [first = '', ...rest] = comment.split('\n')
      const session = /^session(?:: every (#+))?$/.exec(first)
      if (session?.[1] !== undefined) every = { level: session[1].length, stage: rest }
      else if (session) {
        const title = `${document}: ${headings.at(-1)?.text ?? ''}`
        sessions.push({ document, title, stage: rest, blocks: [] })
      } else note(notes, first, rest, `${document}:${at + 1}`)
    } else if (line.startsWith('```')) {
      const end = lines.findIndex((each, index) => index > at && each === '```')
      if (end === -1) throw new Error(`${document}:${at + 1}: a block without an end`)
      const place = { document, line: at + 1, language: line.slice(3).trim(), headings: [...headings] }
      sessions.at(-1)?.blocks.push({ ...place, lines: lines.slice(at + 1, end), ...notes })
      notes = none()
      at = end
    }
  }
  return sessions.filter(({ blocks }) => blocks.length > 0)
}

function note(notes: Notes, first: string, rest: string[], where: string): void {
  const [, word = '', value = ''] =
    /^(stage|keychain|keys|exit|goes on|no terminal|output|file|not run:)(?: (.*))?$/s.exec(first) ?? []
  if (word === 'stage') notes.stage.push(...rest)
  else if (word === 'keychain') notes.keychain = rest
  else if (word === 'keys') notes.keys.push(...rest)
  else if (word === 'exit') notes.exit = Number(value)
  else if (word === 'goes on') notes.goesOn = true
  else if (word === 'no terminal') notes.terminal = false
  else if (word === 'output') notes.isOutput = true
  else if (word === 'file') notes.file = value
  else if (word === 'not run:') notes.notRun = [value, ...rest].join(' ')
  // marks of the scripts that write tables into documents
  else if (!/^(commands|rules|figures|picture|end of \w+)\b/.test(first))
    throw new Error(`${where}: no directive: ${first}`)
}

/** A command of a block with the lines that it is said to print, and where those stand in the block. */
export interface Command {
  text: string
  printed: string[]
  /** The index in the block's lines of what is printed. */
  at: number
}

/** The commands of a `console` block: `$ ` begins one, `> ` and a backslash before go on with it. */
export function commandsOf({ lines, document, line }: Block): Command[] {
  const commands: Command[] = []
  for (const [index, text] of lines.entries()) {
    const last = commands.at(-1)
    if (text.startsWith('$ ')) commands.push({ text: text.slice(2), printed: [], at: index + 1 })
    else if (last === undefined) throw new Error(`${document}:${line}: it does not begin with a command`)
    else if (last.printed.length === 0 && (last.text.endsWith('\\') || text.startsWith('> '))) {
      last.text += `\n${text.replace(/^> /, '')}`
      last.at = index + 1
    } else last.printed.push(text)
  }
  return commands
}

// The man page, from the same data as the help: mdoc, which both mandoc and groff read.
import type { Command } from '../src/commands/command.ts'
import { commandHelp, programHelp } from '../src/commands/help-pages.ts'
import type { CommandEntry } from '../src/commands/index.ts'
import type { HelpItem } from '../src/ui/help.ts'

/** When what it says was last looked through. */
const date = 'November 21, 2026'

/** Documented elsewhere than in a command: the variables and files that every one of them goes by. */
const variables: HelpItem[] = [
  {
    term: 'PICTIFY_ADMIN_KEY',
    summary: 'the credential; there is no flag for it, for arguments are visible to all',
  },
  { term: 'HTTPS_PROXY, NO_PROXY', summary: 'the proxy, and what is reached without it' },
  { term: 'NODE_EXTRA_CA_CERTS', summary: 'certificate authorities to trust besides the usual' },
  { term: 'NO_COLOR, FORCE_COLOR', summary: 'colours, never or always' },
]
const files: HelpItem[] = [
  { term: '~/.config/pictify-keys/config.json', summary: 'profiles and preferences' },
  { term: '~/.local/share/pictify-keys/', summary: 'the journals and receipts of rotations' },
  { term: '~/.cache/pictify-keys/', summary: 'names of keys, for completion; never a secret' },
]
/** As the README has them. */
const exits: HelpItem[] = [
  { term: '0', summary: 'done' },
  { term: '1', summary: 'failed, nothing more specific' },
  { term: '2', summary: 'usage: a bad or missing flag, an ambiguous key, a question nobody can answer' },
  { term: '3', summary: 'not found' },
  { term: '4', summary: 'not signed in, or the credential is refused' },
  { term: '5', summary: 'rotation waiting: the overlap is not over, run the same command again' },
  {
    term: '6',
    summary: 'rotation undone: it failed, the old key still works, every target holds the old value',
  },
  { term: '7', summary: 'rotation needs a person: safe, but partial; says what and where' },
  { term: '8', summary: 'locked: that key is being rotated elsewhere' },
  { term: '9', summary: 'a limit: plan’s keys, quota, or rate limit' },
  { term: '10', summary: 'audit or alerts check found something as severe as it was asked to fail on' },
  { term: '130, 143', summary: 'interrupted, by dying of the signal itself' },
]

/** The page of the program and all its commands. */
export async function manPage(commands: readonly CommandEntry[], version: string): Promise<string> {
  const loaded = await Promise.all(commands.map(({ load }) => load()))
  const program = programHelp()
  const globals = program.sections.at(-1)?.items ?? []
  return [
    `.\\" Made from the command table: npm run man`,
    `.Dd ${date}`,
    '.Dt PICTIFY-KEYS 1',
    '.Os',
    '.Sh NAME',
    '.Nm pictify-keys',
    `.Nd ${text(program.summary.replace(/^pictify-keys: /, ''))}`,
    '.Sh SYNOPSIS',
    '.Nm',
    '.Ar command',
    '.Op Ar flags',
    '.Sh DESCRIPTION',
    ...paragraph(
      'A key is named by its id or by its exact name. Data goes to standard output, talk to standard error; with --json standard output is one JSON document. Without a terminal nothing is ever asked.',
    ),
    '.Pp',
    'These flags may stand before or behind the name of every command.',
    ...list(globals),
    '.Sh COMMANDS',
    ...loaded.flatMap(commandSection),
    '.Sh ENVIRONMENT',
    ...list([...variables, ...variablesOf(globals)]),
    '.Sh FILES',
    ...list(files),
    '.Sh EXIT STATUS',
    ...list(exits),
    '.Sh EXAMPLES',
    ...examples(program.examples),
    '.Sh SEE ALSO',
    ...paragraph(`The guides in docs/ of the package, and pictify-keys --help. This is version ${version}.`),
    '',
  ].join('\n')
}

function commandSection(command: Command): string[] {
  const { usage, sections } = commandHelp(command)
  const own = sections.filter(({ items }) => items.length > 0)
  return [
    `.Ss ${command.name}`,
    `.Dl ${text(usage)}`,
    '.Pp',
    ...paragraph(`${command.summary.charAt(0).toUpperCase()}${command.summary.slice(1)}.`),
    ...own.flatMap(({ title, items }) => [
      ...(title === 'Arguments' || title === 'Flags' ? [] : ['.Pp', `.Em "${text(title)}" :`]),
      ...list(items),
    ]),
    ...(command.examples.length === 0 ? [] : ['.Pp', 'For example:', ...examples(command.examples)]),
  ]
}

function list(items: readonly HelpItem[]): string[] {
  return [
    '.Bl -tag -width Ds',
    ...items.flatMap(({ term, summary }) => [`.It ${quotedTerm(term)}`, ...paragraph(summary)]),
    '.El',
  ]
}

function examples(lines: readonly string[]): string[] {
  return ['.Bd -literal -offset indent', ...lines.map((line) => text(`$ ${line}`)), '.Ed']
}

/** The variables that the summaries of flags name, each with its flag. */
function variablesOf(items: readonly HelpItem[]): HelpItem[] {
  return items.flatMap(({ term, summary }) => {
    const name = /[(; ](PICTIFY_\w+)\)$/.exec(summary)?.[1]
    return name === undefined ? [] : [{ term: name, summary: `as ${term.replace(/ <.*/, '')}` }]
  })
}

/** In bold, as a whole: no word of it is a macro. */
function quotedTerm(term: string): string {
  return `Sy "${text(term).replaceAll('"', '""')}"`
}

/** A sentence begins a line, as the format wants it, and no line is longer than is read with ease. */
function paragraph(sentences: string): string[] {
  return sentences.split(/(?<=[.?!]) (?=[A-Z])/).flatMap((sentence) => {
    const lines: string[] = ['']
    for (const word of sentence.split(' ')) {
      const line = lines.at(-1) ?? ''
      if (text(`${line} ${word}`).length > longestLine && line !== '') lines.push(word)
      else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
    }
    return lines.map(text)
  })
}
const longestLine = 78

/** Text that is text: nothing in it is a request, an escape or a dash of another kind. */
function text(plain: string): string {
  const escaped = plain
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('’', '\\(cq')
    .replaceAll('…', '...')
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped
}

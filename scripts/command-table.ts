import type { CommandEntry } from '../src/commands/index.ts'

const begin = '<!-- commands: npm run readme -->'
const end = '<!-- end of commands -->'

/** The README's command table, from the same data as the help. */
export async function commandTable(commands: readonly CommandEntry[]): Promise<string> {
  const rows = await Promise.all(
    commands.map(async ({ name, summary, load }) => {
      const { args } = await load()
      const words = args.map((arg) => {
        const word = arg.many ? `${arg.name}…` : arg.name
        return arg.optional ? `[${word}]` : `<${word}>`
      })
      return `| \`${[name, ...words].join(' ')}\` | ${summary} |`
    }),
  )
  return ['| Command | What it does |', '| --- | --- |', ...rows].join('\n')
}

/** The README with this table between its marks. */
export function withTable(readme: string, table: string): string {
  const from = readme.indexOf(begin)
  const to = readme.indexOf(end)
  if (from === -1 || to < from) throw new Error(`the README lacks "${begin}" or "${end}"`)
  return `${readme.slice(0, from + begin.length)}\n\n${table}\n\n${readme.slice(to)}`
}

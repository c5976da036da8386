import { argumentForm, describeFlag, flagForm } from '../flags.ts'
import { globalFlags } from '../globals.ts'
import type { HelpItem, HelpPage } from '../ui/help.ts'
import type { Command, Flag } from './command.ts'
import { commands } from './index.ts'

const helpFlag = { term: '-h, --help', summary: 'show help' }

/** `pictify-keys --help`, from the command table. */
export function programHelp(): HelpPage {
  const groups = [...new Set(commands.map(({ group }) => group))]
  const commandItems = (title: string) =>
    commands.filter(({ group }) => group === title).map(({ name, summary }) => ({ term: name, summary }))
  return {
    summary: 'pictify-keys: administer the API keys of a Pictify team, and rotate them without downtime',
    examples: [
      'pictify-keys login',
      'pictify-keys list --unused-for 90d',
      'pictify-keys create "Production Server" --type live --to env:.env#PICTIFY_API_KEY',
      'pictify-keys rotate "Production Server" --to env:.env#PICTIFY_API_KEY',
    ],
    usage: 'pictify-keys <command> [flags]',
    sections: [
      ...groups.map((title) => ({ title, items: commandItems(title) })),
      {
        title: 'Global flags',
        items: [...flagItems(globalFlags), { term: '-V, --version', summary: 'print the version' }, helpFlag],
      },
    ],
    notes: [
      'Every command has --help, with examples of its own.',
      'Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 not signed in, 5 rotation waiting, 6 rotation undone, 7 a person is needed, 8 locked, 9 a limit, 10 audit or alerts found something, 130 interrupted.',
    ],
  }
}

/** `pictify-keys <command> --help`. */
export function commandHelp(command: Command): HelpPage {
  const { name, summary, args, flags, examples } = command
  return {
    summary: `pictify-keys ${name}: ${summary}`,
    examples,
    usage: ['pictify-keys', name, '[flags]', ...args.map(argumentForm)].join(' '),
    sections: [
      {
        title: 'Arguments',
        items: args.map((argument) => ({ term: argument.name, summary: argument.summary })),
      },
      ...flagSections(command),
      ...Object.entries(command.terms ?? {}).map(([title, items]) => ({ title, items })),
    ],
    inherited: {
      title: 'Global flags',
      terms: [...flagItems(globalFlags, flags), helpFlag].map(({ term }) => term),
      note: 'pictify-keys --help says what they do.',
    },
  }
}

/** A command's own flags under their headings. */
export function flagSections({ flags, groups }: Command): { title: string; items: HelpItem[] }[] {
  const named = new Set(Object.values(groups).flat())
  const others = Object.keys(flags).filter((key) => !named.has(key))
  return Object.entries({ ...groups, Flags: others }).map(([title, keys]) => ({
    title,
    items: flagItems(Object.fromEntries(keys.flatMap((key) => (flags[key] ? [[key, flags[key]]] : [])))),
  }))
}

/** Those of a command go before the global ones of the same name. */
export function flagItems(flags: Record<string, Flag>, except: Record<string, Flag> = {}): HelpItem[] {
  return Object.entries(flags)
    .filter(([key, flag]) => !flag.hidden && !(key in except))
    .map(([key, flag]) => ({ term: flagForm(key, flag), summary: describeFlag(flag) }))
}

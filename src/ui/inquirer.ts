/** The questions themselves, in whole words; loaded when one is really asked. */
import * as library from '@inquirer/prompts'
import type { Questions, Streams } from './prompts.ts'
import { themeOf } from './question-theme.ts'
import { search as openSearch } from './search.ts'
import { paragraph } from './wrapping.ts'

const columnsOf = ({ output }: Streams) => (output as { columns?: number }).columns ?? 80

/** The library breaks a line wherever a row ends: what is longer is broken before it gets it. */
function fitted<T extends { name: string }>(choices: readonly T[], indent: number, streams: Streams): T[] {
  const width = columnsOf(streams) - 1 - indent
  const hanging = `\n${' '.repeat(indent)}`
  return choices.map((choice) => ({ ...choice, name: paragraph(choice.name, width).join(hanging) }))
}

const themed = <T extends { message: string }>(config: T, streams: Streams) => ({
  ...config,
  theme: themeOf(config.message, columnsOf(streams)),
})

export const confirm: Questions['confirm'] = (config, streams) =>
  library.confirm(themed(config, streams), streams)

export const input: Questions['input'] = (config, streams) => library.input(themed(config, streams), streams)

export const password: Questions['password'] = (config, streams) =>
  library.password(themed(config, streams), streams)

export const select: Questions['select'] = (config, streams) =>
  library.select({ ...themed(config, streams), choices: fitted(config.choices, 2, streams) }, streams)

export const checkbox: Questions['checkbox'] = (config, streams) =>
  library.checkbox({ ...themed(config, streams), choices: fitted(config.choices, 3, streams) }, streams)

export const search: Questions['search'] = (config, streams) =>
  openSearch(
    { ...themed(config, streams), choices: fitted(config.choices, config.many ? 4 : 2, streams) },
    streams,
  )

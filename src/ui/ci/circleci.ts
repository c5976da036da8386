import { variableOf, type Ci, type Environment } from './ci.ts'

/** CircleCI: what later steps are to know goes into the file that each of their shells reads first. */
export function circleci(env: Environment): Ci {
  const { BASH_ENV: file } = env
  return {
    name: 'CircleCI',
    output: file
      ? { file, entry: (name, value) => `export ${variableOf(name)}='${value.replaceAll("'", `'\\''`)}'` }
      : undefined,
  }
}

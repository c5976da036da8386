// Rules of this folder:
// - a CI is told by the variable that its own documentation says is set in each of its jobs;
// - what is written for a CI goes to stderr or to a file it names: stdout is data;
// - ids and states are handed on, never a secret; a value that could mean more than itself to any of them is not.
import { isCi, variableOf, type Ci, type Environment } from './ci.ts'

interface Entry {
  isHere: (env: Environment) => boolean
  load: (env: Environment) => Promise<Ci>
}

const table: readonly Entry[] = [
  {
    isHere: (env) => env['GITHUB_ACTIONS'] === 'true',
    load: async (env) => (await import('./github.ts')).github(env),
  },
  {
    isHere: (env) => env['GITLAB_CI'] === 'true',
    load: async () => (await import('./gitlab.ts')).gitlab(),
  },
  {
    isHere: (env) => env['CIRCLECI'] === 'true',
    load: async (env) => (await import('./circleci.ts')).circleci(env),
  },
  // "True", as .NET writes it
  {
    isHere: (env) => env['TF_BUILD']?.toLowerCase() === 'true',
    load: async (env) => (await import('./azure.ts')).azure(env),
  },
  {
    isHere: (env) => Boolean(env['JENKINS_URL'] && env['BUILD_ID']),
    load: async () => (await import('./jenkins.ts')).jenkins(),
  },
  // one that nobody here knows has no commands, but a log
  { isHere: isCi, load: async () => ({ name: 'CI' }) },
]

/** Where what is handed on goes instead: a file of `NAME=value` lines, and one in Markdown. */
const outputVariable = 'PICTIFY_KEYS_OUTPUT_FILE'
const summaryVariable = 'PICTIFY_KEYS_SUMMARY_FILE'

/**
 * The CI this runs in, if any. Where stderr is a file (`stderrIsFile`), no CI reads it as it is written: nothing that a CI
 * would act on is put there, above all no secret to be masked.
 */
export async function detectCi(env: Environment, stderrIsFile: () => boolean): Promise<Ci | undefined> {
  const found = await table.find(({ isHere }) => isHere(env))?.load(env)
  const { [outputVariable]: output, [summaryVariable]: summary } = env
  const ci = found && (stderrIsFile() ? withoutLines(found) : found)
  if (!output && !summary) return ci
  return {
    ...(ci ?? { name: 'a job' }),
    ...(output && { output: { file: output, entry: (name, value) => `${variableOf(name)}=${value}` } }),
    ...(summary && { summary: () => ({ file: summary }) }),
  }
}

function withoutLines({ name, output, summary }: Ci): Ci {
  const isFile = output !== undefined && 'file' in output
  const needsLine = summary?.('').line !== undefined
  return { name, output: isFile ? output : undefined, summary: needsLine ? undefined : summary }
}

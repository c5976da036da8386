import { formatDuration } from '../duration.ts'
import { KeysError } from '../errors.ts'
import { printedByNode } from '../node-debug.ts'
import { redact, type Secret } from '../secret.ts'
import type { Verify } from './run.ts'

export interface VerifyCommandOptions {
  /** A line for the platform's shell. */
  command: string
  /** The folder it is run in. */
  cwd: string
  timeoutMs: number
  /** Handed on to the command, without the admin key and what holds one of the secrets. */
  env: Readonly<Record<string, string | undefined>>
  /** For `PICTIFY_API_URL` of its environment. */
  apiUrl: string
  /** Every secret known so far; it grows with what the rotation learns. */
  secrets: readonly Secret[]
  /** A line of its output, masked, as it comes. */
  onLine: (line: string) => void
}

/**
 * The user's own check as rotation sees it: run by the shell with the successor's secret in PICTIFY_API_KEY of its
 * environment and nowhere else. Throws `usage` where the command holds a secret, or Node would print its environment.
 */
export async function createVerifyCommand({
  command,
  cwd,
  timeoutMs,
  env: given,
  apiUrl,
  secrets,
  onLine,
}: VerifyCommandOptions): Promise<Verify> {
  if (redact(command, secrets) !== command) {
    throw new KeysError('usage', 'the verify command has a secret written in it', {
      hint: 'it finds the new key in PICTIFY_API_KEY of its environment',
    })
  }
  refuseTelltale(given)
  const { childEnvironment, commandExists, runChild } = await import('../child.ts')
  return {
    command,
    timeoutMs,
    exists: () => commandExists(command, childEnvironment(given, { secrets }), cwd),
    async run(secret, signal) {
      const masked = [...secrets, secret]
      const env = {
        ...childEnvironment(given, { secrets: masked }),
        PICTIFY_API_KEY: secret.reveal(),
        PICTIFY_API_URL: apiUrl,
      }
      const onOutput = (line: string) => onLine(redact(line, masked))
      const result = await runChild({ command, env, cwd, timeoutMs, signal, onOutput })
      if (result.exitCode === 0) return
      const how = result.timedOut
        ? `took longer than ${formatDuration(timeoutMs)}`
        : result.exitCode === null
          ? `was ended by ${result.signal}`
          : `ended with ${result.exitCode}`
      const lastLine = redact(result.output, masked).trim().split('\n').at(-1)
      throw new KeysError('verify-failed', `the verify command ${how}: ${redact(command, masked)}`, {
        hint: lastLine
          ? `it said: ${lastLine}; mend what it found, then run the same command again`
          : 'it said nothing; run it by hand with PICTIFY_API_KEY set, to see why',
      })
    },
  }
}

/** Node itself then prints the environment of every child, and nobody can mask that. */
function refuseTelltale(env: VerifyCommandOptions['env']): void {
  if (printedByNode(env, ['child_process']).length === 0) return
  throw new KeysError(
    'usage',
    'NODE_DEBUG asks Node for child_process, which prints the secret that --verify gets',
    {
      hint: 'leave child_process (and *) out of NODE_DEBUG; --debug tells what pictify-keys does',
    },
  )
}

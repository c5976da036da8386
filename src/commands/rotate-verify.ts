import type { Context } from '../context.ts'
import { formatDuration } from '../duration.ts'
import { KeysError } from '../errors.ts'
import { printedByNode } from '../node-debug.ts'
import type { Verify } from '../rotation/run.ts'
import { redact, type Secret } from '../secret.ts'

/**
 * The user's own check as rotation sees it: run by the shell with the successor's secret in PICTIFY_API_KEY of its
 * environment and nowhere else, from `cwd`; its output, masked, goes to stderr as it comes.
 */
export async function createVerify(
  context: Context,
  command: string,
  cwd: string,
  timeoutMs: number,
  secrets: readonly Secret[],
): Promise<Verify> {
  if (redact(command, secrets) !== command) {
    throw new KeysError('usage', 'the verify command has a secret written in it', {
      hint: 'it finds the new key in PICTIFY_API_KEY of its environment',
    })
  }
  refuseTelltale(context.env)
  const { childEnvironment, commandExists, runChild } = await import('../child.ts')
  const { out } = context
  const apiUrl = await context.apiUrl()
  return {
    command,
    timeoutMs,
    exists: () => commandExists(command, childEnvironment(context.env, { secrets }), cwd),
    async run(secret, signal) {
      const masked = [...secrets, secret]
      const env = {
        ...childEnvironment(context.env, { secrets: masked }),
        PICTIFY_API_KEY: secret.reveal(),
        PICTIFY_API_URL: apiUrl,
      }
      const onOutput = (line: string) => {
        const text = redact(line, masked)
        out.event({ event: 'verify-output', line: text }, `  ${text}`)
      }
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
function refuseTelltale(env: Context['env']): void {
  if (printedByNode(env, ['child_process']).length === 0) return
  throw new KeysError(
    'usage',
    'NODE_DEBUG asks Node for child_process, which prints the secret that --verify gets',
    {
      hint: 'leave child_process (and *) out of NODE_DEBUG; --debug tells what pictify-keys does',
    },
  )
}

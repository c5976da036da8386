import { childEnvironment, commandExists, runChild } from '../child.ts'
import { systemReason } from '../system-error.ts'
import { KeysError } from '../errors.ts'
import { type Secret, redact } from '../secret.ts'
import { oneWay, refusal, together, unknownBefore } from './refusal.ts'
import type { Target, TargetDeps } from './target.ts'

const timeoutMs = 60_000

/**
 * A command that puts the secret somewhere: it reads it from standard input, where nothing is added, and
 * learns by PICTIFY_KEYS_ACTION whether this is a `write` or the `restore` of what was there before.
 */
export function createExecTarget({
  name,
  command,
  deps,
}: {
  name: string
  command: string
  deps: TargetDeps
}): Target {
  const { cwd, debug } = deps

  async function run(
    action: 'write' | 'restore',
    secret: Secret,
    others: Secret[],
    signal?: AbortSignal,
  ): Promise<void> {
    signal?.throwIfAborted()
    const secrets = [secret, ...others, ...deps.secrets()]
    const clean = (text: string) => redact(text, secrets)
    const env = { ...childEnvironment(deps.env, { secrets }), PICTIFY_KEYS_ACTION: action }
    let result
    try {
      const onOutput = (line: string) => debug(`${name}: ${clean(line)}`)
      result = await runChild({ command, cwd, env, input: secret.reveal(), timeoutMs, signal, onOutput })
    } catch (error) {
      signal?.throwIfAborted()
      throw new KeysError(
        'target-failed',
        `${name}: it could not be started: ${clean(systemReason(error))}`,
        {
          hint: 'see that a shell and the working directory are there',
          cause: error,
        },
      )
    }
    if (result.exitCode === 0) return
    // A command that says no has put nothing in its place; one that was cut off may have.
    const code = result.timedOut || result.exitCode === null ? 'target-unclear' : 'target-failed'
    const lastLine = clean(result.output).trim().split('\n').at(-1)
    throw new KeysError(code, `${name}: ${howItEnded(result)}`, {
      hint: lastLine ? `it said: ${lastLine}` : 'it said nothing; run it by hand to see why',
    })
  }

  return {
    name,
    place: `${command} (in ${cwd})`,
    readback: 'none',

    async check(signal) {
      signal?.throwIfAborted()
      let exists
      try {
        exists = await commandExists(command, childEnvironment(deps.env, { secrets: deps.secrets() }), cwd)
      } catch (error) {
        throw together(
          [refusal(`it cannot be looked up: ${systemReason(error)}`, 'see that a shell is there', error)],
          name,
        )
      }
      if (!exists)
        throw together([refusal('there is no such command', 'install it, or write its whole path')], name)
    },

    async read() {
      throw oneWay(name)
    },

    write: (secret, _expected, signal) => run('write', secret, [], signal),

    async restore(held, written, signal) {
      if (!held) throw unknownBefore(name)
      await run('restore', held.value, [written], signal)
    },
  }
}

function howItEnded({
  exitCode,
  signal,
  timedOut,
}: {
  exitCode: number | null
  signal: string | null
  timedOut: boolean
}) {
  if (timedOut) return `it did not end within ${timeoutMs / 1_000}s and was stopped`
  return exitCode === null ? `it was ended by ${signal ?? 'a signal'}` : `it ended with exit code ${exitCode}`
}

import type { Context } from '../context.ts'
import { hasCode, KeysError } from '../errors.ts'
import type { Secret } from '../secret.ts'
import type { TargetDeps } from '../targets/target.ts'

/** What targets get of the context. A person at a terminal fills in `manual:` ones; elsewhere nobody can be asked. */
export function targetDeps(
  context: Context,
  {
    secrets,
    createTarget,
    cwd = context.cwd,
  }: { secrets: readonly Secret[]; createTarget: boolean; cwd?: string },
): TargetDeps {
  const { clock, env, insecureHttp, out, program, prompt } = context
  const showSecret: TargetDeps['showSecret'] = async (label, secret, action) => {
    const what = action === 'write' ? 'the new key' : 'the old key again'
    out.show(`put ${what} into ${label}:`, '', `  ${secret.reveal()}`, '')
    try {
      await prompt.confirm('Is it in its place?', '--to')
    } catch (error) {
      if (!hasCode(error, 'usage')) throw error
      throw new KeysError('target-refused', `${label}: it was not put in its place`, { cause: error })
    }
  }
  return {
    cwd,
    env,
    debug: (line) => out.debug(line),
    warn: (line) => out.warn(line),
    secrets: () => secrets,
    clock,
    createTarget,
    insecureHttp,
    program,
    showSecret: out.interactive ? showSecret : undefined,
  }
}

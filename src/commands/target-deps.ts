import type { Context } from '../context.ts'
import { hasCode, KeysError } from '../errors.ts'
import type { Secret } from '../secret.ts'
import type { TargetDeps } from '../targets/target.ts'
import { oneLine } from '../ui/text.ts'

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
    const title = `put ${action === 'write' ? 'the new key' : 'the old key again'} into ${label}:`
    try {
      if (out.live !== undefined) return await out.live.aside(() => onScreen(context, title, secret))
      await prompt.confirm(
        'The secret will stay in the scrollback of this terminal. Print it there?',
        'another --to',
      )
      out.show(title, '', `  ${secret.reveal()}`, '')
      await prompt.confirm('Is it in its place?', '--to')
    } catch (error) {
      if (!hasCode(error, 'not-confirmed')) throw error
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

async function onScreen({ prompt, secretScreen }: Context, title: string, secret: Secret): Promise<void> {
  const screen = await secretScreen()
  const left = await screen.show({
    title: oneLine(title),
    secret,
    notes: ['When this is left, you are asked whether it is in its place.'],
  })
  if (left.isInterrupted) throw new KeysError('interrupted', 'interrupted')
  await prompt.confirm('Is it in its place?', '--to')
}

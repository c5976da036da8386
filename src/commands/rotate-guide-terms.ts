import type { Context } from '../context.ts'
import { parseDuration } from '../duration.ts'
import { KeysError } from '../errors.ts'
import type { Waits } from '../rotation/state.ts'
import { redact } from '../secret.ts'
import { evidenceWords, type PlannedPlace } from '../ui/rotation-plan.ts'
import { findChecks } from './verify-choices.ts'

/** How it is verified: a command that was found or is typed, or none. */
export async function chooseVerify(context: Context): Promise<string | undefined> {
  const { prompt, cwd } = context
  const found = await findChecks(cwd)
  const choice = await prompt.select<{ command: string } | 'other' | 'none'>(
    'How is it seen that the application works with the new key?',
    [
      ...found.map((command) => ({ name: command, value: { command } })),
      { name: 'by another command', value: 'other', description: 'it finds the new key in PICTIFY_API_KEY' },
      {
        name: 'by no command',
        value: 'none',
        description: 'the API is asked with what each place holds, in any case',
      },
    ],
    '--verify',
  )
  if (choice === 'none') return undefined
  if (choice !== 'other') return choice.command
  return prompt.text('Which command?', '--verify', { check: (command) => refuseUnusable(context, command) })
}

async function refuseUnusable(context: Context, command: string): Promise<void> {
  if (command === '') throw new KeysError('usage', 'type a command, as in a shell')
  const { secret } = await context.credential()
  if (redact(command, [secret]) !== command) {
    throw new KeysError('usage', 'the command has a secret written in it', {
      hint: 'it finds the new key in PICTIFY_API_KEY of its environment',
    })
  }
  const { childEnvironment, commandExists } = await import('../child.ts')
  if (await commandExists(command, childEnvironment(context.env, { secrets: [secret] }), context.cwd)) return
  throw new KeysError('usage', 'it cannot be run from this folder', { hint: 'check its name and its path' })
}

/** How long both keys stay valid at least. Milliseconds. */
export async function chooseOverlap(
  { prompt }: Context,
  waits: Waits,
  places: readonly PlannedPlace[],
): Promise<number> {
  const words = evidenceWords(waits, places)
  const isLater = await prompt.select(
    'When may the old key go?',
    [
      { name: 'as soon as there is evidence that it is quiet', value: false, description: words },
      { name: 'later: after a time, and with that evidence', value: true, description: words },
    ],
    '--overlap',
  )
  if (!isLater) return 0
  const answer = await prompt.text('How long do both keys stay valid at least? (30m, 24h, 7d)', '--overlap', {
    check: (text) => void parseDuration(text),
  })
  return parseDuration(answer)
}

import { randomBytes } from 'node:crypto'
import { deliver } from '../alerts/notifier.ts'
import type { Reach } from '../alerts/verdict.ts'
import type { Context } from '../context.ts'
import { KeysError } from '../errors.ts'
import type { Fleet } from '../fleet/fleet.ts'
import { nearest } from '../nearest.ts'
import { testLetter } from '../ui/alerts/letter.ts'
import { openState } from './alerts-check.ts'
import { emptyReaches, reachesOf, unsigned } from './alerts-warnings.ts'
import { openNotifiers } from './alerts-notifiers.ts'

/** Sends a message that is none of an incident's. Throws `notifier-failed` where one did not take it. */
export async function sendTest(
  context: Context,
  fleet: Fleet,
  named: string | undefined,
  limitMs: number,
): Promise<void> {
  const chosen = fleet.notify.filter(({ name }) => named === undefined || name === named)
  if (chosen.length === 0) throw nobody(fleet, named)
  const facts = { at: context.clock.now(), apiUrl: await context.apiUrl() }
  const opened = await openNotifiers(context, chosen)
  const tests = new Map<string, { sentAt: string | null; problem: string | null }>()
  try {
    const postings = opened.notifiers.map((notifier) => ({
      notifier,
      letters: [testLetter(`msg_${randomBytes(12).toString('hex')}`, facts)],
    }))
    await deliver(
      postings,
      { clock: context.clock, limitMs, signal: context.signal },
      async ({ name }, _, outcome) => {
        tests.set(name, outcome)
      },
    )
  } finally {
    await opened.close()
  }
  const data = {
    tests: chosen.map(({ name, kind }) => ({ name, kind, sentAt: null, problem: null, ...tests.get(name) })),
  }
  const { testText } = await import('../ui/alerts/table.ts')
  context.out.result(data, (safe) => testText(safe.tests, context.out))
  for (const text of unsigned(chosen)) context.out.warn(text)
  for (const text of emptyReaches(await knownReaches(context, fleet))) context.out.warn(text)
  const failed = data.tests.filter(({ sentAt }) => sentAt === null)
  if (failed.length === 0) return
  throw new KeysError(
    'notifier-failed',
    `${failed.map(({ name }) => name).join(', ')} did not take the message`,
    {
      hint: 'what each said stands above; --debug tells every attempt',
    },
  )
}

/** This is about notifiers: that what is kept cannot be read a check will say. */
async function knownReaches(context: Context, fleet: Fleet): Promise<Reach[]> {
  try {
    return reachesOf(fleet, await (await openState(context, fleet)).read())
  } catch (error) {
    if (!(error instanceof KeysError)) throw error
    return []
  }
}

function nobody({ notify, file }: Fleet, named: string | undefined): KeysError {
  if (named === undefined) {
    return new KeysError('usage', `${file} has no notifiers`, {
      hint: 'write them under notify: (docs/alerts.md)',
    })
  }
  const known = notify.map(({ name }) => name)
  const [meant] = nearest(named, known)
  return new KeysError('usage', `there is no notifier ${named}`, {
    hint: meant === undefined ? `there are ${known.join(', ') || 'none'}` : `did you mean ${meant}?`,
  })
}

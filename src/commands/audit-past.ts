import path from 'node:path'
import { withPredecessors, type Succession } from '../audit/past-inheritance.ts'
import { createPastFile } from '../audit/past.ts'
import type { AccountSurvey, Known, Past } from '../audit/survey.ts'
import type { Context } from '../context.ts'
import { KeysError } from '../errors.ts'
import { createJournals } from '../rotation/journal.ts'
import { openStateFolder } from '../rotation/state-folder.ts'

/** What earlier surveys of this machine saw, and the way to add another. */
export interface SeenBefore {
  before: Known<Past>
  /** A survey that cannot be kept is still a survey: it warns, and does not throw. */
  remember(survey: AccountSurvey): Promise<void>
}

/** `readOnly`: no folder is made for what nobody will write there. */
export async function openPast(
  { stateDir, out }: Context,
  apiUrl: string,
  readOnly = false,
): Promise<SeenBefore> {
  try {
    const folder = readOnly ? path.join(stateDir, 'seen') : await openStateFolder(stateDir, 'seen')
    const file = createPastFile(folder, apiUrl)
    return {
      before: await withJournals(await file.read(), stateDir, apiUrl),
      remember: (survey) =>
        file.remember(survey).catch((error: unknown) => {
          if (!(error instanceof KeysError)) throw error
          out.warn(error.hint === undefined ? error.message : `${error.message}; ${error.hint}`)
        }),
    }
  } catch (error) {
    if (!(error instanceof KeysError)) throw error
    return { before: { known: false, why: error.message }, remember: async () => {} }
  }
}

/** With what the journals of this machine tell of which key took the place of which; one that cannot be read tells nothing. */
async function withJournals(past: Known<Past>, stateDir: string, apiUrl: string): Promise<Known<Past>> {
  if (!past.known) return past
  const entries = await createJournals(stateDir).list()
  const successions = entries.flatMap((entry): Succession[] => {
    if (!('journal' in entry) || entry.journal.apiUrl !== apiUrl) return []
    const { oldKey, newKey } = entry.journal
    return newKey === undefined ? [] : [{ oldKeyId: oldKey.id, newKeyId: newKey.id }]
  })
  return { known: true, value: withPredecessors(past.value, successions) }
}

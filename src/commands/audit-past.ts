import path from 'node:path'
import { createPastFile } from '../audit/past.ts'
import type { AccountSurvey, Known, Past } from '../audit/survey.ts'
import type { Context } from '../context.ts'
import { KeysError } from '../errors.ts'
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
      before: await file.read(),
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

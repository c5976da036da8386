import type { Client, Key } from '../api/contract.ts'
import { investigate, type Incident } from '../audit/incident.ts'
import type { Mark } from '../audit/incident-timeline.ts'
import { createPastFile } from '../audit/past.ts'
import type { KeyPast } from '../audit/survey.ts'
import type { Context } from '../context.ts'
import { formatDuration } from '../duration.ts'
import { hasCode, KeysError } from '../errors.ts'
import { createJournals } from '../rotation/journal.ts'
import { findStateFolder } from '../rotation/state-folder.ts'
import { isOver, type Journal } from '../rotation/state.ts'
import { keepHeapSmall } from '../small-heap.ts'
import { createReading } from '../ui/reading.ts'
import { settledNow } from './settled-now.ts'

/** Where nobody says when it leaked, and how much of the time before it is held against. */
export const incidentDefaults = { sinceMs: 7 * 86_400_000, baselineMs: 30 * 86_400_000 }

export interface IncidentScope {
  key: Key | undefined
  /** Unix ms, by the API's clock. */
  since: number
  baselineMs: number
  /** For longer than this the log is not read. */
  limitMs?: number | undefined
}

/** What a key did: by the API, and by the rotations of this machine. Says how far reading is. Throws `timed-out` at the limit. */
export async function readIncident(
  context: Context,
  api: Client,
  keyId: string,
  { key, since, baselineMs, limitMs }: IncidentScope,
): Promise<Incident> {
  keepHeapSmall()
  const reading = createReading(context)
  const limit = limitOf(context, limitMs)
  try {
    // what was done within the last second is of the incident too
    const until = await settledNow(api, context.clock, limit.signal)
    return await investigate(api, keyId, {
      key,
      since,
      from: since - baselineMs,
      until,
      marks: marksOf(await readJournals(context, api), keyId),
      seenBefore: await readSeen(context, api, keyId),
      signal: limit.signal,
      onProgress: (progress) => reading.report(progress),
    })
  } finally {
    limit.end()
    await reading.end()
  }
}

/** For a rotation that is done: whatever becomes of this, the receipt is printed. */
export async function incidentOfRotated(
  context: Context,
  api: Client,
  keyId: string,
): Promise<Incident | null> {
  const { sinceMs, baselineMs } = incidentDefaults
  try {
    const key = await api.keys.get(keyId).catch((error: unknown) => {
      if (hasCode(error, 'api-key-not-found')) return undefined
      throw error
    })
    const since = api.now() - sinceMs
    return await readIncident(context, api, keyId, { key, since, baselineMs, limitMs: 120_000 })
  } catch (failure) {
    if (!(failure instanceof KeysError)) throw failure
    context.out.warn(`what ${keyId} did is not known: ${failure.message}`)
    return null
  }
}

/** Ends with the program's own interruption, and at the limit. */
function limitOf({ clock, signal }: Context, limitMs: number | undefined) {
  if (limitMs === undefined) return { signal, end: () => {} }
  const [over, late] = [new AbortController(), new AbortController()]
  const wait = async () => {
    await clock.sleep(limitMs, over.signal)
    late.abort(
      new KeysError('timed-out', `reading took longer than ${formatDuration(limitMs)}`, {
        hint: 'pictify-keys incident <key> takes as long as it takes',
      }),
    )
  }
  // the wait is ended by `end`, by an abort that is no error
  wait().catch(() => undefined)
  return { signal: AbortSignal.any([signal, late.signal]), end: () => over.abort() }
}

/** The journals and receipts of this machine that are about keys of this account, newest first. */
export async function readJournals(
  { stateDir, out }: Pick<Context, 'stateDir' | 'out'>,
  { baseUrl }: Pick<Client, 'baseUrl'>,
): Promise<Journal[]> {
  try {
    const entries = await createJournals(stateDir).list()
    return entries.flatMap((entry) =>
      'journal' in entry && entry.journal.apiUrl === baseUrl ? [entry.journal] : [],
    )
  } catch (error) {
    if (!(error instanceof KeysError)) throw error
    out.warn(`the rotations of this machine are not known: ${error.message}`)
    return []
  }
}

/** What earlier audits of this machine saw of a key; undefined where there were none that can be read. */
async function readSeen(
  { stateDir }: Pick<Context, 'stateDir'>,
  { baseUrl }: Pick<Client, 'baseUrl'>,
  keyId: string,
): Promise<KeyPast | undefined> {
  try {
    const folder = await findStateFolder(stateDir, 'seen')
    if (folder === undefined) return undefined
    const seen = await createPastFile(folder, baseUrl).read()
    return seen.known ? seen.value.keys.get(keyId) : undefined
  } catch (error) {
    if (!(error instanceof KeysError)) throw error
    return undefined
  }
}

function marksOf(journals: readonly Journal[], keyId: string): Mark[] {
  return journals
    .filter(({ oldKey, newKey }) => oldKey.id === keyId || newKey?.id === keyId)
    .flatMap(({ id, oldKey, newKey, state, startedAt, finishedAt }): Mark[] => {
      const which =
        oldKey.id === keyId ? `${id} to ${newKey?.id ?? 'another key'}` : `${id} from ${oldKey.id}`
      const began: Mark = { at: startedAt, kind: 'rotation-started', value: which }
      if (!isOver(state) || finishedAt === undefined) return [began]
      return [began, { at: finishedAt, kind: 'rotation-finished', value: `${id} (${state})` }]
    })
}

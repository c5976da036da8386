import type { Client, Key } from '../api/contract.ts'
import { investigate, type Incident } from '../audit/incident.ts'
import type { Mark } from '../audit/incident-timeline.ts'
import { createPastFile } from '../audit/past.ts'
import type { KeyPast } from '../audit/survey.ts'
import type { Context } from '../context.ts'
import { formatDuration } from '../duration.ts'
import { hasCode, KeysError } from '../errors.ts'
import { createJournals } from '../rotation/journal.ts'
import { parseMark } from '../rotation/marked-name.ts'
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
  /** From here on our own probes are those of this command. */
  ownSince?: number | undefined
  /** For longer than this nothing is read: what was read of the log until then is told. */
  limitMs?: number | undefined
}

/** What a key did: by the API, and by the rotations of this machine. Says how far reading is. */
export async function readIncident(
  context: Context,
  api: Client,
  keyId: string,
  { key, since, baselineMs, limitMs, ownSince }: IncidentScope,
): Promise<Incident> {
  keepHeapSmall()
  const reading = createReading(context)
  const limit = limitOf(context, limitMs)
  try {
    // what was done within the last second is of the incident too
    const until = await settledNow(api, context.clock, context.signal)
    const journals = await readJournals(context, api)
    const from = since - baselineMs
    return await investigate(api, keyId, {
      key,
      since,
      from,
      until,
      replaced: replacedBy(keyId, key, from, journals),
      marks: marksOf(journals, keyId),
      ownSince,
      seenBefore: await readSeen(context, api, keyId),
      signal: context.signal,
      enough: limit.signal,
      onProgress: (progress) => reading.report(progress),
    })
  } finally {
    limit.end()
    await reading.end()
  }
}

/** Of a rotation that is done so long is waited for what the old key did. */
const longestMs = 120_000

/** For a rotation that is done; null where nothing is to be had, which is said. */
export async function incidentOfRotated(
  context: Context,
  api: Client,
  keyId: string,
): Promise<Incident | null> {
  const { sinceMs, baselineMs } = incidentDefaults
  try {
    const key = await api.keys.get(keyId, { signal: context.signal }).catch((error: unknown) => {
      if (hasCode(error, 'api-key-not-found')) return undefined
      throw error
    })
    const since = api.now() - sinceMs
    return await readIncident(context, api, keyId, { key, since, baselineMs, limitMs: longestMs })
  } catch (failure) {
    if (context.signal.aborted) return null
    if (!(failure instanceof KeysError)) throw failure
    context.out.warn(`what ${keyId} did is not known: ${failure.message}`)
    return null
  }
}

/** Ends by itself after so long, or by `end`. */
function limitOf({ clock }: Context, limitMs: number | undefined) {
  if (limitMs === undefined) return { signal: undefined, end: () => {} }
  const [over, late] = [new AbortController(), new AbortController()]
  const wait = async () => {
    await clock.sleep(limitMs, over.signal)
    late.abort(new KeysError('timed-out', `reading took longer than ${formatDuration(limitMs)}`))
  }
  // the wait is ended by `end`, by an abort that is no error
  wait().catch(() => undefined)
  return { signal: late.signal, end: () => over.abort() }
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

/** Keys that this one took the place of since then, latest first: by the rotations of this machine, and by its marked name. */
function replacedBy(
  keyId: string,
  key: Key | undefined,
  from: number,
  journals: readonly Journal[],
): string[] {
  const marked = key && parseMark(key.name)?.oldId
  const replaced: string[] = []
  for (let id: string | undefined = keyId; id !== undefined && !replaced.includes(id);) {
    if (id !== keyId) replaced.push(id)
    const successor: string = id
    const rotation = journals.find(
      ({ newKey, state, startedAt }) =>
        newKey?.id === successor && (state === 'done' || !isOver(state)) && Date.parse(startedAt) > from,
    )
    id = rotation?.oldKey.id ?? (successor === keyId ? marked : undefined)
  }
  return replaced
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

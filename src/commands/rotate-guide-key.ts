import type { Client, Key } from '../api/contract.ts'
import type { Context } from '../context.ts'
import { KeysError } from '../errors.ts'
import { createJournals } from '../rotation/journal.ts'
import { parseMark } from '../rotation/marked-name.ts'
import { isOver, type Journal } from '../rotation/state.ts'
import { oneLine } from '../ui/text.ts'
import { keyChoices, readKeys } from './key-choices.ts'
import { ownKeyId } from './own-key.ts'
import type { RotateInputs } from './rotate-flags.ts'

/** What is rotated: a key, by the `name` that a line would call it; or a rotation of this machine that is not over. */
export type Subject = { journal: Journal } | { key: Key; name: string; self: boolean }

/** The key that was named, or that is chosen now. */
export async function chooseSubject(context: Context, inputs: RotateInputs): Promise<Subject> {
  const api = await context.api()
  const open = await openRotations(context, api)
  const named = inputs.key
  if (named !== undefined) {
    const begun = open.find(({ id, oldKey, newKey }) =>
      [id, oldKey.id, oldKey.name, newKey?.id].includes(named),
    )
    if (begun !== undefined && inputs.to.length === 0) return { journal: begun }
    const key = await api.keys.find(named, { signal: context.signal })
    return { key, name: await lineName(api, key, context.signal), self: await isOwn(context, api, key) }
  }
  const key = await search(context, api, open)
  const begun = open.find(({ oldKey, newKey }) => [oldKey.id, newKey?.id].includes(key.id))
  if (begun !== undefined) return { journal: begun }
  const name = await lineName(api, key, context.signal)
  return { key, name, self: await isOwn(context, api, key) }
}

async function search({ out, prompt, signal }: Context, api: Client, open: readonly Journal[]): Promise<Key> {
  const active = await readKeys(api, 'active', signal)
  // a successor is not rotated while it takes another key's place: that key is, and its rotation goes on
  const marks = active.flatMap(({ name }) => parseMark(name) ?? [])
  const keys = active.filter(({ name }) => {
    const mark = parseMark(name)
    return mark === undefined || !active.some(({ id }) => id === mark.oldId)
  })
  const notes = new Map<string, string>(
    marks.map(({ oldId }) => [oldId, 'being rotated from another machine']),
  )
  for (const { id, oldKey, newKey, state } of open) {
    const note = `its rotation ${id} is not over: ${state}`
    notes.set(oldKey.id, note)
    if (newKey !== undefined) notes.set(newKey.id, note)
  }
  const sorted = [...keys].sort(
    (a, b) =>
      Number(notes.has(b.id)) - Number(notes.has(a.id)) || Date.parse(a.createdAt) - Date.parse(b.createdAt),
  )
  const choices = keyChoices(sorted, {
    now: api.now(),
    columns: out.columns,
    noteOf: ({ id }) => notes.get(id),
  })
  return prompt.search('Which key is to be rotated?', choices, '<key>')
}

async function openRotations({ stateDir, out }: Context, { baseUrl }: Client): Promise<Journal[]> {
  const open: Journal[] = []
  for (const entry of await createJournals(stateDir).list()) {
    if ('problem' in entry) out.warn(entry.problem.message)
    else if (!isOver(entry.journal.state) && entry.journal.apiUrl === baseUrl) open.push(entry.journal)
  }
  return open
}

/** The name, where it is the key's alone and can be typed, so that the same line rotates what comes after it, too. */
async function lineName(api: Client, { id, name }: Key, signal: AbortSignal): Promise<string> {
  if (oneLine(name) !== name || /^-|^(pk|key)_/.test(name) || parseMark(name)) return id
  try {
    return (await api.keys.find(name, { signal })).id === id ? name : id
  } catch (error) {
    if (!(error instanceof KeysError) || error.code === 'interrupted') throw error
    return id
  }
}

/** Whether it is the admin key in use, whose successor becomes the credential. */
async function isOwn(context: Context, api: Client, key: Key): Promise<boolean> {
  if (key.access !== 'admin' && key.access !== undefined) return false
  const { secret } = await context.credential()
  if (secret.type !== undefined && secret.type !== key.type) return false
  const isIt = (await ownKeyId(context, api)) === key.id
  if (isIt) context.out.show('That is the admin key in use: its successor becomes your credential (--self).')
  return isIt
}

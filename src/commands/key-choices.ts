import type { Client, Key } from '../api/contract.ts'
import { KeysError } from '../errors.ts'
import { formatAge } from '../ages.ts'
import type { Choice } from '../ui/prompts.ts'

/** Keys to choose from, as they are searched: by name, and by all that is said of them. */
export function keyChoices(
  keys: readonly Key[],
  {
    now,
    columns,
    noteOf = () => undefined,
  }: { now: number; columns: number; noteOf?: (key: Key) => string | undefined },
): Choice<Key>[] {
  const widest = Math.min(40, Math.max(...keys.map(({ name }) => name.length), 0))
  return keys.map((key) => {
    const note = noteOf(key)
    const facts = [
      key.type,
      ...(key.status === 'revoked' ? ['revoked'] : []),
      ageOf(key.createdAt, now),
      key.lastUsedAt === null ? 'never used' : `used ${formatAge(key.lastUsedAt, now)}`,
    ].join(', ')
    const line = `${key.name.padEnd(widest)}  ${facts}${note === undefined ? '' : `  (${note})`}`
    const description = [key.id, ...(key.access === undefined ? [] : [key.access])].join(', ')
    // a list whose every line is broken is no list: a narrow terminal says the rest of the one that the cursor is on
    if (line.length <= columns - 4) return { name: line, value: key, short: key.name, description }
    return {
      name: key.name,
      value: key,
      description: [facts, ...(note ? [note] : []), description].join(', '),
    }
  })
}

/** `3d old`. */
function ageOf(createdAt: string, now: number): string {
  const age = formatAge(createdAt, now)
  return age.endsWith(' ago') ? age.replace(/ago$/, 'old') : `created ${age}`
}

/** Every key of a status. Throws `api-key-not-found` where there is none. */
export async function readKeys(
  api: Client,
  status: 'active' | 'revoked' | undefined,
  signal: AbortSignal,
): Promise<Key[]> {
  const keys: Key[] = []
  for await (const key of api.keys.list({ status }, { signal })) keys.push(key)
  if (keys.length > 0) return keys
  throw new KeysError('api-key-not-found', `there is no ${status ?? ''} key`.replace('  ', ' '), {
    hint: 'make one: pictify-keys create',
  })
}

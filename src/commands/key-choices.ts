import type { Client, Key } from '../api/contract.ts'
import { KeysError } from '../errors.ts'
import { formatAge } from '../ages.ts'
import { parseMark } from '../rotation/marked-name.ts'
import type { Choice } from '../ui/prompts.ts'

/**
 * Keys to choose from, as they are searched: by name, and by all that is said of them. A successor whose rotation is not
 * over stands below the key whose place it takes, and says so.
 */
export function keyChoices(
  keys: readonly Key[],
  {
    now,
    columns,
    noteOf = () => undefined,
  }: { now: number; columns: number; noteOf?: (key: Key) => string | undefined },
): Choice<Key>[] {
  const shown = belowTheirOld(keys).map((key) => ({ key, mark: parseMark(key.name) }))
  const named = shown.map(({ key, mark }) => ({ key, mark, name: mark?.plain ?? key.name }))
  const widest = Math.min(40, Math.max(...named.map(({ name }) => name.length), 0))
  return named.map(({ key, mark, name }) => {
    const note =
      noteOf(key) ?? (mark && `the successor of ${mark.oldId}, whose rotation ${mark.rotationId} is not over`)
    const facts = [
      key.type,
      ...(key.status === 'revoked' ? ['revoked'] : []),
      ageOf(key.createdAt, now),
      key.lastUsedAt === null ? 'never used' : `used ${formatAge(key.lastUsedAt, now)}`,
    ].join(', ')
    const line = `${name.padEnd(widest)}  ${facts}${note === undefined ? '' : `  (${note})`}`
    const description = [key.id, ...(key.access === undefined ? [] : [key.access])].join(', ')
    // a list whose every line is broken is no list: a narrow terminal says the rest of the one that the cursor is on
    if (line.length <= columns - 4) return { name: line, value: key, short: key.name, description }
    return {
      name,
      value: key,
      short: key.name,
      description: [facts, ...(note ? [note] : []), description].join(', '),
    }
  })
}

function belowTheirOld(keys: readonly Key[]): Key[] {
  const oldIdOf = ({ name }: Key) => parseMark(name)?.oldId
  const ids = new Set<string | undefined>(keys.map(({ id }) => id))
  return keys
    .filter((key) => !ids.has(oldIdOf(key)))
    .flatMap((key) => [key, ...keys.filter((other) => oldIdOf(other) === key.id)])
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

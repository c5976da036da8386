import type { Client, Key } from '../api/contract.ts'
import type { Context } from '../context.ts'
import type { Output } from '../ui/output.ts'
import { toJson, toJsonLines } from '../ui/text.ts'
import { defineCommand, type Inputs } from './command.ts'
import { formatFor } from './formats.ts'
import { compareKeys, filterOf, sorts } from './list-selection.ts'

const flags = {
  type: { type: 'choice', choices: ['live', 'test'], summary: 'only keys of this type' },
  status: { type: 'choice', choices: ['active', 'revoked'], summary: 'only keys of this status' },
  name: { type: 'string', value: 'glob', summary: 'only keys whose name fits, for example "Production *"' },
  olderThan: { type: 'duration', summary: 'only keys created longer ago than this' },
  unusedFor: {
    type: 'duration',
    summary: 'only keys not used for this long; never used counts from creation',
  },
  sort: { type: 'choice', choices: sorts, summary: 'order; without it newest first' },
  reverse: { type: 'boolean', summary: 'the other way round' },
  limit: { type: 'count', value: 'n', summary: 'at most this many' },
  format: {
    type: 'choice',
    choices: ['table', 'json', 'ndjson', 'csv', 'id'],
    summary: 'how they are printed; table unless --json is given',
  },
} as const

type ListInputs = Inputs<[], typeof flags>
type Filter = NonNullable<Awaited<ReturnType<typeof filterOf>>>
/** The selected keys, as many at a time as come at once. */
type Selected = AsyncIterable<Key[]> | Iterable<Key[]>

export const list = defineCommand({
  name: 'list',
  summary: 'list keys, filtered and sorted',
  flags,
  examples: [
    'pictify-keys list --status active --unused-for 90d',
    'pictify-keys list --name "Production *" --sort last-used',
    'pictify-keys list --format id --type test --unused-for 90d | xargs pictify-keys revoke --yes',
  ],

  async run(context, inputs) {
    const { out } = context
    const format = formatFor(inputs.format, out)
    // what is wrong with a filter is said before anything is asked of the API
    const filter = await filterOf(inputs)
    const keys = await selected(context, await context.api(), inputs, filter)
    switch (format) {
      case 'ndjson':
        for await (const some of keys) await out.lines(toJsonLines(some))
        return
      case 'id':
        for await (const some of keys) await out.lines(some.map(({ id }) => id))
        return
      case 'csv':
        return printCsv(keys, out)
      case 'json':
        return printJson(await all(keys), out)
      case 'table':
        return printTable(context, await all(keys), inputs)
    }
  },
})

async function selected(
  { signal }: Context,
  api: Client,
  { type, status, sort, reverse, limit }: ListInputs,
  filter: Filter | undefined,
): Promise<Selected> {
  const source = api.keys.listByPage({ type, status }, { signal })
  if (sort === undefined && !reverse) {
    return filter === undefined && limit === undefined ? source : narrowed(source, api, filter, limit)
  }
  const kept = await all(narrowed(source, api, filter, undefined))
  kept.sort(compareKeys(sort ?? 'created'))
  return [(reverse ? kept.reverse() : kept).slice(0, limit)]
}

async function* narrowed(
  source: AsyncIterable<Key[]>,
  api: Client,
  filter: Filter | undefined,
  limit = Infinity,
): AsyncGenerator<Key[]> {
  let left = limit
  if (left === 0) return
  for await (const some of source) {
    const fitting = filter === undefined ? some : some.filter((key) => filter(key, api))
    yield fitting.slice(0, left)
    left -= fitting.length
    if (left <= 0) return
  }
}

async function all(keys: Selected): Promise<Key[]> {
  const collected: Key[] = []
  for await (const some of keys) for (const key of some) collected.push(key)
  return collected
}

function printJson(apiKeys: Key[], out: Output): void {
  out.result({ apiKeys }, () => toJson({ apiKeys }, 2))
}

const csvColumns = ['id', 'name', 'type', 'status', 'access', 'createdAt', 'lastUsedAt', 'revokedAt'] as const

async function printCsv(keys: Selected, out: Output): Promise<void> {
  const { csvRow } = await import('../ui/csv.ts')
  await out.line(csvRow(csvColumns))
  for await (const some of keys) {
    await out.lines(some.map((key) => csvRow(csvColumns.map((column) => key[column]))))
  }
}

async function printTable(context: Context, keys: Key[], inputs: ListInputs): Promise<void> {
  const { out } = context
  const filters = ['type', 'status', 'name', 'olderThan', 'unusedFor', 'limit'] as const
  const filtered = filters.some((name) => inputs[name] !== undefined)
  if (keys.length === 0) {
    return out.say(
      filtered ? 'no key fits' : 'no keys yet; create one: pictify-keys create "Production Server"',
    )
  }
  const [{ keyTable }, api] = await Promise.all([import('../ui/keys.ts'), context.api()])
  out.result({ apiKeys: keys }, ({ apiKeys }) => keyTable(apiKeys, api.now(), out))
  if (filtered || (await context.credential()).source.kind !== 'keychain') return
  await (await import('./complete-keys.ts')).noteKnownKeys(context, keys)
}

import type { Client, Key, Usage } from '../api/contract.ts'
import { hasCode } from '../errors.ts'
import { defineCommand } from './command.ts'
import { findKeys } from './chosen-keys.ts'

/** As many at once as the client has pages in flight: quick, and far from any rate limit. */
const atOnce = 6

export const usage = defineCommand({
  name: 'usage',
  summary: 'what keys do: requests, errors, latency',
  args: [
    { name: 'keys', summary: 'key ids or names; all active keys when left out', optional: true, many: true },
  ],
  examples: ['pictify-keys usage', 'pictify-keys usage "Production Server" --json'],

  async run(context, { keys: named }) {
    const { out, signal } = context
    const api = await context.api()
    const keys = named.length > 0 ? await findKeys(api, named, signal) : await activeKeys(api, signal)
    if (keys.length === 0 && !out.json) return out.say('no active keys, so nothing is used')
    const found: { key: Key; usage: Usage }[] = []
    for (let start = 0; start < keys.length; start += atOnce) {
      const batch = keys.slice(start, start + atOnce)
      const answers = await Promise.all(batch.map((key) => usageOf(api, key, named.length === 1, signal)))
      for (const [index, key] of batch.entries()) {
        const answer = answers[index]
        if (answer) found.push({ key, usage: answer })
        else out.warn(`there are no figures for ${key.name} (${key.id})`)
      }
    }
    const { usageCard, usageTable } = await import('../ui/usage.ts')
    const data = { usage: found.map((each) => ({ ...each.usage, name: each.key.name })) }
    out.result(data, (safe) => {
      const [only] = safe.usage
      if (only && named.length === 1) return usageCard(only, api.now(), out)
      return safe.usage.length === 0 ? '' : usageTable(safe.usage, api.now(), out)
    })
  },
})

async function activeKeys(api: Client, signal: AbortSignal): Promise<Key[]> {
  const keys: Key[] = []
  for await (const key of api.keys.list({ status: 'active' }, { signal })) keys.push(key)
  return keys
}

/** Undefined where the API has none: the key is gone by now, or it keeps no figures of it. */
async function usageOf(
  api: Client,
  key: Key,
  only: boolean,
  signal: AbortSignal,
): Promise<Usage | undefined> {
  try {
    return await api.keys.usage(key.id, { signal })
  } catch (error) {
    if (!only && hasCode(error, 'api-key-not-found')) return undefined
    throw error
  }
}

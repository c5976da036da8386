import type { Client, Key } from '../api/contract.ts'
import { keyFacts } from '../api/key-facts.ts'
import type { Context } from '../context.ts'
import { KeysError } from '../errors.ts'
import { answersTo } from '../rotation/marked-name.ts'

/** So many are told; more would not help. */
const mostTold = 3

/**
 * Warns where active keys have a name that another one is about to get: the API takes it, and none of them can be named by
 * it then. `own` is the id of that other one, `active` the active keys where they are known.
 */
export async function warnOfNamesakes(
  { out, signal }: Context,
  api: Client,
  name: string,
  { own, active }: { own?: string; active?: readonly Key[] | undefined } = {},
): Promise<void> {
  const namesakes: Key[] = []
  try {
    for await (const key of active ?? api.keys.list({ status: 'active' }, { signal })) {
      if (key.id !== own && (key.name === name || answersTo(key.name, name))) namesakes.push(key)
    }
  } catch (error) {
    // what was asked for needs no list; where the API fails altogether, that says so
    if (!(error instanceof KeysError) || error.code === 'interrupted') throw error
    out.debug(`whether another key has the name is not known: ${error.message}`)
  }
  if (namesakes.length === 0) return
  const told = namesakes.slice(0, mostTold).map((key) => `${key.id} (${keyFacts(key, api.now())})`)
  const more = namesakes.length > told.length ? ` and ${namesakes.length - told.length} more` : ''
  const have = namesakes.length === 1 ? 'has' : 'have'
  out.warn(
    `${told.join(', ')}${more} ${have} the name "${name}" already: only by their ids are they told apart`,
  )
}

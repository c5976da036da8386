import type { Client } from '../api/contract.ts'
import { passedOverIn } from '../audit/passed-over.ts'
import type { Known, SearchedTree, TreeSecret } from '../audit/survey.ts'
import type { TreeOptions, TreePlace } from '../audit/tree.ts'
import type { Context } from '../context.ts'
import type { RuleSettings } from '../fleet/fleet.ts'
import type { Secret } from '../secret.ts'
import { systemCode, systemReason } from '../system-error.ts'
import { loadNameGlobs } from './name-glob.ts'

export interface TreeScope extends Pick<TreeOptions, 'onProgress'> {
  /** What the keys file says of the rule. */
  settings: RuleSettings
  /** The API is asked whether what was found still works, and whose it is. */
  probe: boolean
}

type Answer = Pick<TreeSecret, 'isOwn' | 'ownVariable' | 'probe' | 'keyId'>

/** The secrets in files of the working tree, without the secrets. */
export async function readTree(
  context: Context,
  api: Client,
  { settings: { ignore = [] }, probe, onProgress }: TreeScope,
): Promise<Known<SearchedTree>> {
  const { cwd, env, signal, out } = context
  const [{ searchTree }, { GitError }] = await Promise.all([
    import('../audit/tree.ts'),
    import('../audit/tree-git.ts'),
  ])
  const globs = ignore.length === 0 ? [] : ignore.map(await loadNameGlobs())
  const isIgnored = (file: string) => globs.some((fits) => fits(file))
  try {
    const { places, ...searched } = await searchTree({ cwd, env, isIgnored, signal, onProgress })
    for (const passedOver of passedOverIn(searched)) out.warn(passedOver)
    const ask = askOnce(context, api, probe)
    const secrets: TreeSecret[] = []
    for (const place of places) secrets.push(shown(place, await ask(place.secret)))
    return { known: true, value: { ...searched, secrets } }
  } catch (error) {
    if (error instanceof GitError) return { known: false, why: error.message }
    if (systemCode(error) === undefined) throw error
    return { known: false, why: `the working tree cannot be read: ${systemReason(error)}` }
  }
}

function shown({ secret, ...place }: TreePlace, answer: Answer): TreeSecret {
  return { ...place, masked: secret.hint, ...answer }
}

/** Each distinct secret is asked about once, one after the other, as its own rate limit allows. */
function askOnce(
  { credential, signal }: Context,
  api: Client,
  probe: boolean,
): (secret: Secret) => Promise<Answer> {
  const known = new Map<string, Answer>()
  return async (secret) => {
    const id = secret.fingerprint('tree', 64)
    const before = known.get(id)
    if (before !== undefined) return before
    const own = await credential()
    const isOwn = secret.equals(own.secret)
    const ownVariable = isOwn && own.source.kind === 'environment' ? own.source.variable : undefined
    const works = probe ? await api.probe(secret, { signal }) : undefined
    const keyId = works === 'accepted' ? await api.whose(secret, { signal }) : undefined
    const answer = { isOwn, ownVariable, probe: works, keyId }
    known.set(id, answer)
    return answer
  }
}

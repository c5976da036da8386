// Rules of this file:
// - it knows GitHub's calls for one Actions secret, and nothing of targets and of who else writes there.
import { KeysError } from '../errors.ts'
import type { GitHubAccount } from './github-account.ts'
import { createGitHub, field, object } from './github-api.ts'
import type { GitHubPlace } from './github-place.ts'
import { refusal } from './refusal.ts'
import type { StoreAnswer } from './store-request.ts'
import type { TargetDeps } from './target.ts'

/** All that GitHub shows of a secret. Instants as it writes them. */
export interface Metadata {
  createdAt: string
  updatedAt: string
  /** Of an organization's secret: `all`, `private` or `selected`. */
  visibility: string | undefined
}

export interface PublicKey {
  key: string
  keyId: string
  /** Of the token, where it has any: `repo, admin:org`. */
  scopes: string | null
}

export interface SecretClient {
  repository(signal: AbortSignal): Promise<{ archived: boolean; permissions: Record<string, unknown> }>
  /** Throws `target-refused` where the place itself is not there. */
  publicKey(signal: AbortSignal): Promise<PublicKey>
  /** Undefined: there is no such secret, or no right to see it: whether its place is seen is for `publicKey` to tell. */
  metadata(signal: AbortSignal): Promise<Metadata | undefined>
  /** What a write has to say again, so that it stays as it is: whom an organization's secret is for. */
  settings(now: Metadata | undefined, signal: AbortSignal): Promise<object>
  /** Answers 201 where it made the secret, 204 where it was there, 422 where it does not take the box. Safe to repeat. */
  put(body: object, signal: AbortSignal): Promise<StoreAnswer>
  /** False: GitHub says that there is none, which it also says to who may not delete it. */
  remove(signal: AbortSignal): Promise<boolean>
}

const perPage = 100

/** Every call throws as `Target.write` says. */
export function createSecretClient({
  name,
  account,
  place,
  deps,
}: {
  name: string
  account: GitHubAccount
  place: GitHubPlace
  deps: TargetDeps
}): SecretClient {
  const { secrets, secretName, label, repository } = place
  const api = createGitHub({ name, account, needs: place.needs.words, deps })
  const path = `${secrets}/${secretName}`
  const thing = `secret ${secretName} in ${label}`

  /** The object that an answer holds, with texts under these names. */
  function json<Name extends string>({ text }: StoreAnswer, ...names: Name[]) {
    const body = object(text)
    if (body && names.every((each) => typeof body[each] === 'string')) {
      return body as Record<Name, string> & Record<string, unknown>
    }
    throw new KeysError('target-failed', `${name}: what answers at ${account.host} is not GitHub's API`, {
      hint: 'see GH_HOST and GITHUB_API_URL, and whether a proxy is in between',
    })
  }

  /** The repositories that an organization's secret is for, all of them. */
  async function selected(signal: AbortSignal): Promise<number[]> {
    const ids: number[] = []
    for (let page = 1; ; page++) {
      const query = `?per_page=${perPage}&page=${page}`
      const body = json(await api.ask({ method: 'GET', path: `${path}/repositories${query}`, thing }, signal))
      const repositories = Array.isArray(body['repositories'])
        ? (body['repositories'] as { id: number }[])
        : []
      ids.push(...repositories.map(({ id }) => id))
      const missing = Number(body['total_count']) - ids.length
      if (missing <= 0) return ids
      if (repositories.length > 0) continue
      throw refusal(
        `${name}: ${missing} of the repositories that it is for cannot be seen, and would lose it`,
        `give ${account.variable} a token that sees them all`,
      )
    }
  }

  return {
    async repository(signal) {
      const of = { path: repository ?? '', thing: place.repositoryLabel ?? '' }
      const { archived, permissions } = json(await api.ask({ method: 'GET', ...of }, signal), 'full_name')
      return { archived: archived === true, permissions: { ...(permissions as object | undefined) } }
    },

    async publicKey(signal) {
      const answer = await api.ask({ method: 'GET', path: `${secrets}/public-key`, thing: label }, signal)
      const { key, key_id: keyId } = json(answer, 'key', 'key_id')
      return { key, keyId, scopes: answer.headers.get('x-oauth-scopes') }
    },

    async metadata(signal) {
      const answer = await api.ask({ method: 'GET', path, thing, also: [404] }, signal)
      if (answer.status === 404) return undefined
      const { created_at: createdAt, updated_at: updatedAt } = json(answer, 'created_at', 'updated_at')
      return { createdAt, updatedAt, visibility: field(answer.text, 'visibility') }
    },

    async settings(now, signal) {
      if (repository !== undefined) return {}
      const visibility = now?.visibility ?? 'private'
      return visibility === 'selected'
        ? { visibility, selected_repository_ids: await selected(signal) }
        : { visibility }
    },

    put: (body, signal) => api.ask({ method: 'PUT', path, body, thing: label, also: [422] }, signal),

    async remove(signal) {
      return (await api.ask({ method: 'DELETE', path, thing, also: [404] }, signal)).status !== 404
    },
  }
}

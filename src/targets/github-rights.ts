import type { GitHubAccount } from './github-account.ts'
import type { GitHubPlace } from './github-place.ts'
import type { SecretClient } from './github-secret.ts'
import { refusal } from './refusal.ts'

/**
 * Looks at what GitHub tells of the right to write there, changing nothing. Throws `target-refused` where there is none;
 * returns what it could not prove, a sentence each.
 */
export async function unprovedRights(
  {
    name,
    account,
    place,
    client,
  }: { name: string; account: GitHubAccount; place: GitHubPlace; client: SecretClient },
  signal: AbortSignal,
): Promise<string[]> {
  const { host, variable } = account
  const { scope, words } = place.needs
  const repository = place.repository === undefined ? undefined : await client.repository(signal)
  if (repository?.archived) {
    throw refusal(`${name}: ${place.repositoryLabel} is archived`, 'unarchive it, or name another')
  }
  const scopes = scopesOf(account, (await client.publicKey(signal)).scopes)
  // what a token with permissions of its own may do, it alone knows
  if (scopes === undefined) {
    return [`that the token in ${variable} may write cannot be proved before it does; it needs ${words}`]
  }
  if (!scopes.includes(scope)) {
    throw refusal(
      `${name}: the token in ${variable} has the scopes ${scopes.join(', ') || '(none)'} and lacks ${scope}`,
      `make one that has it, or where gh is signed in: gh auth refresh --hostname ${host} --scopes ${scope}`,
    )
  }
  if (repository?.permissions['push'] === false) {
    throw refusal(
      `${name}: the token's owner may not write to ${place.repositoryLabel}`,
      'ask for the role write',
    )
  }
  if (place.environment !== undefined && repository?.permissions['admin'] === false) {
    return [`the token's owner is no admin of ${place.repositoryLabel}, and an environment may want one`]
  }
  return []
}

/** Of a token that has scopes. Apps' tokens are told of with an empty list too, and have none. */
function scopesOf({ token }: GitHubAccount, header: string | null): string[] | undefined {
  const scopes = header?.split(',').flatMap((scope) => scope.trim() || [])
  const isClassic = /^(gh[op]_|[0-9a-f]{40}$)/.test(token ?? '')
  return scopes?.length || isClassic ? (scopes ?? []) : undefined
}

import { cutField, invalid } from './scheme.ts'

/** Where an Actions secret lies, as a spec names it. Paths have their segments encoded. */
export interface GitHubPlace {
  readonly scheme: 'github' | 'github-org'
  /** `acme/app`, `acme/app/production` or `acme`, in lower case as GitHub compares them. */
  readonly id: string
  /** As GitHub keeps it: in upper case. */
  readonly secretName: string
  /** What holds it, for a person: `repository acme/app`. */
  readonly label: string
  /** The path of its secrets. */
  readonly secrets: string
  /** The path of the repository; undefined for an organization. */
  readonly repository?: string
  readonly repositoryLabel?: string
  readonly environment?: string
  readonly organization?: string
  /** What a token needs: the scope of a classic one, and all of it in words. */
  readonly needs: { scope: string; words: string }
}

const repositoryUsage = 'github:<owner>/<repo>[/<environment>]#<NAME>'
const organizationUsage = 'github-org:<organization>#<NAME>'
const ownerForm = /^[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?$/

/** All behind the second slash is the environment, further slashes with it. Throws `invalid-target`. */
export function repositoryPlace(name: string, text: string): GitHubPlace {
  const { place, field } = cutField(name, text, repositoryUsage)
  const secretName = secretNameOf(name, field, repositoryUsage)
  const [owner = '', repo = '', ...rest] = place.split('/')
  const environment = rest.length === 0 ? undefined : rest.join('/')
  const isRepo = /^[A-Za-z0-9._-]+$/.test(repo) && !/^\.{1,2}$|\.git$/i.test(repo)
  if (!ownerForm.test(owner) || !isRepo) {
    throw invalid(`${name} names no repository`, `write ${repositoryUsage}`)
  }
  // in a path these would be somewhere else
  if (environment !== undefined && /^$|^\.{1,2}$/.test(environment)) {
    throw invalid(`${name} names no environment behind its second /`, `write ${repositoryUsage}`)
  }
  const repository = `/repos/${owner}/${repo}`
  const repositoryLabel = `repository ${owner}/${repo}`
  const of = { scheme: 'github', id: place.toLowerCase(), secretName, repository, repositoryLabel } as const
  if (environment === undefined) {
    const words = '"Secrets: read and write" (fine-grained), or the scope repo (classic)'
    const secrets = `${repository}/actions/secrets`
    return { ...of, label: repositoryLabel, secrets, needs: { scope: 'repo', words } }
  }
  return {
    ...of,
    label: `environment ${environment} of ${repositoryLabel}`,
    secrets: `${repository}/environments/${encodeURIComponent(environment)}/secrets`,
    environment,
    needs: {
      scope: 'repo',
      words: '"Environments: read and write" (fine-grained), or the scope repo (classic)',
    },
  }
}

/** Throws `invalid-target`. */
export function organizationPlace(name: string, text: string): GitHubPlace {
  const { place, field } = cutField(name, text, organizationUsage)
  const secretName = secretNameOf(name, field, organizationUsage)
  if (!ownerForm.test(place)) throw invalid(`${name} names no organization`, `write ${organizationUsage}`)
  return {
    scheme: 'github-org',
    id: place.toLowerCase(),
    secretName,
    label: `organization ${place}`,
    secrets: `/orgs/${place}/actions/secrets`,
    organization: place,
    needs: {
      scope: 'admin:org',
      words: '"Secrets: read and write" of the organization (fine-grained), or the scope admin:org (classic)',
    },
  }
}

function secretNameOf(name: string, field: string | undefined, usage: string): string {
  if (field === undefined) throw invalid(`${name} names no secret`, `write ${usage}`)
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(field)) {
    throw invalid(
      `${name}: "${field}" is not the name of a secret`,
      'letters, digits and _, and no digit first',
    )
  }
  if (/^GITHUB_/i.test(field)) {
    throw invalid(`${name}: GitHub keeps names that begin with GITHUB_ to itself`, 'take another name')
  }
  return field.toUpperCase()
}

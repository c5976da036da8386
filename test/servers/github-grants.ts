// What tokens of each kind may do, as GitHub's documentation has it for each call.
import type { Answer } from './github-state.ts'

export interface Grant {
  /** Of a classic token. */
  scopes?: readonly string[]
  /** Of a fine-grained token or an app's, by the names that GitHub gives them. */
  permissions?: Readonly<Record<string, 'read' | 'write'>>
  /** What its owner may do in the repository. */
  role: 'read' | 'write' | 'admin'
  /** An app's own. */
  isInstallation?: boolean
  /** The repositories that it sees, by number; all where it is not said. */
  sees?: readonly number[]
}

type Kind = 'repository' | 'environment' | 'organization'

const permissionOf: Record<Kind, string> = {
  repository: 'Repository: Secrets',
  environment: 'Repository: Environments',
  organization: 'Organization: Secrets',
}

export function allows(grant: Grant, kind: Kind, method: string, template: string): boolean {
  const isWrite = method !== 'GET'
  if (template === '/repos/{owner}/{repo}') return isClassic(grant) ? hasScope(grant, 'repo') : true
  const isRole = kind === 'organization' || grant.isInstallation === true || isEnough(grant, kind, isWrite)
  if (isClassic(grant)) return isRole && hasScope(grant, kind === 'organization' ? 'admin:org' : 'repo')
  const permission = grant.permissions?.[permissionOf[kind]]
  return isRole && (isWrite ? permission === 'write' : permission !== undefined)
}

function isEnough({ role }: Grant, kind: Kind, isWrite: boolean): boolean {
  return kind === 'environment' && isWrite ? role === 'admin' : role !== 'read'
}

const isClassic = ({ scopes }: Grant) => scopes !== undefined
const hasScope = ({ scopes }: Grant, scope: string) => scopes?.includes(scope) === true

export function refusalOf(grant: Grant): Answer {
  const message = isClassic(grant)
    ? 'Must have admin rights to Repository.'
    : `Resource not accessible by ${grant.isInstallation ? 'integration' : 'personal access token'}`
  return { status: 403, body: { message, documentation_url: 'https://docs.github.com/rest', status: '403' } }
}

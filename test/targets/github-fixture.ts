// A GitHub with a repository, an environment and an organization, each with a secret KEY that holds the old key.
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import type { Target, TargetDeps } from '../../src/targets/target.ts'
import { parseTarget } from '../../src/targets/index.ts'
import type { Grant } from '../servers/github-grants.ts'
import { authority, createGitHubServer, type GitHubServer } from '../servers/github.ts'
import { old } from './contract-fixture.ts'
import { testDeps } from './deps.ts'

export let server: GitHubServer
export let warned: string[]

/** The hooks of a suite: one server for all of it, and `acme/app` afresh for each test. */
export function useGitHub(): void {
  beforeAll(async () => {
    server = await createGitHubServer()
  })
  afterAll(() => server.close())
  beforeEach(() => {
    warned = []
    server.requests.length = 0
    server.addRepository('acme/app').archived = false
    server.addEnvironment('acme/app', 'production')
    server.addOrganization('acme')
    for (const holder of ['repos/acme/app', 'repos/acme/app/production', 'orgs/acme']) {
      server.change(holder, 'KEY', undefined)
      server.change(holder, 'KEY', old.reveal())
    }
  })
  afterEach(() => {
    expect(server.violations.splice(0)).toEqual([])
  })
}

export const repo = 'github:acme/app#KEY'
export const environment = 'github:acme/app/production#KEY'
export const organization = 'github-org:acme#KEY'
export const holders: Record<string, string> = {
  [repo]: 'repos/acme/app',
  [environment]: 'repos/acme/app/production',
  [organization]: 'orgs/acme',
}
export const classic: Grant = { role: 'admin', scopes: ['repo', 'admin:org'] }

export function target(
  spec: string,
  grant: Grant | 'expired' = classic,
  more: Partial<TargetDeps> = {},
): Target {
  const isFine = typeof grant === 'object' && grant.permissions !== undefined
  const token = !isFine ? 'ghp_x' : grant.isInstallation ? 'ghs_x' : 'github_pat_x'
  server.grant(token, grant)
  const env = { GH_HOST: server.host, GH_ENTERPRISE_TOKEN: token, SSL_CERT_FILE: authority }
  return parseTarget(spec, testDeps('/', { env, warn: (line) => warned.push(line), ...more }))
}
export const held = (spec: string) => server.secretsOf(holders[spec] ?? '').get('KEY')
export const puts = () => server.requests.filter(({ method }) => method === 'PUT')

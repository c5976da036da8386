import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { authority, createGitHubServer, type GitHubServer } from '../servers/github.ts'
import type { Fault } from './contract-fixture.ts'
import type { OneWayStore } from './contract-one-way-store.ts'
import { describeOneWayTarget, type OneWayKind } from './contract-one-way.ts'

let server: GitHubServer
beforeAll(async () => {
  server = await createGitHubServer()
})
afterAll(async () => {
  await server.close()
})

const token = 'github_pat_AllThatIsNeeded'
const env = () => ({
  GH_HOST: server.host,
  GH_ENTERPRISE_TOKEN: token,
  SSL_CERT_FILE: authority,
})
let places = 0

/** Places of one kind, each of its own; `make` resolves to its spec without the secret, and to the server's name of it. */
function kindOf(
  make: (app: string) => { spec: string; holder: string; visibility?: string },
  failing?: () => NonNullable<OneWayStore['failing']>,
): OneWayKind {
  return {
    async place() {
      const { spec, holder, visibility } = make(`app-${++places}`)
      const more = visibility === undefined ? {} : { visibility }
      server.grant(token, {
        role: 'admin',
        permissions: {
          'Repository: Secrets': 'write',
          'Repository: Environments': 'write',
          'Organization: Secrets': 'write',
        },
      })
      return {
        spec: `${spec}#API_KEY`,
        put: async (value) => server.change(holder, 'API_KEY', value, more),
        value: async () => server.secretsOf(holder).get('API_KEY')?.value,
        others: async () => {
          const { visibility, repositories } = server.secretsOf(holder).get('API_KEY') ?? {}
          return { names: [...server.secretsOf(holder).keys()], visibility, repositories }
        },
      }
    },
    deps: () => ({ env: env() }),
    env,
    largest: { bytes: 48 * 1024, message: /49153 bytes, and GitHub takes 48 KB/ },
    store: { passTime: () => server.passTime(60_000), ...(failing && { failing: failing() }) },
  }
}

const failing = () => ({
  fail: async (fault: Fault, calls: 'all' | 'changes') => {
    const end = server.fail(fault, (method) => calls === 'all' || method !== 'GET')
    return async () => end()
  },
  loseAnswers: (count: number) => server.loseAnswers(count),
  untilHeld: () => server.untilHeld(),
  loginHint: /renew GH_ENTERPRISE_TOKEN, or sign in by gh auth login/,
})

describe('github: a repository', () => {
  describeOneWayTarget(
    kindOf((app) => {
      server.addRepository(`acme/${app}`)
      return { spec: `github:acme/${app}`, holder: `repos/acme/${app}` }
    }, failing),
  )
})

describe('github: an environment', () => {
  describeOneWayTarget(
    kindOf((app) => {
      server.addRepository(`acme/${app}`)
      server.addEnvironment(`acme/${app}`, 'eu/live #1')
      return { spec: `github:acme/${app}/eu/live #1`, holder: `repos/acme/${app}/eu/live #1` }
    }),
  )
})

describe('github-org', () => {
  describeOneWayTarget(
    kindOf((app) => {
      server.addOrganization(`org-${app}`)
      return { spec: `github-org:org-${app}`, holder: `orgs/org-${app}`, visibility: 'all' }
    }),
  )
})

test('all that was asked and answered is as GitHub describes it', () => {
  expect(server.requests.length).toBeGreaterThan(50)
  expect(server.violations).toEqual([])
})

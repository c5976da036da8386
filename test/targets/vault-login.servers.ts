// Who is signed in to Vault, and how: given logins, AppRole, Kubernetes, and how each ends.
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { parseTarget } from '../../src/targets/index.ts'
import type { TargetDeps } from '../../src/targets/target.ts'
import { certificate } from '../http-fixture.ts'
import { createFaultProxy, type FaultProxy } from '../servers/fault-proxy.ts'
import { createMount, createVault, type VaultFacts } from '../servers/vault.ts'
import { failure, old, successor } from './contract.ts'
import { testDeps } from './deps.ts'

const facts = inject('servers')['vault'] as VaultFacts | undefined

describe.skipIf(!facts)('vault: signing in', () => {
  const vault = createVault(facts ?? { url: '', root: '' })
  let proxy: FaultProxy
  let folder: string
  let mount: string
  let policy: string
  const warned: string[] = []
  beforeAll(async () => {
    proxy = await createFaultProxy(facts?.url ?? '')
    folder = await mkdtemp(path.join(tmpdir(), 'vault-login-'))
    mount = await createMount(vault, 2)
    policy = `path "${mount}/data/*" { capabilities = ["read", "update"] }`
    await vault.must('PUT', 'sys/policies/acl/ours', { policy })
    await vault.must('POST', `${mount}/data/app`, { data: { KEY: old.reveal(), OTHER: old.reveal() } })
  })
  afterAll(async () => {
    await proxy.close()
    await rm(folder, { recursive: true, force: true })
  })
  const target = (env: TargetDeps['env'], field = 'KEY') => {
    warned.length = 0
    const deps = testDeps('/', { warn: (line) => warned.push(line), env: { VAULT_ADDR: proxy.url, ...env } })
    return parseTarget(`vault:${mount}/app#${field}`, deps)
  }

  describe('a login that was given', () => {
    test('in a variable; that of OpenBao goes first, an empty one is none', async () => {
      const login = await vault.createToken(policy)
      await target({ VAULT_TOKEN: `${login}\n` }).check()
      await target({ BAO_TOKEN: login, VAULT_TOKEN: 'hvs.unknown' }).check()
      await target({ BAO_TOKEN: '', VAULT_TOKEN: login, BAO_ADDR: '' }).check()
      await target({ BAO_ADDR: proxy.url, VAULT_ADDR: 'https://127.0.0.1:9', VAULT_TOKEN: login }).check()
      expect(warned).toEqual([])
    })

    test('by the login command of bao, in the home folder', async () => {
      const login = await vault.createToken(policy)
      const env = { HOME: folder, BAO_ADDR: facts?.url }
      const child = promisify(execFile)(facts?.binary ?? '', ['login', '-'], { env })
      child.child.stdin?.end(login)
      await child
      await target({ HOME: folder }).check()
      // without a home nobody is signed in
      const error = await failure(target({}).check())
      expect(error.message).toMatch(/nobody is signed in to http:\/\/127\.0\.0\.1:\d+$/)
      expect(error.hint).toMatch(/^vault login, or set VAULT_TOKEN, VAULT_ROLE_ID and VAULT_SECRET_ID, or/)
    })

    test('that the server does not know', async () => {
      const error = await failure(target({ VAULT_TOKEN: 'hvs.unknown' }).check())
      expect(error.message).toContain('the login of VAULT_TOKEN is expired or not known to http://127.')
      expect(error.hint).toBe('sign in again: vault login, and set VAULT_TOKEN anew or unset it')
      await writeFile(path.join(folder, '.vault-token'), 'hvs.unknown\n')
      expect((await failure(target({ HOME: folder }).check())).hint).toBe('sign in again: vault login')
      const bao = await failure(target({ BAO_TOKEN: 'unknown' }).check())
      expect(bao.hint).toContain('sign in again: bao login, and set BAO_TOKEN')
      expect(`${error.message}${bao.message}`).not.toContain('unknown\n')
    })

    test('that may do too little: what its policy lacks', async () => {
      const reads = `path "${mount}/data/*" { capabilities = ["read"] }`
      const error = await failure(target({ VAULT_TOKEN: await vault.createToken(reads) }).check())
      expect(error.message).toContain(`the login may not update ${mount}/data/app`)
      expect(error.hint).toContain(`path "${mount}/data/app" { capabilities = ["update"] }`)
      const blind = `path "${mount}/data/app" { capabilities = ["update"] }`
      const unread = await failure(target({ VAULT_TOKEN: await vault.createToken(blind) }).check())
      expect(unread.message).toContain(`the login may not read ${mount}/data/app`)
    })

    test('that ends soon, or after a few requests: said before anything is made', async () => {
      await target({ VAULT_TOKEN: await vault.createToken(policy, { ttl: '10m' }) }).check()
      expect(warned).toEqual([expect.stringMatching(/the login ends in (10m|9m \d+s).*vault token renew/)])
      const brief = { ttl: '10m', renewable: false }
      await target({ VAULT_TOKEN: await vault.createToken(policy, brief) }).check()
      expect(warned).toEqual([expect.stringContaining('use one that lasts longer')])
      await target({ VAULT_TOKEN: await vault.createToken(policy, { num_uses: 10 }) }).check()
      expect(warned).toEqual([
        expect.stringMatching(/good for \d more requests, and a rotation may need more$/),
      ])
    })

    test('without the default policy: what could not be proved is said', async () => {
      const login = await vault.createToken(policy, { no_default_policy: true })
      await target({ VAULT_TOKEN: login }).check()
      expect(warned).toEqual([
        expect.stringContaining('whether the login may write is not proved'),
        expect.stringContaining('how long the login lasts is not known'),
      ])
      const none = await vault.createToken('path "x" { capabilities = ["read"] }', {
        no_default_policy: true,
      })
      const error = await failure(target({ VAULT_TOKEN: none }).check())
      expect(error.message).toContain('there is no mount for it, or the login has no right')
    })
  })

  describe('AppRole', () => {
    async function createRole(settings: object, at = 'approle') {
      const role = `auth/${at}/role/${randomUUID()}`
      await vault.must('POST', role, { token_policies: 'ours', token_ttl: '2h', ...settings })
      const { role_id: roleId } = (await vault.must('GET', `${role}/role-id`)).data
      const { secret_id: secretId } = (await vault.must('POST', `${role}/secret-id`)).data
      return { VAULT_ROLE_ID: roleId, VAULT_SECRET_ID: secretId }
    }
    const loginsAsked = () => proxy.requests.filter((each) => each.endsWith('/login')).length
    beforeAll(async () => {
      await vault.must('POST', 'sys/auth/approle', { type: 'approle' })
      await vault.must('POST', 'sys/auth/ci/robots', { type: 'approle' })
    })

    test('signs in once for all targets of a run, so that a secret id may be good for one login', async () => {
      const env = { VAULT_ADDR: proxy.url, ...(await createRole({ secret_id_num_uses: 1 })) }
      const before = loginsAsked()
      const deps = testDeps('/', { env })
      const both = ['KEY', 'OTHER'].map((field) => parseTarget(`vault:${mount}/app#${field}`, deps))
      await Promise.all(both.map((each) => each.check()))
      await Promise.all(both.map((each) => each.read()))
      expect(loginsAsked() - before).toBe(1)
    })

    test('at another mount', async () => {
      const env = await createRole({}, 'ci/robots')
      await target({ ...env, VAULT_APPROLE_MOUNT: 'ci/robots' }).check()
      expect(warned).toEqual([])
      expect((await failure(target(env).check())).message).toContain(
        'AppRole login of VAULT_ROLE_ID is refused',
      )
    })

    test('is made anew when it was ended, and told of when that is not possible', async () => {
      const env = await createRole({ token_ttl: '5m' })
      const it = target(env)
      await it.check()
      expect(warned).toEqual([
        expect.stringContaining('the AppRole login ends before a rotation may have ended'),
      ])
      const held = await it.read()
      await vault.must('PUT', 'sys/leases/revoke-prefix/auth/approle/login')
      const before = loginsAsked()
      await it.write(successor, held)
      expect(loginsAsked() - before).toBe(1)
      await it.restore(held, successor)

      const once = target(await createRole({ secret_id_num_uses: 1 }))
      await once.check()
      await vault.must('PUT', 'sys/leases/revoke-prefix/auth/approle/login')
      const error = await failure(once.read())
      expect(error.message).toContain('the AppRole login of VAULT_ROLE_ID is refused (400')
      expect(error.hint).toContain('vault write -f auth/approle/role/<role>/secret-id')
    })

    test('is made anew before it ends by itself', async () => {
      let now = Date.now()
      const clock = { ...systemClock, now: () => now }
      const env = { VAULT_ADDR: proxy.url, ...(await createRole({ token_ttl: '10m' })) }
      const it = parseTarget(`vault:${mount}/app#KEY`, testDeps('/', { env, clock }))
      await it.read()
      const before = loginsAsked()
      now += 8 * 60_000
      await it.read()
      expect(loginsAsked() - before).toBe(0)
      now += 2 * 60_000
      await it.read()
      expect(loginsAsked() - before).toBe(1)
    })
  })

  describe('Kubernetes', () => {
    test('signs in with the service account of the pod', async () => {
      // what the server asks the cluster: whether it knows that account
      const jwt = serviceAccountJwt()
      const reviewed: string[] = []
      const cluster = createServer((request, response) => {
        let body = ''
        request.on('data', (chunk) => (body += String(chunk)))
        request.on('end', () => {
          reviewed.push(`${request.method} ${request.url}`)
          const user = { username: 'system:serviceaccount:ci:rotator', uid: 'u-1', groups: [] }
          const isKnown = body.includes(jwt)
          response.setHeader('content-type', 'application/json')
          response.end(JSON.stringify({ status: { authenticated: isKnown, ...(isKnown && { user }) } }))
        })
      })
      await new Promise<void>((resolve) => cluster.listen(0, '127.0.0.1', resolve))
      const host = `http://127.0.0.1:${(cluster.address() as AddressInfo).port}`
      try {
        await vault.must('POST', 'sys/auth/cluster', { type: 'kubernetes' })
        await vault.must('POST', 'auth/cluster/config', {
          kubernetes_host: host,
          disable_local_ca_jwt: true,
          kubernetes_ca_cert: await readFile(certificate('ca'), 'utf8'),
          token_reviewer_jwt: jwt,
        })
        await vault.must('POST', 'auth/cluster/role/rotator', {
          bound_service_account_names: 'rotator',
          bound_service_account_namespaces: 'ci',
          token_policies: 'ours',
        })
        const file = path.join(folder, 'jwt')
        await writeFile(file, `${jwt}\n`)
        const env = { VAULT_K8S_ROLE: 'rotator', VAULT_K8S_MOUNT: 'cluster', VAULT_K8S_JWT_PATH: file }
        await target(env).check()
        expect(warned).toEqual([])
        expect(reviewed).toEqual(['POST /apis/authentication.k8s.io/v1/tokenreviews'])
        const error = await failure(target({ ...env, VAULT_K8S_ROLE: 'other' }).check())
        expect(error.message).toContain('the Kubernetes login of VAULT_K8S_ROLE is refused')
        expect(error.hint).toContain('role other is bound')
      } finally {
        cluster.close()
      }
    })

    test('outside of a pod says where it looked', async () => {
      const env = { VAULT_K8S_ROLE: 'x', VAULT_K8S_JWT_PATH: path.join(folder, 'none') }
      expect((await failure(target(env).check())).message).toContain(
        `cannot read ${folder}/none of VAULT_K8S_JWT_PATH`,
      )
    })
  })
})

/** Of a service account, unsigned: the server has the cluster look at it. */
function serviceAccountJwt(): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Math.floor(Date.now() / 1_000)
  const claims = {
    iss: 'kubernetes/serviceaccount',
    sub: 'system:serviceaccount:ci:rotator',
    iat: now - 60,
    nbf: now - 60,
    exp: now + 3_600,
    'kubernetes.io': { namespace: 'ci', serviceaccount: { name: 'rotator', uid: 'u-1' } },
  }
  return [part({ alg: 'RS256', typ: 'JWT' }), part(claims), 'c2ln'].join('.')
}

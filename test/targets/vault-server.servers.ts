// The way to Vault (TLS, proxies, nodes that do not serve), and the policies of docs/targets.md.
import { copyFile, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { Clock } from '../../src/clock.ts'
import { parseTarget } from '../../src/targets/index.ts'
import type { TargetDeps } from '../../src/targets/target.ts'
import { certificate } from '../http-fixture.ts'
import { createFaultProxy, type Answer, type FaultProxy } from '../servers/fault-proxy.ts'
import { createMount, createVault, type VaultFacts } from '../servers/vault.ts'
import { failure, old, successor } from './contract.ts'
import { hurried } from './contract-fixture.ts'
import { testDeps } from './deps.ts'

const facts = inject('servers')['vault'] as VaultFacts | undefined
const document = await readFile(new URL('../../docs/targets.md', import.meta.url), 'utf8')

describe.skipIf(!facts)('vault: the server', () => {
  const vault = createVault(facts ?? { url: '', root: '' })
  let proxy: FaultProxy
  let mount: string
  const warned: string[] = []
  beforeAll(async () => {
    proxy = await createFaultProxy(facts?.url ?? '')
    mount = await createMount(vault, 2)
    await vault.must('POST', `${mount}/data/app`, { data: { KEY: old.reveal() } })
  })
  afterAll(() => proxy.close())
  const target = (env: TargetDeps['env'], more: Partial<TargetDeps> = {}) => {
    warned.length = 0
    const own = { VAULT_TOKEN: facts?.root, ...env }
    const deps = testDeps('/', { warn: (line) => warned.push(line), env: own, ...more })
    return parseTarget(`vault:${mount}/app#KEY`, deps)
  }

  describe('TLS', () => {
    const [url, mutual] = [facts?.tlsUrl ?? '', facts?.mutualTlsUrl ?? '']
    const ca = certificate('ca')

    test('an authority that nobody here knows: says how to trust it', async () => {
      const error = await failure(target({ VAULT_ADDR: url }).check())
      expect(error).toMatchObject({ code: 'target-failed' })
      expect(error.message).toContain('is not trusted')
      expect(error.hint).toContain('trust its authority with VAULT_CACERT')
    })

    test('VAULT_CACERT, VAULT_CAPATH, VAULT_CACERT_BYTES', async () => {
      await target({ VAULT_ADDR: url, VAULT_CACERT: ca }).check()
      await target({ VAULT_ADDR: url, VAULT_CACERT_BYTES: await readFile(ca, 'utf8') }).check()
      const folder = await mkdtemp(path.join(tmpdir(), 'vault-ca-'))
      try {
        await copyFile(ca, path.join(folder, 'ours.crt'))
        await copyFile(certificate('self-signed'), path.join(folder, 'other.pem'))
        await symlink(folder, path.join(folder, '..data'))
        await target({ VAULT_ADDR: url, VAULT_CAPATH: folder }).check()
      } finally {
        await rm(folder, { recursive: true })
      }
      const other = { VAULT_ADDR: url, VAULT_CACERT: certificate('self-signed') }
      expect((await failure(target(other).check())).message).toContain('is not trusted')
    })

    test('a client certificate, where the server asks for one', async () => {
      const env = { VAULT_ADDR: mutual, VAULT_CACERT: ca }
      await failure(target(env).check())
      const [cert, key] = [certificate('localhost'), certificate('server-key')]
      await target({ ...env, VAULT_CLIENT_CERT: cert, VAULT_CLIENT_KEY: key }).check()
      const half = await failure(target({ ...env, VAULT_CLIENT_CERT: cert }).check())
      expect(half.message).toContain('only VAULT_CLIENT_CERT is set')
    })

    test('VAULT_TLS_SERVER_NAME is what the certificate must be for', async () => {
      const env = { VAULT_ADDR: url, VAULT_CACERT: ca }
      await target({ ...env, VAULT_TLS_SERVER_NAME: 'api.pictify.test' }).check()
      const wrong = await failure(target({ ...env, VAULT_TLS_SERVER_NAME: 'elsewhere.test' }).check())
      expect(wrong.message).toContain('is not for that name')
    })

    test('VAULT_SKIP_VERIFY is taken, and told of', async () => {
      await target({ VAULT_ADDR: url, VAULT_SKIP_VERIFY: 'true' }).check()
      expect(warned).toEqual([expect.stringContaining('VAULT_SKIP_VERIFY is set')])
      const odd = await failure(target({ VAULT_ADDR: url, VAULT_SKIP_VERIFY: 'maybe' }).check())
      expect(odd.message).toContain('VAULT_SKIP_VERIFY is neither true nor false')
    })

    test('a file that cannot be read, or is none', async () => {
      const missing = await failure(target({ VAULT_ADDR: url, VAULT_CACERT: '/none.pem' }).check())
      expect(missing.message).toContain('cannot read /none.pem of VAULT_CACERT')
      const readme = await failure(
        target({ VAULT_ADDR: url, BAO_CACERT: certificate('ca').replace('ca.pem', 'README.md') }).check(),
      )
      expect(readme.message).toContain('BAO_CACERT holds nothing in PEM format')
    })
  })

  describe('the address', () => {
    test('plain http to another machine is refused, unless it is meant', () => {
      const spec = 'vault:secret/app#KEY'
      const env = { VAULT_ADDR: 'http://vault.shop.svc:8200' }
      expect(() => parseTarget(spec, testDeps('/', { env }))).toThrow(
        expect.objectContaining({
          code: 'insecure-url',
          message: `${spec}: VAULT_ADDR is plain http to vault.shop.svc:8200, which would send the key in clear`,
        }),
      )
      expect(parseTarget(spec, testDeps('/', { env, insecureHttp: true })).place).toBe(
        'http://vault.shop.svc:8200/secret/app#KEY',
      )
      expect(parseTarget(spec, testDeps('/')).place).toBe('https://127.0.0.1:8200/secret/app#KEY')
    })

    test.each([
      ['vault.example.com:8200', 'does not start with https://'],
      ['unix:///run/agent.sock', 'does not start with https://'],
      ['https://', 'is not a URL'],
      ['https://me:hunter2@vault.example.com', 'has a user or a password in it'],
      ['https://vault.example.com/?a=b', 'has a query'],
    ])('%s', (address, message) => {
      const parse = () => parseTarget('vault:secret/app#KEY', testDeps('/', { env: { BAO_ADDR: address } }))
      expect(parse).toThrow(`BAO_ADDR ${message}`)
      expect(parse).not.toThrow('hunter2')
    })

    test('a proxy for the server alone goes before all others', async () => {
      const env = { VAULT_ADDR: 'http://vault.localhost:8200', HTTP_PROXY: 'http://127.0.0.1:9' }
      const before = proxy.requests.length
      // on a busy machine a request may take longer to leave than one in a hurry is waited for
      const slower: Clock['sleep'] = (ms, signal) => hurried.sleep(ms * 10, signal)
      await failure(
        target({ ...env, VAULT_PROXY_ADDR: proxy.url }, { clock: { ...hurried, sleep: slower } }).check(),
      )
      expect(proxy.requests[before]).toContain('GET http://vault.localhost:8200/v1/sys/internal/ui/mounts/')
    })
  })

  describe('a node that does not serve', () => {
    test('sealed: says who mends it, and is not asked again', async () => {
      const sealed = await createFaultProxy(facts?.sealedUrl ?? '')
      const error = await failure(target({ VAULT_ADDR: sealed.url }).check())
      await sealed.close()
      expect(error).toMatchObject({
        code: 'target-failed',
        message: expect.stringContaining('is sealed') as string,
        hint: 'whoever runs it must unseal it: vault operator unseal',
      })
      expect(sealed.requests).toHaveLength(1)
    })

    const answered = async (answer: Answer | (() => Answer | undefined), call: () => Promise<unknown>) => {
      const mend = await proxy.fail('throttled', typeof answer === 'function' ? answer : () => answer)
      try {
        return await failure(call())
      } finally {
        await mend()
      }
    }
    const json = (status: number, text = '', headers = {}) => ({
      status,
      headers,
      body: JSON.stringify({ errors: text === '' ? [] : [text] }),
    })

    test.each([
      [
        json(307, '', { location: 'https://active.test:8200/v1/x' }),
        'sends on to https://active.test:8200',
        'VAULT_ADDR',
      ],
      [json(472), 'is a secondary for disaster recovery', 'active node'],
      [json(473), 'is a performance standby', 'active node'],
      [json(501), 'is not initialized', 'active node'],
      [json(404, 'namespace not found'), '404: namespace not found', 'VAULT_NAMESPACE'],
      [json(500, 'internal error'), 'is out of order: 500: internal error', 'vault status'],
      [{ status: 404, body: '<html>not here</html>' }, 'the server answers 404', 'VAULT_ADDR'],
      [{ status: 403, body: '<html>blocked</html>' }, 'answers 403, and not as Vault does', 'a firewall'],
      [json(405, 'unsupported'), 'the server answers 405: unsupported', 'VAULT_ADDR'],
    ] satisfies [Answer, string, string][])('%j', async (answer, message, hint) => {
      const error = await answered(answer, () => target({ VAULT_ADDR: proxy.url }).check())
      expect(error.message).toContain(message)
      expect(error.hint).toContain(hint)
    })

    test.each([json(404, 'no handler for route'), { status: 404, body: '' }, { status: 404, body: '{}' }])(
      'a 404 that is not the store saying "nothing there" is not absence: %j',
      async (answer) => {
        const it = target({ VAULT_ADDR: proxy.url })
        await it.check()
        const error = await answered(answer, () => it.read())
        expect(error.message).toContain('the server answers 404')
      },
    )

    test('one that has not caught up is asked again until it has', async () => {
      const it = target({ VAULT_ADDR: proxy.url }, { clock: hurried })
      await it.check()
      let count = 0
      const lag = () => (++count < 3 ? json(412) : undefined)
      const mend = await proxy.fail('throttled', lag)
      expect((await it.read())?.value.equals(old)).toBe(true)
      await mend()
      expect(count).toBe(3)
    })

    test('the next request names how far the node must be that answers it', async () => {
      const it = target({ VAULT_ADDR: proxy.url })
      await it.read()
      const indices: unknown[] = []
      proxy.watch(({ headers }) => indices.push(headers['x-vault-index']))
      const written = { ...json(200), headers: { 'x-vault-index': 'how-far' } }
      const mend = await proxy.fail('throttled', ({ method }) => (method === 'POST' ? written : undefined))
      await it.write(successor, { value: old })
      await mend()
      // one that it never gave out it does not take
      expect((await failure(it.read())).message).toContain('X-Vault-Index')
      expect(indices).toEqual([undefined, undefined, 'how-far'])
    })
  })

  describe('the policies of the documentation', () => {
    const section = document.slice(document.indexOf('## HashiCorp Vault'), document.indexOf('## Kubernetes'))
    const policies = [...section.matchAll(/```hcl\n([^]*?)```/g)].map(([, text]) => text ?? '')
    const [v2 = '', v2Create = '', v1 = '', v1Create = ''] = policies
    beforeAll(async () => {
      // the mounts that the policies are written for; a server in development mode has the first
      await vault.must('POST', 'sys/mounts/kv', { type: 'kv', options: { version: '1' } })
    })

    test('are four', () => {
      expect(policies).toHaveLength(4)
    })

    test.each([
      { what: 'KV v2', policy: v2, spec: 'vault:secret/app#KEY', data: 'secret/data/app' },
      { what: 'KV v1', policy: v1, spec: 'vault:kv/app#KEY', data: 'kv/app' },
    ])('$what: enough to change what is there, and not to make it', async ({ policy, spec, data }) => {
      await vault.ask('DELETE', data.replace('/data/', '/metadata/'))
      const env = { VAULT_ADDR: facts?.url, VAULT_TOKEN: await vault.createToken(policy) }
      const deps = testDeps('/', { env, warn: (line) => warned.push(line), createTarget: true })
      const it = parseTarget(spec, deps)
      expect((await failure(it.check())).message).toMatch(
        /the login may not create( or delete)? (secret|kv)\//,
      )
      const fields = { KEY: old.reveal(), user: 'shop' }
      await vault.must('POST', data, data.startsWith('kv') ? fields : { data: fields })
      warned.length = 0
      await it.check()
      expect(warned.filter((line) => !line.includes('KV v1'))).toEqual([])
      const held = await it.read()
      await it.write(successor, held)
      await it.restore(held, successor)
      expect((await it.read())?.value.equals(old)).toBe(true)
    })

    test.each([
      { what: 'KV v2', policy: v2Create, spec: 'vault:secret/app#KEY', data: 'secret/metadata/app' },
      { what: 'KV v1', policy: v1Create, spec: 'vault:kv/app#KEY', data: 'kv/app' },
    ])('$what with --create-target: enough to make it and take it away', async ({ policy, spec, data }) => {
      await vault.ask('DELETE', data)
      const env = { VAULT_ADDR: facts?.url, VAULT_TOKEN: await vault.createToken(policy) }
      const it = parseTarget(spec, testDeps('/', { env, createTarget: true }))
      for (const round of ['made', 'made again']) {
        await it.check()
        await it.write(successor, undefined)
        expect([round, (await it.read())?.value.equals(successor)]).toEqual([round, true])
        await it.restore(undefined, successor)
        expect(await it.read()).toBeUndefined()
      }
    })

    test('an AppRole with the first of them is enough', async () => {
      const [, settings = ''] = /auth\/approle\/role\/pictify-keys (.*)/.exec(section) ?? []
      expect(settings).toContain('token_policies=pictify-keys')
      await vault.ask('DELETE', 'secret/metadata/app')
      await vault.must('POST', 'secret/data/app', { data: { KEY: old.reveal() } })
      await vault.must('POST', 'sys/auth/documented', { type: 'approle' })
      await vault.must('PUT', 'sys/policies/acl/pictify-keys', { policy: v2 })
      const role = 'auth/documented/role/pictify-keys'
      await vault.must('POST', role, Object.fromEntries(settings.split(' ').map((each) => each.split('='))))
      const env = {
        VAULT_ADDR: facts?.url,
        VAULT_APPROLE_MOUNT: 'documented',
        VAULT_ROLE_ID: (await vault.must('GET', `${role}/role-id`)).data.role_id,
        VAULT_SECRET_ID: (await vault.must('POST', `${role}/secret-id`)).data.secret_id,
      }
      warned.length = 0
      const it = parseTarget(
        'vault:secret/app#KEY',
        testDeps('/', { env, warn: (line) => warned.push(line) }),
      )
      await it.check()
      expect(warned).toEqual([])
      const held = await it.read()
      await it.write(successor, held)
      await it.restore(held, successor)
      expect((await it.read())?.value.equals(old)).toBe(true)
    })
  })
})

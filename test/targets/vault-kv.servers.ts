// What is special to KV stores: fields that are not ours, versions, check-and-set, what counts as absent.
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { parseTarget } from '../../src/targets/index.ts'
import type { TargetDeps } from '../../src/targets/target.ts'
import { createFaultProxy, type FaultProxy } from '../servers/fault-proxy.ts'
import { createMount, createVault, type VaultFacts } from '../servers/vault.ts'
import { failure, old, successor, third } from './contract.ts'
import { testDeps } from './deps.ts'

interface AuditEntry {
  type: string
  auth?: { display_name?: string }
  request: { operation: string; path: string }
}

const facts = inject('servers')['vault'] as VaultFacts | undefined

describe.skipIf(!facts)('vault', () => {
  const vault = createVault(facts ?? { url: '', root: '' })
  let proxy: FaultProxy
  let v2: string
  let v1: string
  const warned: string[] = []
  beforeAll(async () => {
    proxy = await createFaultProxy(facts?.url ?? '')
    v2 = await createMount(vault, 2)
    v1 = await createMount(vault, 1)
  })
  afterAll(() => proxy.close())
  const target = (spec: string, more: Partial<TargetDeps> = {}) => {
    const env = { VAULT_ADDR: proxy.url, VAULT_TOKEN: facts?.root }
    return parseTarget(spec, testDeps('/', { env, warn: (line) => warned.push(line), ...more }))
  }
  /** The text of a secret's fields as the server gives it, the value of the key aside. */
  const textOf = async (path: string) =>
    /"data":(\{(?:"data":\{)?[^]*?\}\}?)[,}]/
      .exec((await vault.ask('GET', path)).text)?.[1]
      ?.replace(/pk_live_\w+/, '…')
  const isWrite = ({ method }: { method?: string | undefined }) => method === 'POST'

  describe('other fields', () => {
    const numbers = '"big":12345678901234567890,"exact":0.1000,"exp":1E5,"minus":-0'
    const texts = '"text":"<&> \\u0001 é \\u2028 \\"","list":[1.50,{"a":null}],"ttl":"1h"'

    test('of KV v1 keep every digit', async () => {
      await vault.must('POST', `${v1}/numbers`, `{${numbers},"KEY":"${old.reveal()}",${texts}}`)
      const before = await textOf(`${v1}/numbers`)
      expect(before).toContain('12345678901234567890')
      const it = target(`vault:${v1}/numbers#KEY`)
      const held = await it.read()
      await it.write(successor, held)
      expect(await textOf(`${v1}/numbers`)).toBe(before)
      await it.restore(held, successor)
      expect(await textOf(`${v1}/numbers`)).toBe(before)
    })

    test('of KV v2 are what every reader was given before', async () => {
      const data = `{${numbers},"KEY":"${old.reveal()}",${texts}}`
      await vault.must('POST', `${v2}/data/numbers`, `{"data":${data}}`)
      const fields = async () => ({
        ...(await vault.must('GET', `${v2}/data/numbers`)).data.data,
        KEY: undefined,
      })
      const [before, text] = [await fields(), (await vault.ask('GET', `${v2}/data/numbers`)).text]
      const it = target(`vault:${v2}/numbers#KEY`)
      await it.write(successor, await it.read())
      expect(await fields()).toEqual(before)
      const digits = (of: string) => /"big":[^,}]+/.exec(of)?.[0]
      expect(digits((await vault.ask('GET', `${v2}/data/numbers`)).text)).toBe(digits(text))
    })

    test('that somebody changes while our write is on its way stay changed, and ours is written', async () => {
      const put = (port: number, key: string) =>
        vault.must('POST', `${v2}/data/both`, { data: { port, KEY: key } })
      await put(1, old.reveal())
      const it = target(`vault:${v2}/both#KEY`)
      const held = await it.read()
      proxy.beforeNext(isWrite, async () => void (await put(2, old.reveal())))
      await it.write(successor, held)
      const { data } = (await vault.must('GET', `${v2}/data/both`)).data
      expect(data).toEqual({ port: 2, KEY: successor.reveal() })
    })

    test('the same value written by another meanwhile is no conflict', async () => {
      const path = `${v2}/data/same`
      await vault.must('POST', path, { data: { KEY: old.reveal() } })
      const it = target(`vault:${v2}/same#KEY`)
      const held = await it.read()
      const write = () => vault.must('POST', path, { data: { KEY: successor.reveal() } })
      proxy.beforeNext(isWrite, async () => void (await write()))
      await it.write(successor, held)
      expect((await vault.must('GET', path)).data.metadata?.version).toBe(2)
    })
  })

  describe('KV v1', () => {
    test('what somebody changes right before our write stays changed, and ours is written', async () => {
      await vault.must('POST', `${v1}/before`, { KEY: old.reveal(), port: 1 })
      const it = target(`vault:${v1}/before#KEY`)
      const held = await it.read()
      const isRead = ({ method }: { method?: string | undefined }) => method === 'GET'
      const theirs = async () =>
        void (await vault.must('POST', `${v1}/before`, { KEY: old.reveal(), port: 2 }))
      // after our first look, before our last
      proxy.beforeNext(isRead, async () => proxy.beforeNext(isRead, theirs))
      await it.write(successor, held)
      const { data } = await vault.must('GET', `${v1}/before`)
      expect(data).toEqual({ KEY: successor.reveal(), port: 2 })
      expect(proxy.requests.filter((each) => each === `POST /v1/${v1}/before`)).toHaveLength(1)
    })

    test('a write that comes right after ours wins', async () => {
      await vault.must('POST', `${v1}/after`, { KEY: old.reveal() })
      const it = target(`vault:${v1}/after#KEY`)
      const held = await it.read()
      proxy.beforeNext(isWrite, async () => {
        const theirs = () => vault.must('POST', `${v1}/after`, { KEY: third.reveal() })
        proxy.beforeNext(
          ({ method }) => method === 'GET',
          async () => void (await theirs()),
        )
      })
      expect((await failure(it.write(successor, held))).code).toBe('target-changed')
      expect((await vault.must('GET', `${v1}/after`)).data['KEY']).toBe(third.reveal())
    })

    test('that it has no check-and-set is told of', async () => {
      await vault.must('POST', `${v1}/told`, { KEY: old.reveal() })
      warned.length = 0
      await target(`vault:${v1}/told#KEY`).check()
      expect(warned).toEqual([expect.stringContaining('is KV v1, which has no check-and-set')])
      await vault.must('POST', `${v2}/data/told`, { data: { KEY: old.reveal() } })
      warned.length = 0
      await target(`vault:${v2}/told#KEY`).check()
      expect(warned).toEqual([])
    })
  })

  describe('KV v2', () => {
    test.each(['delete', 'destroy'])('after a %s of the latest version it counts as absent', async (verb) => {
      const spec = `vault:${v2}/gone-${verb}#KEY`
      await vault.must('POST', `${v2}/data/gone-${verb}`, { data: { KEY: old.reveal() } })
      await vault.must('POST', `${v2}/${verb}/gone-${verb}`, { versions: [1] })
      expect(await target(spec).read()).toBeUndefined()
      const error = await failure(target(spec).check())
      expect(error.message).toContain('is deleted')
      await target(spec, { createTarget: true }).check()
      await target(spec).write(successor, undefined)
      expect((await target(spec).read())?.value.equals(successor)).toBe(true)
      await target(spec).restore(undefined, successor)
      expect(await target(spec).read()).toBeUndefined()
    })

    test('a secret without any field is that again when undone', async () => {
      await vault.must('POST', `${v2}/data/empty`, { data: {} })
      const it = target(`vault:${v2}/empty#KEY`)
      await it.write(successor, undefined)
      await it.restore(undefined, successor)
      expect((await vault.must('GET', `${v2}/data/empty`)).data.data).toEqual({})
    })

    test('where check-and-set is required, and one version is kept', async () => {
      const settings = { cas_required: true, max_versions: 1, custom_metadata: { owner: 'ops' } }
      await vault.must('POST', `${v2}/metadata/strict`, settings)
      await vault.must('POST', `${v2}/data/strict`, { options: { cas: 0 }, data: { KEY: old.reveal() } })
      const it = target(`vault:${v2}/strict#KEY`)
      await it.check()
      const held = await it.read()
      await it.write(successor, held)
      await it.restore(held, successor)
      const { data, metadata } = (await vault.must('GET', `${v2}/data/strict`)).data
      expect(data).toEqual({ KEY: old.reveal() })
      expect(metadata).toMatchObject({ version: 3, custom_metadata: { owner: 'ops' } })
      expect((await vault.must('GET', `${v2}/metadata/strict`)).data).toMatchObject(settings)
    })

    test('an undo of what was made does not hit what somebody wrote meanwhile', async () => {
      const spec = `vault:${v2}/meanwhile#KEY`
      await target(spec).write(successor, undefined)
      const theirs = () => vault.must('POST', `${v2}/data/meanwhile`, { data: { KEY: third.reveal() } })
      proxy.beforeNext(isWrite, async () => void (await theirs()))
      expect((await failure(target(spec).restore(undefined, successor))).code).toBe('target-changed')
      expect((await target(spec).read())?.value.equals(third)).toBe(true)
    })

    test('is found in a mount of several parts, and in the namespace that is named', async () => {
      const name = 'vault:team/kv/deep/app#KEY'
      await vault.must('POST', 'sys/mounts/team/kv', { type: 'kv-v2' })
      await vault.must('POST', 'sys/namespaces/shop')
      await vault.must('POST', 'sys/mounts/team/kv', { type: 'kv-v2' }, 'shop')
      for (const namespace of [undefined, 'shop']) {
        const env = { VAULT_ADDR: proxy.url, VAULT_TOKEN: facts?.root, VAULT_NAMESPACE: namespace }
        const it = target(name, { env, createTarget: true })
        await it.check()
        await it.write(namespace === undefined ? old : successor, undefined)
      }
      const value = async (namespace?: string) =>
        (await vault.must('GET', 'team/kv/data/deep/app', undefined, namespace)).data.data?.['KEY']
      expect([await value(), await value('shop')]).toEqual([old.reveal(), successor.reveal()])
      expect(target(name).place).toBe(`${proxy.url}/team/kv/deep/app#KEY`)
    })
  })

  describe('refused', () => {
    test.each([
      ['vault:secret/app', 'does not say which field holds the key', 'vault:secret/app#PICTIFY_API_KEY'],
      ['vault:secret#KEY', 'is not the path of a secret', 'vault:<mount>/<path>#<field>'],
      ['vault:/secret/app#KEY', 'is not the path of a secret', 'no slash before'],
      ['vault:secret/../app#KEY', 'is not the path of a secret', ''],
      ['vault:secret/app#', 'names nothing behind its #', ''],
    ])('%s', (spec, message, hint) => {
      expect(() => target(spec)).toThrow(message)
      expect(() => target(spec)).toThrow(
        expect.objectContaining({ code: 'invalid-target', hint: expect.stringContaining(hint) as string }),
      )
    })

    test('a field that is not a string', async () => {
      await vault.must('POST', `${v2}/data/number`, { data: { KEY: 1 } })
      const error = await failure(target(`vault:${v2}/number#KEY`).check())
      expect(error).toMatchObject({ code: 'target-refused' })
      expect(error.message).toContain('the field KEY is not a string')
    })

    test('what is not there: with what may have been meant', async () => {
      await vault.must('POST', `${v2}/data/near`, { data: { API_KEY: 'x', USER: 'y' } })
      expect(await failure(target(`vault:${v2}/near#KEY`).check())).toMatchObject({
        message: `vault:${v2}/near#KEY: ${v2}/near has no field KEY`,
        hint: expect.stringContaining('it has API_KEY, USER; ') as string,
      })
      expect((await failure(target(`vault:${v2}/data/near#KEY`).check())).hint).toContain(
        `did you mean vault:${v2}/near#KEY?`,
      )
    })

    test('a mount that is not there, or is none of values', async () => {
      const missing = await failure(target('vault:nowhere/app#KEY').check())
      expect(missing.message).toContain('there is no mount for it, or the login has no right')
      expect(missing.hint).toContain('path "nowhere/data/app" (KV v2) or "nowhere/app" (KV v1)')
      const other = await failure(target('vault:cubbyhole/app#KEY').check())
      expect(other.message).toContain('cubbyhole/ is of the kind cubbyhole')
      const mount = await failure(target('vault:team/kv#KEY').check())
      expect(mount.message).toContain('team/kv is a mount, and no secret in it')
    })

    test('what the server says of a value it does not take', async () => {
      await vault.must('POST', `${v2}/data/large`, { data: { KEY: old.reveal() } })
      const it = target(`vault:${v2}/large#KEY`)
      const held = await it.read()
      const mend = await proxy.fail('throttled', ({ method }) =>
        method === 'POST'
          ? { status: 400, body: `{"errors":["too long: ${successor.reveal()}"]}` }
          : undefined,
      )
      const error = await failure(it.write(successor, held))
      await mend()
      expect(error.message).toContain('refuses it (400: too long: [secret])')
    })
  })

  test('a check asks for nothing that changes a secret, as the audit log has it', async () => {
    await vault.must('POST', `${v2}/data/audited`, { data: { KEY: old.reveal() } })
    const policy = `path "${v2}/*" { capabilities = ["read", "update"] }`
    const login = await vault.createToken(policy, { display_name: 'audited' })
    const before = (await readFile(facts?.audit ?? '', 'utf8')).length
    await target(`vault:${v2}/audited#KEY`, { env: { VAULT_ADDR: proxy.url, VAULT_TOKEN: login } }).check()
    const seen = (await readFile(facts?.audit ?? '', 'utf8'))
      .slice(before)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as AuditEntry)
      .filter(({ type, auth }) => type === 'request' && auth?.display_name === 'token-audited')
      .map(({ request }) => `${request.operation} ${request.path}`)
    expect(seen).toEqual([
      `read sys/internal/ui/mounts/${v2}/audited`,
      `read ${v2}/data/audited`,
      'update sys/capabilities-self',
      'read auth/token/lookup-self',
    ])
  })
})

// HashiCorp Vault and OpenBao, against a real bao server.
import { afterAll, beforeAll, describe, inject } from 'vitest'
import { createFaultProxy, type FaultProxy } from '../servers/fault-proxy.ts'
import { createMount, createPlace, createVault, throttled, type VaultFacts } from '../servers/vault.ts'
import { describeTarget } from './contract.ts'

const facts = inject('servers')['vault'] as VaultFacts | undefined

describe.skipIf(!facts)('vault', () => {
  const vault = createVault(facts ?? { url: '', root: '' })

  describe.each([2, 1] as const)('KV v%i', (kv) => {
    let proxy: FaultProxy
    let mount: string
    /** Who we are signed in as; a fault may change that. */
    let login: string
    const ours = () => ({ VAULT_ADDR: proxy.url, VAULT_TOKEN: login })
    beforeAll(async () => {
      proxy = await createFaultProxy(facts?.url ?? '')
      mount = await createMount(vault, kv)
      login = await vault.createToken(
        `path "${mount}/*" { capabilities = ["create", "read", "update", "delete"] }`,
      )
    })
    afterAll(() => proxy.close())

    describeTarget({
      place: async () => createPlace(vault, mount, kv, proxy),
      deps: () => ({ env: ours() }),
      largest: 256 * 1024,
      async fail(fault) {
        if (fault !== 'forbidden' && fault !== 'expired') return proxy.fail(fault, () => throttled(fault))
        const before = login
        login = await vault.createToken(`path "${mount}/*" { capabilities = ["read"] }`)
        if (fault === 'expired') await vault.must('POST', 'auth/token/revoke', { token: login })
        return async () => void (login = before)
      },
      loginHint: /vault login/,
      ...(kv === 2 && {
        beforeNextWrite: (change: () => Promise<void>) =>
          proxy.beforeNext(({ method, url }) => method === 'POST' && /\/data\//.test(url ?? ''), change),
      }),
      env: ours,
    })
  })
})

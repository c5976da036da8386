// What a Secret can be, what is against writing to it, and who else has a hand in it.
import { describe, expect, inject, test } from 'vitest'
import { Secret } from '../../src/secret.ts'
import { failure, old, successor } from './contract-fixture.ts'
import { mergePatch, setQuota, until, type ClusterFacts } from './kubernetes-cluster.ts'
import { base64, useSecret } from './kubernetes-fixture.ts'

const server = inject('servers')['kubernetes'] as ClusterFacts | undefined
const kubectl = inject('servers')['kubectl']

describe.skipIf(!server)('a Secret', () => {
  const { at, change, cluster, isThere, make, namespace, secret, target, warnings } = useSecret(server)

  describe('is refused by check and by write, and left as it is', () => {
    async function refused(message: RegExp, hint: RegExp, key = 'KEY'): Promise<void> {
      const { metadata } = await secret()
      const calls = [() => target({}, key).check(), () => target({}, key).write(successor, { value: old })]
      for (const call of calls) {
        const error = await failure(call())
        expect(error.code).toBe('target-refused')
        expect(error.message).toMatch(message)
        expect(error.hint).toMatch(hint)
      }
      expect((await secret()).metadata.resourceVersion).toBe(metadata.resourceVersion)
    }

    test('immutable, with the way out', async () => {
      await make({ immutable: true })
      await refused(/is immutable$/, /another secret .*kubectl replace --force$/)
    })

    test.runIf(kubectl)('and the way out is one', async () => {
      await make({ immutable: true })
      const text = await cluster().kubectl(['get', 'secret', 'app', '-n', namespace(), '-o', 'yaml'])
      await cluster().kubectl(['replace', '--force', '-f', '-'], text.replace('immutable: true\n', ''))
      await target().check()
      await target().write(successor, { value: old })
      expect((await secret()).data).toEqual({ KEY: base64(successor.reveal()), OTHER: base64('theirs') })
    })

    test('being deleted', async () => {
      await make({}, { finalizers: ['example.com/wait'] })
      await cluster().ask('DELETE', `${at()}/app`)
      await refused(/is being deleted; it waits for example.com\/wait/, /--create-target/)
      await change({ metadata: { finalizers: null } })
    })

    test('bytes that are no text', async () => {
      const { data } = await make({ data: { KEY: Buffer.from([0xff, 0xfe, 0x00]).toString('base64') } })
      await refused(/no text in UTF-8/, /holds an API key/)
      expect((await failure(target().read())).code).toBe('target-refused')
      expect((await secret()).data).toEqual(data)
    })

    test.each([
      ['kubernetes.io/tls', 'tls.key', { 'tls.key': '', 'tls.crt': '' }],
      ['kubernetes.io/dockerconfigjson', '.dockerconfigjson', { '.dockerconfigjson': base64('{}') }],
      ['kubernetes.io/ssh-auth', 'ssh-privatekey', { 'ssh-privatekey': base64('x') }],
      ['helm.sh/release.v1', 'release', { release: base64(old.reveal()) }],
      ['bootstrap.kubernetes.io/token', 'KEY', { KEY: base64(old.reveal()) }],
    ])('of the type %s', async (type, key, data) => {
      const value = data[key as keyof typeof data]
      await make({ type, data })
      const error = await failure(target({}, key).check())
      expect(error.code).toBe('target-refused')
      expect(error.message).toContain(type)
      const held = { value: new Secret(Buffer.from(value, 'base64').toString()) }
      expect((await failure(target({}, key).write(successor, held))).code).toBe('target-refused')
      expect((await secret()).data).toEqual(data)
    })

    test('a service account token', async () => {
      const { name } = await cluster().account(namespace(), [])
      const annotations = { 'kubernetes.io/service-account.name': name }
      await make({ type: 'kubernetes.io/service-account-token' }, { annotations })
      await refused(/is kept for the cluster/, /name another secret/)
    })

    test('a certificate may have a key beside it', async () => {
      await make({
        type: 'kubernetes.io/tls',
        data: { 'tls.key': '', 'tls.crt': '', KEY: base64(old.reveal()) },
      })
      await target().check()
      await target().write(successor, { value: old })
      expect((await secret()).data).toEqual({ 'tls.key': '', 'tls.crt': '', KEY: base64(successor.reveal()) })
    })
  })

  describe('cannot be made', () => {
    test('in a namespace that is not there', async () => {
      const elsewhere = (more = {}) => target(more, 'KEY', 'no-such-namespace/app')
      for (const createTarget of [true, false]) {
        const error = await failure(elsewhere({ createTarget }).check())
        expect(error.code).toBe('target-refused')
        expect(error.message).toContain('in the cluster of the context "testing"')
      }
      const error = await failure(elsewhere({ createTarget: true }).check())
      expect(error.message).toContain('there is no namespace no-such-namespace')
      expect((await failure(elsewhere().write(successor, undefined))).message).toContain(
        'there is no namespace',
      )
    })

    test('in a namespace that is being deleted; nor is one changed there', async () => {
      await make({}, { finalizers: ['example.com/wait'] })
      await cluster().ask('DELETE', `/api/v1/namespaces/${namespace()}`)
      expect((await failure(target({}, 'KEY').check())).message).toMatch(/is being deleted/)
      const other = target({ createTarget: true }, 'KEY', `${namespace()}/other`)
      expect((await failure(other.check())).message).toBe(
        `k8s:${namespace()}/other#KEY: the namespace ${namespace()} is being deleted`,
      )
      expect((await failure(other.write(successor, undefined))).message).toContain('being terminated')
      await change({ metadata: { finalizers: null } })
    })

    test('over the quota: known before anything is minted', async () => {
      await setQuota(cluster(), namespace(), { secrets: '0' })
      const error = await failure(target({ createTarget: true }).check())
      expect(error.code).toBe('target-refused')
      expect(error.message).toContain('exceeded quota: few')
      expect(await isThere()).toBe(false)
    })
  })

  test('a policy of the cluster that is against it is known before anything is minted', async () => {
    await make()
    const policies = '/apis/admissionregistration.k8s.io/v1'
    const name = `frozen-${namespace()}`
    await cluster().make(`${policies}/validatingadmissionpolicies`, {
      metadata: { name },
      spec: {
        matchConstraints: {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace() } },
          resourceRules: [
            { apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['secrets'] },
          ],
        },
        validations: [{ expression: 'object.data == oldObject.data', message: 'change freeze' }],
      },
    })
    await cluster().make(`${policies}/validatingadmissionpolicybindings`, {
      metadata: { name },
      spec: { policyName: name, validationActions: ['Deny'] },
    })
    let tries = 0
    await until(async () => {
      const body = { data: { PROBE: base64(String(tries++)) } }
      return (await cluster().ask('PATCH', `${at()}/app`, body, { type: mergePatch })).status === 422
    })
    for (const call of [() => target().check(), () => target().write(successor, { value: old })]) {
      const error = await failure(call())
      expect(error.code).toBe('target-refused')
      expect(error.message).toContain('change freeze')
    }
  })

  describe('that somebody else writes to is warned of, and is written all the same', () => {
    const managers: [string, object][] = [
      ['External Secrets', { labels: { 'reconcile.external-secrets.io/managed': 'true' } }],
      ['Helm', { annotations: { 'meta.helm.sh/release-name': 'web' } }],
      ['Argo CD', { annotations: { 'argocd.argoproj.io/tracking-id': 'web:/Secret:x/app' } }],
      ['Flux', { labels: { 'kustomize.toolkit.fluxcd.io/name': 'web' } }],
      ['Sealed Secrets', { annotations: { 'sealedsecrets.bitnami.com/managed': 'true' } }],
      ['hashicorp-vso', { labels: { 'app.kubernetes.io/managed-by': 'hashicorp-vso' } }],
      [
        'ExternalSecret/app',
        {
          ownerReferences: [
            { apiVersion: 'external-secrets.io/v1', kind: 'ExternalSecret', name: 'app', uid: 'x' },
          ],
        },
      ],
    ]
    test.each(managers)('%s', async (who, metadata) => {
      await make({}, metadata)
      await target().check()
      expect(warnings).toEqual([expect.stringContaining(`: ${who} may put another value back`)])
      await target().write(successor, { value: old })
      expect((await secret()).metadata).toMatchObject(metadata)
    })

    test.runIf(kubectl)('kubectl apply, which keeps the old value', async () => {
      const manifest = (key: string) =>
        JSON.stringify({
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: 'app' },
          stringData: { [key]: old.reveal() },
        })
      await cluster().kubectl(['apply', '-n', namespace(), '-f', '-'], manifest('OTHER'))
      await change({ data: { KEY: base64(old.reveal()) } })
      await target().check()
      expect(warnings).toEqual([])
      await cluster().kubectl(['apply', '-n', namespace(), '-f', '-'], manifest('KEY'))
      await target().check()
      expect(warnings).toEqual([
        expect.stringContaining('kubectl apply may put another value back'),
        expect.stringContaining('stays readable in its annotation'),
      ])
    })

    test.runIf(kubectl)('a server-side apply of this key, and not of another', async () => {
      const apply = (key: string, manager: string) =>
        cluster().kubectl(
          ['apply', '--server-side', '--field-manager', manager, '-n', namespace(), '-f', '-'],
          JSON.stringify({
            apiVersion: 'v1',
            kind: 'Secret',
            metadata: { name: 'app' },
            data: { [key]: base64(old.reveal()) },
          }),
        )
      await apply('OTHER', 'neighbour')
      await apply('KEY', 'gitops')
      await target().check()
      expect(warnings).toEqual([expect.stringContaining(': gitops (server-side apply) may put')])
      const entryOf = async (who: string) =>
        (await secret()).metadata.managedFields?.find(({ manager }) => manager === who)
      const before = await entryOf('neighbour')
      await target().write(successor, { value: old })
      expect(await entryOf('neighbour')).toEqual(before)
      expect(JSON.stringify(await entryOf('pictify-keys'))).toContain('f:KEY')
    })
  })

  test.runIf(kubectl)('kubectl finds what was written, byte for byte', async () => {
    const value = 'pk_live_grüße\n"$HOME"\ufeff'
    await make()
    await target().write(new Secret(value), { value: old })
    const path = 'jsonpath={.data.KEY}'
    const found = await cluster().kubectl(['get', 'secret', 'app', '-n', namespace(), '-o', path])
    expect(Buffer.from(found, 'base64').toString()).toBe(value)
    await cluster().kubectl([
      'create',
      'secret',
      'generic',
      'two',
      '-n',
      namespace(),
      `--from-literal=KEY=\ufeff${value}`,
    ])
    const two = target({}, 'KEY', `${namespace()}/two`)
    expect((await two.read())?.value.reveal()).toBe(`\ufeff${value}`)
  })

  test('a value that is no text is not written', async () => {
    await make()
    const error = await failure(target().write(new Secret('pk_live_\ud800'), { value: old }))
    expect(error.code).toBe('target-refused')
    expect((await secret()).data?.['KEY']).toBe(base64(old.reveal()))
  })

  test('a secret that has no such key says which it has', async () => {
    await make({ data: { 'api-key': '', OTHER: '' } })
    const error = await failure(target().check())
    expect(error.message).toContain(`the secret ${namespace()}/app has no key KEY`)
    expect(error.hint).toMatch(/^it has OTHER, api-key; .*--create-target/)
  })
})

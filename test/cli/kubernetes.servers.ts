// The built program with a Secret of a real cluster, and the sandbox.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { openCluster, until, type Cluster, type ClusterFacts } from '../targets/kubernetes-cluster.ts'
import { startKubelet, type Kubelet } from '../targets/kubernetes-kubelet.ts'
import { errorOf } from './account.ts'
import { openGuide, shortWay, walk, type Step } from './guided.ts'
import { openRotating, quick, type Rotating } from './rotating.ts'
import { keyboard } from './screen.ts'

const facts = inject('servers')['kubernetes'] as ClusterFacts | undefined

describe.skipIf(!facts)('k8s, by the program', () => {
  let cluster: Cluster
  let account: Rotating
  let namespace: string
  let kubelet: Kubelet
  let env: Record<string, string>
  beforeAll(async () => {
    cluster = await openCluster(facts as ClusterFacts)
    env = { KUBECONFIG: await cluster.kubeconfig((facts as ClusterFacts).token) }
  })
  afterAll(() => cluster?.close())
  beforeEach(async () => {
    account = await openRotating()
    namespace = await cluster.namespace()
    kubelet = startKubelet(cluster, namespace)
  })
  afterEach(async () => {
    await kubelet.stop()
    await account.end()
  })

  const at = () => `/api/v1/namespaces/${namespace}/secrets`
  const to = () => `k8s:${namespace}/app#PICTIFY_API_KEY`
  const keyIn = async () => {
    const { data = {} } = (await cluster.ask('GET', `${at()}/app`)).body
    return Buffer.from(data['PICTIFY_API_KEY'] ?? '', 'base64').toString()
  }
  async function holding(): Promise<void> {
    const data = { PICTIFY_API_KEY: Buffer.from(account.old.secret.reveal()).toString('base64') }
    await cluster.make(at(), { metadata: { name: 'app' }, data })
  }
  /** A deployment that takes its key by a variable. */
  async function running(): Promise<void> {
    const labels = { app: 'web' }
    const pod = {
      containers: [{ name: 'web', image: 'example.com/web', envFrom: [{ secretRef: { name: 'app' } }] }],
    }
    await cluster.make(`/apis/apps/v1/namespaces/${namespace}/deployments`, {
      metadata: { name: 'web' },
      spec: { replicas: 2, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: pod } },
    })
  }

  test('create puts the secret there, and it is nowhere else', async () => {
    const args = ['create', 'App', '--type', 'live', '--to', to(), '--create-target', '--json']
    const ran = await account.run(args, { env })
    expect(ran).toMatchObject({ exit: 0 })
    const secret = await keyIn()
    expect(secret).toMatch(/^pk_/)
    expect(JSON.parse(ran.stdout)).toMatchObject({ apiKey: { name: 'App' } })
    expect(ran.stdout + ran.stderr).not.toContain(secret)
    for (const line of ran.stderr.trim().split('\n')) JSON.parse(line)
  })

  test('rotate puts the new key there, and the pods that run by then have started with it', async () => {
    await holding()
    await running()
    const before = (await kubelet.pods()).map(({ uid }) => uid)
    const args = ['rotate', account.old.id, '--to', to(), '--restart', 'deployment/web', ...quick]
    const ran = await account.run(args, { env })
    expect(ran).toMatchObject({ exit: 0 })
    expect(JSON.parse(ran.stdout)).toMatchObject({ rotation: { state: 'done' } })
    expect(await keyIn()).toMatch(/^pk_/)
    expect(await keyIn()).not.toBe(account.old.secret.reveal())
    const pods = await kubelet.pods()
    expect(pods).toHaveLength(2)
    expect(pods.every(({ uid, isReady }) => isReady && !before.includes(uid))).toBe(true)
  })

  test('the guide asks what is started anew, and the pods that run by then have started with the new key', async () => {
    await holding()
    await running()
    await until(async () => (await kubelet.pods()).filter(({ isReady }) => isReady).length === 2)
    const before = (await kubelet.pods()).map(({ uid }) => uid)
    const { down, enter, space } = keyboard
    const { token } = facts as ClusterFacts
    const signedIn = { KUBECONFIG: await cluster.kubeconfig(token, { namespace }) }
    const guide = openGuide(account, { env: signedIn })
    const [key = ['', ''], , how = ['', ''], ...terms] = shortWay
    const way: Step[] = [
      key,
      // what was found in .env stays chosen
      ['Where does the application find it?', `${down}${space}${enter}`],
      [`Which Secret of namespace ${namespace}`, `app#PICTIFY_API_KEY${enter}`],
      ['What is started anew with it?', `web${enter}`],
    ]
    await walk(guide, way, way.length)
    await guide.until('--restart web: ')
    guide.type(`${'\x7f'.repeat(3)}deployment/web${enter}`)
    const smokeTest: Step = ['Which command?', `test -n "$PICTIFY_API_KEY"${enter}`]
    await walk(guide, [how, smokeTest, ...terms], terms.length + 1)
    expect(guide.text()).toContain('deployment/web')
    await walk(guide, terms.slice(-1), 1)
    const { exit } = await guide.ended
    expect(exit, guide.text()).toBe(0)
    const secret = await keyIn()
    expect(secret).toMatch(/^pk_/)
    expect(secret).not.toBe(account.old.secret.reveal())
    expect(await account.read('.env')).toContain(secret)
    const pods = await kubelet.pods()
    expect(pods).toHaveLength(2)
    expect(pods.every(({ uid, isReady }) => isReady && !before.includes(uid))).toBe(true)
  })

  test('rotate that fails puts the old key back: exit 6', async () => {
    await holding()
    const args = ['rotate', account.old.id, '--to', to(), '--verify', 'false', ...quick]
    expect(await account.run(args, { env })).toMatchObject({ exit: 6 })
    expect(await keyIn()).toBe(account.old.secret.reveal())
    expect(account.keys()).toHaveLength(1)
  })

  test('rotate without a cluster is refused before a key is made', async () => {
    const ran = await account.run(['rotate', account.old.id, '--to', to(), ...quick], {
      env: { KUBECONFIG: '/nowhere/config' },
    })
    expect(ran.exit).toBe(1)
    expect(errorOf(ran)).toMatchObject({
      message: expect.stringContaining('there is no kubeconfig') as string,
    })
    expect(account.keys()).toHaveLength(1)
  })
})

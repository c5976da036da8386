import { randomBytes } from 'node:crypto'
import { mergePatch, type Cluster, type KubeObject } from './kubernetes-cluster.ts'

interface Pod extends KubeObject {
  status?: { conditions?: { type: string; status: string }[] }
}

export interface Kubelet {
  /** Those that are not being deleted. */
  pods(): Promise<{ name: string; uid: string; isReady: boolean }[]>
  /** From now on no pod gets ready. */
  hold(): void
  release(): void
  addNode(): Promise<void>
  stop(): Promise<void>
}

/** Plays the kubelet of one namespace: every pod in it is ready soon. */
export function startKubelet(cluster: Cluster, namespace: string): Kubelet {
  const at = `/api/v1/namespaces/${namespace}/pods`
  const nodes: string[] = []
  let isHeld = false
  let isOver = false

  async function pods() {
    const { body } = await cluster.ask<{ items: Pod[] }>('GET', at)
    return body.items
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(({ metadata, status }) => ({
        name: metadata.name,
        uid: metadata.uid ?? '',
        isReady: (status?.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True'),
      }))
  }

  async function work(): Promise<void> {
    while (!isOver) {
      for (const { name, isReady } of isHeld ? [] : await pods()) {
        if (isReady || isHeld) continue
        const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: new Date().toISOString() }]
        // one that is gone by now needs nothing
        await cluster.ask(
          'PATCH',
          `${at}/${name}/status`,
          { status: { phase: 'Running', conditions } },
          { type: mergePatch },
        )
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  const working = work()

  return {
    pods,
    hold: () => void (isHeld = true),
    release: () => void (isHeld = false),
    async addNode() {
      const name = `node-${randomBytes(4).toString('hex')}`
      nodes.push(name)
      await cluster.make('/api/v1/nodes', { metadata: { name } })
      // a new node is marked as not ready yet
      await cluster.make(`/api/v1/nodes/${name}`, { spec: { taints: null } }, 'PATCH', mergePatch)
    },
    async stop() {
      isOver = true
      await working
      for (const name of nodes) await cluster.ask('DELETE', `/api/v1/nodes/${name}`)
    },
  }
}

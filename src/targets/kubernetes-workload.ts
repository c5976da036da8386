// How far a workload's rollout is, by the same signs as `kubectl rollout status`, and what its pods take from secrets.
import type {
  V1DaemonSet,
  V1Deployment,
  V1PodSpec,
  V1PodTemplateSpec,
  V1StatefulSet,
} from '@kubernetes/client-node'
import type { SecretPlace } from './kubernetes-place.ts'

export type Workload =
  | { kind: 'deployment'; object: V1Deployment }
  | { kind: 'statefulset'; object: V1StatefulSet }
  | { kind: 'daemonset'; object: V1DaemonSet }

export type Progress =
  | { state: 'done' }
  /** `what`: what it waits for. */
  | { state: 'waiting'; what: string }
  /** It will not be done by itself. */
  | { state: 'stuck'; why: string }

export function templateOf({ object }: Workload): V1PodTemplateSpec | undefined {
  return object.spec?.template
}

/** Why it does not roll out by itself; undefined: it does. */
export function whyNotRolled({ kind, object }: Workload): { message: string; hint: string } | undefined {
  if (object.metadata?.deletionTimestamp) {
    return { message: 'it is being deleted', hint: 'name one that stays' }
  }
  const of = `${kind}/${object.metadata?.name} -n ${object.metadata?.namespace}`
  if (kind === 'deployment') {
    if (!object.spec?.paused) return undefined
    return { message: 'its rollouts are paused', hint: `kubectl rollout resume ${of}` }
  }
  const { type, rollingUpdate } = object.spec?.updateStrategy ?? {}
  if (type === 'OnDelete') {
    const hint = 'set its updateStrategy to RollingUpdate, or restart its pods yourself'
    return { message: 'it replaces its pods only when they are deleted (OnDelete)', hint }
  }
  if (rollingUpdate && 'partition' in rollingUpdate && (rollingUpdate.partition ?? 0) > 0) {
    const hint = 'set the partition of its updateStrategy to 0'
    return { message: `it leaves the pods below ${rollingUpdate.partition} as they are (partition)`, hint }
  }
  return undefined
}

export function progressOf(workload: Workload): Progress {
  const { kind, object } = workload
  if ((object.status?.observedGeneration ?? 0) < (object.metadata?.generation ?? 0)) {
    return waiting('its controller has not taken it up yet')
  }
  switch (kind) {
    case 'deployment':
      return deploymentProgress(object)
    case 'statefulset':
      return statefulSetProgress(object)
    case 'daemonset':
      return daemonSetProgress(object)
  }
}

function deploymentProgress({ spec, status = {} }: V1Deployment): Progress {
  const condition = (type: string) => status.conditions?.find((each) => each.type === type)
  const [progressing, failure] = [condition('Progressing'), condition('ReplicaFailure')]
  const trouble = failure?.status === 'True' && failure.message ? ` (${failure.message})` : ''
  if (progressing?.reason === 'ProgressDeadlineExceeded') {
    return { state: 'stuck', why: `${progressing.message ?? 'its progress deadline is over'}${trouble}` }
  }
  const { replicas = 0, updatedReplicas: updated = 0, availableReplicas: available = 0 } = status
  const wanted = spec?.replicas ?? 1
  if (updated < wanted) return waiting(`${updated} of ${wanted} new pods are made${trouble}`)
  if (replicas > updated) return waiting(`${replicas - updated} old pods are still there`)
  if (available < updated) return waiting(`${available} of ${updated} new pods are available`)
  return { state: 'done' }
}

function statefulSetProgress({ spec, status }: V1StatefulSet): Progress {
  const wanted = spec?.replicas ?? 1
  const { updatedReplicas: updated = 0, readyReplicas: ready = 0 } = status ?? {}
  if (wanted === 0) return { state: 'done' }
  if (updated < wanted) return waiting(`${updated} of ${wanted} pods are new`)
  if (ready < wanted) return waiting(`${ready} of ${wanted} pods are ready`)
  if (status?.updateRevision !== status?.currentRevision) return waiting('its last pod is being replaced')
  return { state: 'done' }
}

function daemonSetProgress({ status }: V1DaemonSet): Progress {
  const { desiredNumberScheduled: wanted = 0, updatedNumberScheduled: updated = 0 } = status ?? {}
  const available = status?.numberAvailable ?? 0
  if (updated < wanted) return waiting(`${updated} of ${wanted} pods are new`)
  if (available < wanted) return waiting(`${available} of ${wanted} pods are available`)
  return { state: 'done' }
}

function waiting(what: string): Progress {
  return { state: 'waiting', what }
}

/** Whether its pods take this key: by a variable, by all variables of the secret, or by a volume. */
export function mentions(spec: V1PodSpec | undefined, { secret, key }: SecretPlace): boolean {
  const hasItem = (items?: { key: string }[]) => items === undefined || items.some((item) => item.key === key)
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])]
  const byVariable = containers.some(
    ({ env = [], envFrom = [] }) =>
      envFrom.some(({ secretRef }) => secretRef?.name === secret) ||
      env.some(({ valueFrom }) => {
        const { name, key: wanted } = valueFrom?.secretKeyRef ?? {}
        return name === secret && wanted === key
      }),
  )
  const byVolume = (spec?.volumes ?? []).some(
    ({ secret: whole, projected }) =>
      (whole?.secretName === secret && hasItem(whole.items)) ||
      projected?.sources?.some(({ secret: part }) => part?.name === secret && hasItem(part.items)),
  )
  return byVariable || byVolume
}

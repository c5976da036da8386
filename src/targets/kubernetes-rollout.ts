// Rules of this file:
// - a rollout is started as `kubectl rollout restart` does, and waited for as `kubectl rollout status` does;
// - what was started for a cause says so in its pod template, in the same write, so that it is started once.
import { hasCode, KeysError } from '../errors.ts'
import { createKubernetes, manager, type Apis, type KubernetesDeps } from './kubernetes-api.ts'
import { NotFound, roleHint } from './kubernetes-failure.ts'
import { isNamespace, isObjectName, parseSecretPlace } from './kubernetes-place.ts'
import { versionOf } from './kubernetes-secret.ts'
import {
  mentions,
  progressOf,
  templateOf,
  whyNotRolled,
  type Progress,
  type Workload,
} from './kubernetes-workload.ts'
import { refusal, together } from './refusal.ts'
import type { Restart } from './restart.ts'
import { Conflict, storeTimeoutMs } from './store.ts'
import type { Target } from './target.ts'
import { limitTime } from './time-limit.ts'

const timeoutMs = 5 * 60_000
const pollMs = 1_000
/** How often a start is tried again that another change came before: a controller notes every pod. */
const conflicts = 20

const usage = '<namespace>/deployment/<name>, or deployment/<name> in the namespace of a k8s: target'

/** Which causes it was started for, the last ones, with spaces between. Several keys may have one application. */
const startedFor = `${manager}/restarted-for`
const causesKept = 8

/** As kubectl calls them, in full and in short. */
const kinds: Readonly<Record<string, Workload['kind']>> = {
  deployment: 'deployment',
  deploy: 'deployment',
  statefulset: 'statefulset',
  sts: 'statefulset',
  daemonset: 'daemonset',
  ds: 'daemonset',
}

/** What a `--restart` names; `targets` are those of the same rotation. Touches nothing. Throws `usage`. */
export function parseRestart(
  spec: string,
  targets: readonly Pick<Target, 'name'>[],
  deps: KubernetesDeps,
): Restart {
  const wrong = (message: string) =>
    new KeysError('usage', `--restart ${spec}: ${message}`, { hint: `write ${usage}` })
  const places = targets.flatMap(({ name }) => parseSecretPlace(name) ?? [])
  const parts = spec.split('/')
  const [name = '', word = '', own] = parts.reverse()
  const kind = Object.hasOwn(kinds, word) ? kinds[word] : undefined
  if (parts.length > 3 || !kind) throw wrong('it names no deployment, statefulset or daemonset')
  const known = [...new Set(places.map(({ namespace }) => namespace))]
  if (own === undefined && known.length !== 1) {
    throw wrong(known.length === 0 ? 'its namespace is not known' : `which namespace, ${known.join(' or ')}?`)
  }
  const namespace = own ?? known[0] ?? ''
  if (!isNamespace(namespace) || !isObjectName(name))
    throw wrong('it has a name that Kubernetes does not allow')
  return createRestart(spec, { kind, namespace, name }, places, deps)
}

interface Named {
  kind: Workload['kind']
  namespace: string
  name: string
}

function createRestart(
  spec: string,
  { kind, namespace, name }: Named,
  places: ReturnType<typeof parseSecretPlace>[],
  deps: KubernetesDeps,
): Restart {
  const { clock, warn } = deps
  const cluster = createKubernetes(spec, deps)
  const full = `${kind}/${name} -n ${namespace}`
  const seeHint = `kubectl describe ${full} and kubectl get pods -n ${namespace} say why; when it is mended, run the same command again`

  async function look(signal: AbortSignal): Promise<Workload> {
    try {
      return await cluster.ask('read', (apis) => read(apis, { kind, namespace, name }), signal)
    } catch (error) {
      if (!(error instanceof NotFound)) throw error
      const hint = `kubectl get ${kind}s -n ${namespace} shows what there is`
      throw refusal(`${spec}: there is no ${kind} ${namespace}/${name} in ${await cluster.where()}`, hint)
    }
  }

  /** Throws Conflict. */
  async function start(
    workload: Workload,
    cause: string,
    dryRun: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const annotations = {
      'kubectl.kubernetes.io/restartedAt': new Date(clock.now()).toISOString(),
      [startedFor]: [...causesOf(workload), cause].slice(-causesKept).join(' '),
    }
    const body = { metadata: versionOf(workload.object), spec: { template: { metadata: { annotations } } } }
    const what = { namespace, name, body, fieldManager: manager, ...(dryRun && { dryRun: 'All' }) }
    await cluster.ask('write', (apis) => patch(apis, kind, what), signal)
  }

  /** Starts it where it was not yet. */
  async function startOnce(cause: string, signal: AbortSignal): Promise<void> {
    let maybeStarted = false
    for (let attempt = 1; ; attempt++) {
      try {
        const workload = await look(signal)
        if (isStartedFor(workload, cause)) return
        refuseUnrolled(workload)
        return await start(workload, cause, false, signal)
      } catch (error) {
        // where it may have been started only a look can tell, however long the cluster is away
        maybeStarted ||= hasCode(error, 'target-unclear')
        const isAway = maybeStarted && hasCode(error, 'target-unclear', 'target-failed')
        if (isAway) await clock.sleep(pollMs, signal)
        else if (!(error instanceof Conflict)) throw error
        else if (attempt >= conflicts) {
          throw new KeysError(
            'target-failed',
            `${spec}: it could not be started anew, for it keeps changing`,
            {
              hint: seeHint,
            },
          )
        }
      }
    }
  }

  function refuseUnrolled(workload: Workload): void {
    const problem = whyNotRolled(workload)
    if (problem) throw refusal(`${spec}: ${problem.message}`, problem.hint)
  }

  return {
    name: spec,
    timeoutMs,

    async check(outer) {
      const late = () =>
        new KeysError('target-failed', `${spec}: no answer within ${storeTimeoutMs / 1_000}s`, {
          hint: 'see whether kubectl reaches the cluster: kubectl version',
        })
      await limitTime(clock, storeTimeoutMs, outer, late, async (signal) => {
        const workload = await look(signal)
        refuseUnrolled(workload)
        const what = { group: 'apps', resource: `${kind}s`, namespace, name }
        const lacking = await cluster.lacking(['get', 'patch'], what, signal)
        if (lacking.length > 0) {
          throw together(
            lacking.map((verb) => refusal(`may not ${verb} ${namespace}/${kind}/${name}`, roleHint)),
            spec,
          )
        }
        try {
          await start(workload, 'check', true, signal)
        } catch (error) {
          // it changes with every pod of it that comes or goes, which is nothing to be told of
          if (!(error instanceof Conflict)) throw error
        }
        for (const sentence of await cluster.unproved()) warn(`${spec}: ${sentence}`)
        const near = places.flatMap((place) => (place?.namespace === namespace ? [place] : []))
        const isUsed = near.some((place) => mentions(templateOf(workload)?.spec, place))
        if (near.length > 0 && !isUsed) {
          warn(
            `${spec}: its pods take nothing from ${near.map(({ secret, key }) => `${secret}#${key}`).join(' or ')}: is it the right one?`,
          )
        }
      })
    },

    async run(cause, outer) {
      let now = 'it was not started anew'
      const late = () =>
        new KeysError('target-failed', `${spec}: not all of it runs after ${timeoutMs / 60_000}m: ${now}`, {
          hint: seeHint,
        })
      await limitTime(clock, timeoutMs, outer, late, async (signal) => {
        await startOnce(cause, signal)
        for (;;) {
          const progress = await follow(cause, signal)
          if (progress.state === 'done') return
          if (progress.state === 'stuck') {
            throw new KeysError('target-failed', `${spec}: ${progress.why}`, { hint: seeHint })
          }
          now = progress.what
          await clock.sleep(pollMs, signal)
        }
      })
    },
  }

  async function follow(cause: string, signal: AbortSignal): Promise<Progress> {
    let workload: Workload
    try {
      workload = await look(signal)
    } catch (error) {
      // the cluster may be away for a while, and the rollout goes on all the same
      if (!hasCode(error, 'target-failed')) throw error
      return { state: 'waiting', what: error.message }
    }
    refuseUnrolled(workload)
    if (!causesOf(workload).includes(cause)) {
      return { state: 'stuck', why: 'somebody else put back what its pods were before' }
    }
    return progressOf(workload)
  }
}

/** Whether it was started for the cause, and since then for no other of the same rotation: undone, it counts no more. */
function isStartedFor(workload: Workload, cause: string): boolean {
  const rotationOf = (text: string) => text.split('-')[0]
  return causesOf(workload).findLast((each) => rotationOf(each) === rotationOf(cause)) === cause
}

function causesOf(workload: Workload): string[] {
  const causes = templateOf(workload)?.metadata?.annotations?.[startedFor] ?? ''
  return causes.split(' ').filter((cause) => cause !== '')
}

async function read({ apps }: Apis, { kind, ...one }: Named): Promise<Workload> {
  switch (kind) {
    case 'deployment':
      return { kind, object: await apps.readNamespacedDeployment(one) }
    case 'statefulset':
      return { kind, object: await apps.readNamespacedStatefulSet(one) }
    case 'daemonset':
      return { kind, object: await apps.readNamespacedDaemonSet(one) }
  }
}

async function patch(
  { apps }: Apis,
  kind: Workload['kind'],
  what: { namespace: string; name: string; body: object; fieldManager: string; dryRun?: string },
): Promise<void> {
  switch (kind) {
    case 'deployment':
      return void (await apps.patchNamespacedDeployment(what))
    case 'statefulset':
      return void (await apps.patchNamespacedStatefulSet(what))
    case 'daemonset':
      return void (await apps.patchNamespacedDaemonSet(what))
  }
}

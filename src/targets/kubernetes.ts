// Rules of this file:
// - every write carries the `resourceVersion` of what was looked at, so that the cluster refuses it if anybody was faster;
// - a write names our one key and leaves all else out, so that all else stays;
// - a secret is deleted only where we made it and nobody has put anything of theirs to it.
import type { V1Secret } from '@kubernetes/client-node'
import { hasCode, type KeysError } from '../errors.ts'
import { Secret } from '../secret.ts'
import { createKubernetes, manager, type Kubernetes } from './kubernetes-api.ts'
import { noCluster, NotFound, roleHint } from './kubernetes-failure.ts'
import { parseSecretPlace, usage, type SecretPlace } from './kubernetes-place.ts'
import { encode, heldIn, isOurs, madeFor, versionOf, whyNot, writersOf } from './kubernetes-secret.ts'
import { refusal, together } from './refusal.ts'
import { invalid, type Scheme } from './scheme.ts'
import { Conflict, createStoreTarget, type Cell, type Seen } from './store.ts'

/** As a key looks, in a write that is only tried. */
const sample = new Secret(`pk_live_${'x'.repeat(72)}`)

export const kubernetes: Scheme = {
  usage,
  summary: 'a key of a Kubernetes Secret, in the cluster that kubectl would speak to',
  create(name, _text, deps) {
    const place = parseSecretPlace(name)
    if (!place) throw invalid(`${name} is no place in Kubernetes`, `write ${usage}`)
    const { namespace, secret, key } = place
    const store = `${namespace}/${secret} in Kubernetes`
    const cell = createCell(name, place, createKubernetes(name, deps))
    return {
      target: createStoreTarget({ name, place: `${key} of ${store}`, cell, deps }),
      place: { store, field: key },
    }
  },
}

/** One look at the secret. */
interface SeenSecret extends Seen {
  /** Undefined: proved absent. */
  readonly secret: V1Secret | undefined
  readonly where: string
  readonly identity: string
}

function createCell(
  name: string,
  { namespace, secret: secretName, key }: SecretPlace,
  cluster: Kubernetes,
): Cell<SeenSecret> {
  const one = { namespace, name: secretName }
  const tried = (dryRun: boolean) => ({ fieldManager: manager, ...(dryRun && { dryRun: 'All' }) })

  /** What is there; undefined where the cluster says that it is not. */
  async function find<T>(resource: string, asking: Promise<T>): Promise<T | undefined> {
    try {
      return await asking
    } catch (error) {
      if (error instanceof NotFound && error.resource === resource) return undefined
      throw error
    }
  }

  const lookAt = (signal: AbortSignal) =>
    find(
      'secrets',
      cluster.ask('read', ({ core }) => core.readNamespacedSecret(one), signal),
    )

  /** Undefined: absent; `unknown`: we may not look. */
  async function phase(signal: AbortSignal): Promise<string | undefined> {
    const asking = cluster.ask('read', ({ core }) => core.readNamespace({ name: namespace }), signal)
    try {
      const found = await find('namespaces', asking)
      return found && (found.status?.phase ?? 'Active')
    } catch (error) {
      if (hasCode(error, 'target-refused')) return 'unknown'
      throw error
    }
  }

  /** Makes the secret. */
  async function make(value: string, dryRun: boolean, signal: AbortSignal): Promise<void> {
    const labels = { 'app.kubernetes.io/managed-by': manager }
    const metadata = { ...one, labels, annotations: { [madeFor]: key } }
    const body = { apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata, data: { [key]: value } }
    try {
      await cluster.ask(
        'write',
        ({ core }) => core.createNamespacedSecret({ namespace, body, ...tried(dryRun) }),
        signal,
      )
    } catch (error) {
      if (error instanceof NotFound) throw noNamespace(await cluster.where())
      throw error
    }
  }

  /** Puts our key to what is there; null takes it away. */
  async function patch(
    value: string | null,
    seen: V1Secret,
    dryRun: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const body = { metadata: versionOf(seen), data: { [key]: value } }
    const asking = cluster.ask(
      'write',
      ({ core }) => core.patchNamespacedSecret({ ...one, body, ...tried(dryRun) }),
      signal,
    )
    // gone since it was looked at
    if ((await find('secrets', asking)) === undefined) throw new Conflict()
  }

  async function write(
    secret: Secret,
    seen: SeenSecret,
    dryRun: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const value = encode(name, secret)
    if (!seen.secret) return make(value, dryRun, signal)
    const problem = whyNot(name, seen.secret, key)
    if (problem) throw problem
    await patch(value, seen.secret, dryRun, signal)
  }

  function noNamespace(where: string): KeysError {
    return refusal(
      `${name}: there is no namespace ${namespace} in ${where}`,
      `see whether that is the right cluster; kubectl create namespace ${namespace} makes it`,
    )
  }

  /** Undefined: we may not even ask. */
  async function askRights(asking: Promise<string[]>): Promise<string[] | undefined> {
    try {
      return await asking
    } catch (error) {
      if (hasCode(error, 'target-refused')) return undefined
      throw error
    }
  }

  return {
    async look(signal) {
      const [where, identity] = [await cluster.where(), await cluster.identity()]
      const secret = await lookAt(signal)
      if (secret && (secret.kind !== 'Secret' || !secret.metadata?.resourceVersion))
        throw noCluster(name, 'read', { where })
      return { held: secret && heldIn(name, secret, key), secret, where, identity }
    },

    identity: ({ identity }) => identity,

    async prove(seen, signal) {
      const { secret, where } = seen
      const unproved = await cluster.unproved()
      const problem = secret && whyNot(name, secret, key)
      if (problem) throw problem
      const state = await phase(signal)
      if (state === undefined) throw noNamespace(where)
      if (state === 'Terminating') {
        throw refusal(
          `${name}: the namespace ${namespace} is being deleted`,
          'name a secret of another namespace',
        )
      }
      if (state === 'unknown') {
        unproved.push(
          `whether the namespace ${namespace} is being deleted cannot be seen, for lack of the right to get it`,
        )
      }
      const verbs = ['get', 'patch', ...(secret ? [] : ['create', 'delete'])]
      const what = { group: '', resource: 'secrets', namespace, name: secretName }
      const lacking = await askRights(cluster.lacking(verbs, what, signal))
      if (!lacking) unproved.push('what it may do there could not be asked; only a write was tried')
      if (lacking?.length) {
        const problems = lacking.map((verb) =>
          refusal(`may not ${verb} the secret ${namespace}/${secretName}`, roleHint),
        )
        throw together(problems, name)
      }
      try {
        await write(sample, seen, true, signal)
      } catch (error) {
        if (!(error instanceof Conflict)) throw error
        unproved.push(
          'it was changed while it was looked at, so a write could not be tried: who else writes there?',
        )
      }
      return [...unproved, ...(secret ? writersOf(secret, key) : [])]
    },

    absence({ secret, where }) {
      if (!secret) {
        const hint = `kubectl get secrets -n ${namespace} shows what there is`
        return { message: `there is no secret ${namespace}/${secretName} in ${where}`, hint }
      }
      const keys = Object.keys(secret.data ?? {})
      const there = keys.length > 0 ? `it has ${keys.slice(0, 10).join(', ')}` : 'it is empty'
      return { message: `the secret ${namespace}/${secretName} has no key ${key}`, hint: there }
    },

    put: (secret, seen, signal) => write(secret, seen, false, signal),

    async putBack(held, { secret }, signal) {
      // what is not there holds nothing to be put back over: `restore` has seen to that
      if (!secret) throw new Conflict()
      if (held) return patch(encode(name, held.value), secret, false, signal)
      if (!isOurs(secret, key)) return patch(null, secret, false, signal)
      const body = { preconditions: versionOf(secret) }
      const asking = cluster.ask('write', ({ core }) => core.deleteNamespacedSecret({ ...one, body }), signal)
      await find('secrets', asking)
    },
  }
}

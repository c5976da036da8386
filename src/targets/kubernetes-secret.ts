// What can be told of a Secret by looking at it: what it holds, whether it can be written to, and who else does.
import type { V1ObjectMeta, V1Secret } from '@kubernetes/client-node'
import type { KeysError } from '../errors.ts'
import { Secret } from '../secret.ts'
import { manager } from './kubernetes-api.ts'
import { refusal } from './refusal.ts'
import type { Held } from './target.ts'

/** Which key a secret that we made was made for. */
export const madeFor = `${manager}/made-for`

/** Types of which all, or these keys, belong to somebody else. */
const taken: Readonly<Record<string, { by: string; keys?: readonly string[] }>> = {
  'kubernetes.io/service-account-token': { by: 'the cluster, for the token of a service account' },
  'bootstrap.kubernetes.io/token': { by: 'the cluster, for nodes that join' },
  'helm.sh/release.v1': { by: 'Helm, for a release' },
  'kubernetes.io/tls': { by: 'a certificate', keys: ['tls.crt', 'tls.key'] },
  'kubernetes.io/ssh-auth': { by: 'an SSH key', keys: ['ssh-privatekey'] },
  'kubernetes.io/dockercfg': { by: 'the login of a registry', keys: ['.dockercfg'] },
  'kubernetes.io/dockerconfigjson': { by: 'the login of a registry', keys: ['.dockerconfigjson'] },
}

/** Why this secret cannot be written to; undefined: it can. */
export function whyNot(
  name: string,
  { type = '', immutable, metadata }: V1Secret,
  key: string,
): KeysError | undefined {
  const of = `${metadata?.namespace}/${metadata?.name}`
  const other = taken[type]
  if (other && (other.keys?.includes(key) ?? true)) {
    return refusal(
      `${name}: ${other.keys ? `${key} of ${of}` : of} is kept for ${other.by} (${type})`,
      'name another secret; --create-target makes it',
    )
  }
  if (metadata?.deletionTimestamp) {
    const waits = metadata.finalizers?.length ? `; it waits for ${metadata.finalizers.join(', ')}` : ''
    return refusal(
      `${name}: the secret ${of} is being deleted${waits}`,
      'when it is gone, --create-target makes it anew',
    )
  }
  if (immutable) {
    return refusal(
      `${name}: the secret ${of} is immutable`,
      'give the application another secret (--create-target makes it), or make this one anew without immutable: ' +
        `kubectl get secret ${metadata?.name} -n ${metadata?.namespace} -o yaml, take the line out, kubectl replace --force`,
    )
  }
  return undefined
}

/** What a write is made on the condition of. */
export function versionOf({ metadata }: V1Secret): {
  uid: string | undefined
  resourceVersion: string | undefined
} {
  return { uid: metadata?.uid, resourceVersion: metadata?.resourceVersion }
}

/** Throws `target-refused` for what is no text, since it cannot be a key, and could not be put back as it was. */
export function heldIn(name: string, { data }: V1Secret, key: string): Held | undefined {
  const value = data && Object.hasOwn(data, key) ? data[key] : undefined
  if (value === undefined) return undefined
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    return { value: new Secret(decoder.decode(Buffer.from(value, 'base64'))) }
  } catch {
    throw refusal(`${name}: it holds bytes that are no text in UTF-8`, 'name a key that holds an API key')
  }
}

/** In base64. Throws `target-refused`. */
export function encode(name: string, secret: Secret): string {
  const bytes = Buffer.from(secret.reveal())
  if (bytes.toString() === secret.reveal()) return bytes.toString('base64')
  throw refusal(`${name}: the value cannot be written in UTF-8`, 'see where the secret was copied from')
}

/** We made it, for this key, and it has nothing else by now. */
export function isOurs({ data, metadata = {} }: V1Secret, key: string): boolean {
  const { annotations = {}, labels = {}, ownerReferences = [], finalizers = [] } = metadata
  const isAlone = [data ?? {}, annotations, labels].every((each) => Object.keys(each).length === 1)
  const isUnbound = ownerReferences.length === 0 && finalizers.length === 0
  return (
    annotations[madeFor] === key && labels['app.kubernetes.io/managed-by'] === manager && isAlone && isUnbound
  )
}

/** What to tell of whoever else writes there: a sentence each. */
export function writersOf(secret: V1Secret, key: string): string[] {
  const writers = otherWriters(secret, key)
  const sentences: string[] = []
  if (writers.length > 0) {
    sentences.push(
      `${writers.join(', ')} may put another value back: change it there as well, or deliver to where it comes from`,
    )
  }
  if (lastApplied(secret.metadata ?? {}, key)) {
    sentences.push(
      'the old value stays readable in its annotation kubectl.kubernetes.io/last-applied-configuration',
    )
  }
  return sentences
}

/** What is known by an annotation or a label. */
const signs: readonly [keyword: RegExp, who: string][] = [
  [/^(reconcile\.)?external-secrets\.io\//, 'External Secrets'],
  [/^sealedsecrets\.bitnami\.com\//, 'Sealed Secrets'],
  [/^meta\.helm\.sh\/release-name$/, 'Helm'],
  [/^argocd\.argoproj\.io\/(tracking-id|instance)$/, 'Argo CD'],
  [/^(kustomize|helm)\.toolkit\.fluxcd\.io\/name$/, 'Flux'],
  [/^reflector\.v1\.k8s\.emberstack\.com\/reflects$/, 'Reflector'],
  [/^replicator\.v1\.mittwald\.de\/replicated-/, 'Kubernetes Replicator'],
]

/** Whoever may put a value of their own back over ours, in words: `External Secrets`, `ExternalSecret/app`. */
function otherWriters({ metadata = {} }: V1Secret, key: string): string[] {
  const marks = Object.entries({ ...metadata.annotations, ...metadata.labels })
  const found = signs.flatMap(([keyword, who]) => (marks.some(([mark]) => keyword.test(mark)) ? [who] : []))
  const managedBy = metadata.labels?.['app.kubernetes.io/managed-by']
  if (managedBy && managedBy !== manager) found.push(managedBy)
  for (const { kind, name } of metadata.ownerReferences ?? []) found.push(`${kind}/${name}`)
  if (lastApplied(metadata, key)) found.push('kubectl apply')
  for (const { operation, manager: who, fieldsV1 } of metadata.managedFields ?? []) {
    const data = (fieldsV1 as Record<string, object> | undefined)?.['f:data'] ?? {}
    if (operation === 'Apply' && who && who !== manager && `f:${key}` in data)
      found.push(`${who} (server-side apply)`)
  }
  return [...new Set(found)]
}

/** Whether `kubectl apply` keeps a copy of the value, in its own note of what was applied. */
function lastApplied({ annotations }: V1ObjectMeta, key: string): boolean {
  const note = annotations?.['kubectl.kubernetes.io/last-applied-configuration'] ?? '{}'
  try {
    const { data, stringData } = JSON.parse(note) as Partial<Record<'data' | 'stringData', object | null>>
    return Object.hasOwn({ ...data, ...stringData }, key)
  } catch {
    // not what kubectl writes, so nothing that it would go by
    return false
  }
}

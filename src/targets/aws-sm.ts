// Rules of this file:
// - a value is a version of its own; applications read the one labelled AWSCURRENT, and that label is moved only from the
//   version that was looked at, on which AWS itself insists;
// - a version's id comes of what is in it, so that a repeat, on whatever machine, is that version again;
// - AWSPENDING on a version that is not ours is a rotation of somebody else's: it is left alone.
import { createHash } from 'node:crypto'
import { KeysError } from '../errors.ts'
import { Secret } from '../secret.ts'
import { createSecretStore } from './aws-sm-client.ts'
import { refuseTooLarge, rotating, unproved, unwritable } from './aws-sm-state.ts'
import {
  isOwnVersion,
  labelled,
  leftPending,
  othersPending,
  ownVersion,
  type SeenSecret,
} from './aws-sm-version.ts'
import { parseJsonFields, refuseObject } from './json-field.ts'
import { refusal, together } from './refusal.ts'
import { cutField, invalid, type Scheme } from './scheme.ts'
import { Conflict, createStoreTarget, type Cell } from './store.ts'
import type { Held, TargetDeps } from './target.ts'

const usage = 'aws-sm:<name or ARN>[#json-field]'
/** An id that no version has. */
const noVersion = '00000000-0000-4000-8000-000000000000'

export const awsSm: Scheme = {
  usage,
  summary: 'a secret of AWS Secrets Manager, or a field of its JSON',
  create(name, text, deps) {
    const { place: id, field } = cutField(name, text, usage)
    const region = /^arn:aws[a-z-]*:secretsmanager:([a-z0-9-]+):\d{12}:secret:[\w/+=.@-]+$/.exec(id)?.[1]
    if (region === undefined && !/^[\w/+=.@-]{1,512}$/.test(id)) {
      throw invalid(`${name}: "${id}" is neither the name nor the ARN of a secret`, `write ${usage}`)
    }
    const { AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoint } = deps.env
    // one region or account can be named in many ways: which it is, `identity` says
    const store = `aws-sm:${endpoint === undefined ? '' : `${endpoint}:`}${id}`
    const place = field === undefined ? store : `${store}#${field}`
    const cell = createCell({ name, id, region, field, deps })
    return { target: createStoreTarget({ name, place, cell, deps }), place: { store, field } }
  },
}

function createCell({
  name,
  id: secretId,
  region,
  field,
  deps,
}: {
  name: string
  id: string
  region: string | undefined
  field: string | undefined
  deps: TargetDeps
}): Cell<SeenSecret> {
  const store = createSecretStore({ name, secretId, region, deps })

  /** The value in a version's content. Throws `target-refused`. */
  function valueIn(content: string): string | undefined {
    if (field !== undefined) return parseJsonFields(content, name).get(field)
    // what an undo leaves where nothing was
    if (/^\s*\{\s*\}\s*$/.test(content)) return undefined
    refuseObject(content, name)
    return content
  }

  /** A version's content with another value in it (undefined: none). */
  function contentWith(value: string | undefined, content = '{}'): string {
    if (field === undefined) return value ?? '{}'
    const fields = parseJsonFields(content, name)
    return value === undefined ? fields.remove(field) : fields.set(field, value)
  }

  /** The id of the version that holds `secret` and else what `seen` does; `what` it is for. */
  function versionOf(
    secret: Secret,
    what: 'put' | 'removed',
    { secret: owner, current }: SeenSecret,
  ): string {
    const rest = createHash('sha256').update(contentWith('', current?.content)).digest('hex')
    return ownVersion(secret, [what, owner?.ARN ?? secretId, field ?? '', rest])
  }

  const firstOf = (secret: Secret) => ownVersion(secret, ['created', secretId, field ?? ''])

  /** Adds a version that is not read by applications yet, unless it is there. Resolves to its labels. */
  async function addVersion(id: string, content: string, seen: SeenSecret, signal: AbortSignal) {
    refuseTooLarge(name, content)
    const other = othersPending(seen)
    if (other !== undefined) throw rotating(name, secretId, other)
    const labels = seen.labels[id] ?? (await store.add(id, content, ['AWSPENDING'], signal))
    const added = await store.version({ id }, signal)
    if (added?.SecretString === content) return labels
    throw new KeysError('target-failed', `${name}: its new version ${id} does not hold what was written`, {
      hint: 'run the same command again',
    })
  }

  /** Makes a version the one that applications read, where that is still the one that was looked at. Throws Conflict. */
  async function makeCurrent(id: string, content: string, seen: SeenSecret, signal: AbortSignal) {
    const labels = await addVersion(id, content, seen, signal)
    // AWS makes a secret's very first version the current one by itself
    if (!labels.includes('AWSCURRENT')) {
      await store.move('AWSCURRENT', { from: seen.current?.id, to: id }, signal)
    }
    if (labels.includes('AWSPENDING')) await dropPending(id, signal)
  }

  /** That it lies elsewhere by now is as good. */
  async function dropPending(id: string, signal: AbortSignal): Promise<void> {
    await store.move('AWSPENDING', { from: id }, signal).catch((error: unknown) => {
      if (!(error instanceof Conflict)) throw error
    })
  }

  /** Whether a version is what `seen` was before its value was written: moving the label back undoes all of it. */
  async function isBefore(
    id: string | undefined,
    held: Held | undefined,
    seen: SeenSecret,
    signal: AbortSignal,
  ) {
    if (id === undefined || id === seen.current?.id) return false
    const content = (await store.version({ id }, signal))?.SecretString
    if (content === undefined) return false
    try {
      const isSame = valueIn(content) === held?.value.reveal()
      return isSame && contentWith(seen.held?.value.reveal(), content) === seen.current?.content
    } catch (error) {
      // somebody made something else of it meanwhile
      if (error instanceof KeysError) return false
      throw error
    }
  }

  return {
    async look(signal) {
      const secret = await store.describe(signal)
      const labels = Object.fromEntries(
        Object.entries(secret?.VersionIdsToStages ?? {}).filter(([, each]) => each.length > 0),
      )
      const seen = { region: await store.region(), labels, held: undefined }
      if (!secret) return seen
      if (secret.DeletedDate) {
        throw refusal(
          `${name}: the secret is about to be deleted`,
          `take it back: aws secretsmanager restore-secret --secret-id ${secretId}`,
        )
      }
      if (labelled({ labels }, 'AWSCURRENT') === undefined) return { ...seen, secret }
      const version = await store.version({ label: 'AWSCURRENT' }, signal)
      if (version?.VersionId === undefined) {
        throw new KeysError('target-failed', `${name}: it was changed while it was looked at`, {
          hint: 'run the same command again',
        })
      }
      const { SecretString: content, VersionId: id } = version
      if (content === undefined) {
        throw refusal(`${name}: the secret is binary`, 'keep the key in a secret that is text or JSON')
      }
      const value = valueIn(content)
      const held = value === undefined ? undefined : { value: new Secret(value), version: id }
      return { ...seen, secret, held, current: { id, content } }
    },

    identity: ({ secret }) => secret?.ARN,

    absence({ secret, region, current }) {
      if (!secret) return { message: `there is no secret ${secretId} in ${region}` }
      if (!current || field === undefined) return { message: 'the secret is there, with nothing in it' }
      const { names } = parseJsonFields(current.content, name)
      const some = names.length > 0 ? `, only ${names.slice(0, 10).join(', ')}` : ''
      return { message: `the secret has no field ${field}${some}` }
    },

    async prove(seen, signal) {
      const { secret, current, labels } = seen
      if (!secret) {
        if (region !== undefined) {
          throw refusal(`${name}: a secret cannot be made by its ARN`, 'write its name: aws-sm:<name>')
        }
        return [
          'that it may be made (secretsmanager:CreateSecret), and be removed by an undo (secretsmanager:DeleteSecret), cannot be proved beforehand',
        ]
      }
      const problems = unwritable(seen, name, secretId)
      if (problems.length > 0) throw together(problems)
      // What is there already is not made anew, and a label is not taken from where it is not: both are refused to whoever
      // may not do them, and change nothing for whoever may.
      if (current) await store.add(current.id, current.content, labels[current.id] ?? ['AWSCURRENT'], signal)
      const move = store.move('AWSCURRENT', { from: noVersion, to: current?.id ?? noVersion }, signal)
      await move.catch((error: unknown) => {
        if (!(error instanceof Conflict)) throw error
      })
      return unproved(seen, secretId)
    },

    async stage(secret, seen, signal) {
      // There the first version is the current one at once: nothing is put beside it.
      if (!seen.current) return secret
      const id = versionOf(secret, 'put', seen)
      const content = contentWith(secret.reveal(), seen.current.content)
      const labels = await addVersion(id, content, seen, signal)
      if (!labels.includes('AWSPENDING')) {
        await store.move('AWSPENDING', { from: labelled(seen, 'AWSPENDING'), to: id }, signal)
      }
      return secret
    },

    async put(secret, seen, signal) {
      const content = contentWith(secret.reveal(), seen.current?.content)
      if (seen.secret) return makeCurrent(versionOf(secret, 'put', seen), content, seen, signal)
      refuseTooLarge(name, content)
      await store.create(firstOf(secret), content, signal)
    },

    async settle(_secret, _expected, seen, signal) {
      const id = leftPending(seen)
      if (id !== undefined) await dropPending(id, signal)
    },

    async putBack(held, seen, signal) {
      const { current, labels } = seen
      if (!current || !seen.held) return
      // Only who made it knows that id: it is ours, and nobody has written since.
      const isOurs = current.id === firstOf(seen.held.value) && Object.keys(labels).length === 1
      if (!held && isOurs) return store.remove(signal)
      const before = held?.version ?? labelled(seen, 'AWSPREVIOUS')
      if (before !== undefined && (await isBefore(before, held, seen, signal))) {
        return store.move('AWSCURRENT', { from: current.id, to: before }, signal)
      }
      const id = versionOf(held?.value ?? seen.held.value, held ? 'put' : 'removed', seen)
      await makeCurrent(id, contentWith(held?.value.reveal(), current.content), seen, signal)
    },

    async unstage(staged, seen, signal) {
      const id = labelled(seen, 'AWSPENDING')
      if (id === undefined || !isOwnVersion(id)) return
      if (id === leftPending(seen)) return dropPending(id, signal)
      const content = (await store.version({ id }, signal))?.SecretString
      if (content === undefined) return
      if (valueIn(content) === staged.reveal()) await dropPending(id, signal)
    },
  }
}

// Rules of this file:
// - what a secret holds cannot be read, so nothing is concluded from what it may hold;
// - other people's writes are told by when the secret was last changed, as far as this process saw it;
// - what cannot be told is not guessed at: nothing is deleted that this process is not known to have made.
import { hasCode, KeysError } from '../errors.ts'
import type { Secret } from '../secret.ts'
import { gitHubAccount } from './github-account.ts'
import { type GitHubPlace, organizationPlace, repositoryPlace } from './github-place.ts'
import { unprovedRights } from './github-rights.ts'
import { createSecretClient, type Metadata } from './github-secret.ts'
import { oneWay, refusal, unknownBefore } from './refusal.ts'
import type { Scheme } from './scheme.ts'
import { loadSealedBox, type Seal } from './sealed-box.ts'
import { bounded } from './store.ts'
import type { StoreAnswer } from './store-request.ts'
import type { Target, TargetDeps } from './target.ts'

export const github: Scheme = {
  usage: 'github:<owner>/<repo>[/<environment>]#<NAME>',
  summary: 'an Actions secret of a GitHub repository, or of one of its environments',
  create: (name, text, deps) => create(name, repositoryPlace(name, text), deps),
}

export const githubOrg: Scheme = {
  usage: 'github-org:<organization>#<NAME>',
  summary: 'an Actions secret of a GitHub organization',
  create: (name, text, deps) => create(name, organizationPlace(name, text), deps),
}

/** What GitHub takes. Bytes. */
const largest = 48 * 1024
/** GitHub's clocks may be apart by this: what lies within it of our own write counts as ours. Milliseconds. */
const slackMs = 5_000

/** The last that this process saw or did: the secret was absent or last changed at an instant, or we wrote it at one. */
type Known = { updatedAt: string | undefined } | { writtenAt: number }

function create(name: string, place: GitHubPlace, deps: TargetDeps): ReturnType<Scheme['create']> {
  const account = gitHubAccount(name, deps.env)
  const { scheme, id, label, secretName } = place
  const client = createSecretClient({ name, account, place, deps })
  const store = `${scheme}:${account.host}/${id}`
  const loadBox = () => loadSealedBox({ name, program: deps.program })

  let known: Known | undefined
  /** When we made it, where we did. By GitHub's clock. */
  let madeAt: number | undefined
  /** A write has left that GitHub may have done. */
  let sent = false

  function refuseOthers(now: Metadata | undefined): void {
    if (known === undefined) return
    const isSame =
      'writtenAt' in known
        ? now !== undefined && Date.parse(now.updatedAt) <= known.writtenAt + slackMs
        : now?.updatedAt === known.updatedAt
    if (!isSame) throw changed(now)
  }

  function changed(now: Metadata | undefined): KeysError {
    const what = now === undefined ? 'it is gone' : `somebody else changed it, at ${now.updatedAt}`
    return new KeysError('target-changed', `${name}: ${what}`, {
      hint: 'find out who else writes there, then run the same command again',
    })
  }

  /** Undefined only where GitHub shows the place, and no secret in it: to who may not see either, it says the same. */
  async function look(signal: AbortSignal): Promise<Metadata | undefined> {
    const now = await client.metadata(signal)
    if (now !== undefined) return now
    try {
      await client.publicKey(signal)
    } catch (error) {
      if (!hasCode(error, 'target-refused')) throw error
      const reason = error.message.slice(`${name}: `.length)
      throw unseen(
        `whether there still is a secret ${secretName} in ${label} cannot be seen: ${reason}`,
        error,
      )
    }
    return undefined
  }

  function unseen(message: string, { hint, cause }: Pick<KeysError, 'hint' | 'cause'>): KeysError {
    return new KeysError('target-failed', `${name}: ${message}`, { hint, cause })
  }

  /** Seals it with the public key of this moment, and sends it once. */
  async function send(
    secret: Secret,
    { seal, settings }: { seal: Seal; settings: object },
    signal: AbortSignal,
  ): Promise<StoreAnswer> {
    const { key, keyId } = await client.publicKey(signal)
    const body = { ...settings, encrypted_value: seal(secret, key), key_id: keyId }
    const before = known
    sent = true
    known = undefined
    try {
      const answer = await client.put(body, signal)
      if (answer.status === 422 && !answer.maybeDone) [sent, known] = [false, before]
      return answer
    } catch (error) {
      if (error instanceof KeysError && !hasCode(error, 'target-unclear')) [sent, known] = [false, before]
      throw error
    }
  }

  async function put(secret: Secret, now: Metadata | undefined, signal: AbortSignal): Promise<void> {
    const size = Buffer.byteLength(secret.reveal())
    if (size > largest) {
      throw refusal(
        `${name}: it has ${size} bytes, and GitHub takes 48 KB (${largest}) at most`,
        'put it in another place',
      )
    }
    const how = { seal: await loadBox(), settings: await client.settings(now, signal) }
    let answer = await send(secret, how, signal)
    // a box for a key that has turned meanwhile opens no more
    if (answer.status === 422 && !answer.maybeDone) answer = await send(secret, how, signal)
    if (answer.status === 422) {
      const [code, aside] = answer.maybeDone
        ? (['target-unclear', ', and the answer to an earlier attempt was lost'] as const)
        : (['target-refused', ''] as const)
      throw new KeysError(code, `${name}: GitHub does not take it (422)${aside}`, {
        hint: `see whether ${label} has room for another secret; GitHub takes 100, of an organization 1,000`,
      })
    }
    const date = Date.parse(answer.headers.get('date') ?? '')
    if (Number.isNaN(date)) return
    known = { writtenAt: date }
    if (answer.status === 201) madeAt = date
  }

  const target: Target = {
    name,
    place: `${store}#${secretName}`,
    readback: 'none',

    async check(signal = never) {
      await loadBox()
      const unproved = await unprovedRights({ name, account, place, client }, signal)
      const now = await client.metadata(signal)
      if (now === undefined && !deps.createTarget) {
        throw refusal(
          `${name}: there is no secret ${secretName} in ${label}`,
          'check how it is spelt; --create-target makes it',
        )
      }
      await client.settings(now, signal)
      if (now === undefined && scheme === 'github-org') {
        unproved.push(`it will be made for private repositories (visibility private): see whom it is for`)
      }
      known = { updatedAt: now?.updatedAt }
      for (const sentence of unproved) deps.warn(`${name}: ${sentence}`)
    },

    async read(signal) {
      signal?.throwIfAborted()
      throw oneWay(name)
    },

    async write(secret, _expected, signal = never) {
      sent = false
      const now = await look(signal)
      refuseOthers(now)
      if (now === undefined && !deps.createTarget) {
        throw refusal(
          `${name}: there is no secret ${secretName} in ${label} any more`,
          'see who removed it; --create-target makes it anew',
        )
      }
      await put(secret, now, signal)
    },

    async restore(held, _written, signal = never) {
      sent = false
      const now = await look(signal)
      if (now === undefined && held === undefined) return
      // what is gone does not hold ours, and is not made again against somebody's will
      if (now === undefined) throw changed(now)
      refuseOthers(now)
      if (held) return put(held.value, now, signal)
      const isOurs = madeAt !== undefined && Math.abs(Date.parse(now.createdAt) - madeAt) <= slackMs
      if (!isOurs) throw unknownBefore(name)
      sent = true
      if (!(await client.remove(signal)) && (await look(signal)) !== undefined) {
        throw unseen(`GitHub does not find the secret to delete, and shows it all the same (404)`, {
          hint: `see whether the token in ${account.variable} has ${place.needs.words}, then run the same command again`,
          cause: undefined,
        })
      }
      known = { updatedAt: undefined }
      madeAt = undefined
    },
  }
  return { target: bounded(target, deps, () => sent), place: { store, field: secretName } }
}

const never = new AbortController().signal

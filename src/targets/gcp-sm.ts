// Rules of this file:
// - what counts is what an application finds that reads `latest`: the newest version, whatever its state;
// - Google adds a version whoever came before, so who came is known from its number, right after: theirs is put on top
//   again, and ours is disabled;
// - `latest` may lag behind by minutes, a version's own number never does: the newest is looked for by number;
// - nothing but versions of our own making is ever disabled, and no secret but one we made is deleted.
import { KeysError } from '../errors.ts'
import type { Secret } from '../secret.ts'
import { createSecretManager, type SecretManager } from './gcp-sm-client.ts'
import type { SecretName } from './gcp-sm-connection.ts'
import { createVersionText } from './gcp-sm-text.ts'
import { parseJsonFields } from './json-field.ts'
import { refusal } from './refusal.ts'
import { cutField, invalid, type Scheme } from './scheme.ts'
import { type Cell, Conflict, createStoreTarget, type Seen } from './store.ts'
import type { Held } from './target.ts'

const usage = 'gcp-sm:projects/<project>/secrets/<secret>[#<JSON field>]'
/** The most that one version holds. */
const largest = 65_536
const label = { 'created-by': 'pictify-keys' }
/** What `put` and `putBack` call. */
const permissions = ['access', 'add', 'disable', 'get'].map((verb) => `secretmanager.versions.${verb}`)
/** How far below the newest is looked for versions of ours, where their numbers are not known. */
const depth = 10

export const gcpSm: Scheme = {
  usage,
  summary: 'a secret of Google Secret Manager, or one field of its JSON',
  create(name, text, deps) {
    const { place, field } = cutField(name, text, usage)
    const secret = parseName(name, place)
    const cell = createCell({ name, field, secret, store: createSecretManager(name, secret, deps) })
    const target = createStoreTarget({ name, place: text, cell, deps })
    return { target, place: { store: `gcp-sm:${secret.full}`, field } }
  },
}

function parseName(name: string, place: string): SecretName {
  const parts = /^projects\/([a-z0-9:.-]+)(?:\/locations\/([a-z0-9-]+))?\/secrets\/([\w-]{1,255})$/.exec(
    place,
  )
  const [, project, location, id] = parts ?? []
  if (project !== undefined && id !== undefined) {
    const parent = `projects/${project}${location === undefined ? '' : `/locations/${location}`}`
    return { full: place, parent, project, location, id }
  }
  const hint = place.includes('/versions/') ? 'leave the version away: a new one is added' : `write ${usage}`
  throw invalid(`${name} does not name a secret of Google Secret Manager`, hint)
}

interface Found extends Seen {
  /** The number of the newest version, whatever its state; 0: there is none. */
  readonly newest: number
  /** All that the newest holds; undefined where it cannot be read by anybody. */
  readonly text: string | undefined
  /** Why it cannot: `disabled`, `destroyed`. */
  readonly why: string | undefined
}

/** What a version of ours is, made of another's text. */
type Make = (text: string | undefined) => string

/** A version that we added: its number and text, and the one it was made of, with what that held in our place. */
interface Ours {
  ours: number
  text: string
  from: number
  before: Secret | undefined
  make: Make
}

function createCell({
  name,
  field,
  secret,
  store,
}: {
  name: string
  field: string | undefined
  secret: SecretName
  store: SecretManager
}): Cell<Found> {
  const { valueOf, withValue, holds, isMadeOf } = createVersionText(name, field)

  async function textOf(version: number, signal: AbortSignal): Promise<string | undefined> {
    const found = await store.access(version, signal)
    return found.state === 'enabled' ? found.data.toString('utf8') : undefined
  }

  async function look(signal: AbortSignal): Promise<Found> {
    let found = await store.access('latest', signal)
    for (;;) {
      const next = await store.access((found.state === 'missing' ? 0 : found.number) + 1, signal)
      if (next.state === 'missing') break
      found = next
    }
    const newest = found.state === 'missing' ? 0 : found.number
    if (found.state !== 'enabled') {
      return {
        held: undefined,
        newest,
        text: undefined,
        why: found.state === 'closed' ? found.why : undefined,
      }
    }
    const text = decode(found.data)
    const value = valueOf(text)
    return { held: value && { value, version: String(newest) }, newest, text, why: undefined }
  }

  function decode(data: Buffer): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data)
    } catch (cause) {
      throw refusal(
        `${name}: what it holds is not UTF-8 text, so it is no key`,
        'check how it is spelt',
        cause,
      )
    }
  }

  /** The number of the new version, which was read back by it. */
  async function add(text: string, newest: number, signal: AbortSignal): Promise<number> {
    const data = Buffer.from(text)
    if (data.length > largest) {
      throw refusal(`${name}: Google Secret Manager holds 64 KiB at most`, 'keep it in a place of its own')
    }
    let number = await store.add(data, signal)
    if (number === undefined && newest === 0) {
      await store.create(label, signal)
      number = await store.add(data, signal)
    }
    // it was deleted since it was looked at
    if (number === undefined) throw new Conflict()
    const back = await store.access(number, signal)
    // whoever disabled it at once is found by the next look
    if (back.state !== 'enabled' || back.data.equals(data)) return number
    throw new KeysError('target-unclear', `${name}: version ${number} is not what was written`, {
      hint: 'find out what changed it on its way, then run the same command again',
    })
  }

  /** Adds what `make` makes of the newest, on top of it. Throws Conflict where somebody else's came between. */
  async function addOnTop(seen: Found, make: Make, signal: AbortSignal): Promise<void> {
    const text = make(seen.text)
    const ours = await add(text, seen.newest, signal)
    await giveWay({ from: seen.newest, ours, text, before: seen.held?.value, make }, signal)
  }

  /**
   * Puts the newest of somebody else's versions between `from` and `ours` on top again, disables ours, and throws
   * Conflict; returns where there is none. Of one that ours might as well have been made of nothing is lost.
   */
  async function giveWay(our: Ours, signal: AbortSignal): Promise<void> {
    const made = [our.ours]
    let theirs = await newestBetween(our.from, our.ours, (text) => text !== our.text, signal)
    if (theirs === undefined || (holds(theirs, our.before) && our.make(theirs) === our.text)) return
    for (let from = our.ours; theirs !== undefined;) {
      const onTop: string = theirs
      const number = await add(onTop, from, signal)
      made.push(number)
      theirs = await newestBetween(from, number, (text) => text !== onTop, signal)
      from = number
    }
    // theirs is on top before ours goes, so that `latest` can be read all the while
    for (const number of made.slice(0, -1)) await store.disable(number, signal)
    throw new Conflict()
  }

  /** Gives way where the call that wrote `value` was cut off before it knew who came before. Throws Conflict. */
  async function giveWayLate(value: Secret, before: Held | undefined, seen: Found, signal: AbortSignal) {
    const { text, newest } = seen
    const from = before ? Number(before.version) : await newestClosed(newest, signal)
    if (before?.value.equals(value) || !Number.isInteger(from)) return
    // where others have built on ours since, it is theirs by now
    const since = await newestBetween(from, newest, (each) => holds(each, value), signal)
    if (text === undefined || since !== undefined) return
    const make: Make = (each) => withValue(each, value)
    await giveWay({ from, ours: newest, text, before: before?.value, make }, signal)
  }

  /** Of those below `newest`, and not too far: where nothing was held, ours was made of none below that. */
  async function newestClosed(newest: number, signal: AbortSignal): Promise<number> {
    const lowest = Math.max(0, newest - depth)
    for (let number = newest - 1; number > lowest; number--) {
      if ((await textOf(number, signal)) === undefined) return number
    }
    return lowest
  }

  async function newestBetween(
    from: number,
    to: number,
    isTheirs: (text: string) => boolean,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    for (let number = to - 1; number > from; number--) {
      const text = await textOf(number, signal)
      if (text !== undefined && isTheirs(text)) return text
    }
    return undefined
  }

  /** Makes it hold nothing again: the secret is deleted where nothing but our first version was ever in it. */
  async function empty(newest: number, signal: AbortSignal): Promise<void> {
    const about = newest === 1 ? await store.about(signal) : 'hidden'
    const isOurs = typeof about === 'object' && about.labels['created-by'] === label['created-by']
    if (isOurs) await store.remove(about.etag, signal)
    else await store.disable(newest, signal)
  }

  return {
    look,

    async prove(_seen, signal) {
      const about = await store.about(signal)
      if (about === 'missing') {
        return [
          `whether we may make a secret in ${secret.parent}, and delete it again, cannot be known beforehand: that needs secretmanager.secrets.create and delete`,
        ]
      }
      const granted = await store.granted(permissions, signal)
      const lacking = permissions.filter((permission) => !granted.includes(permission))
      if (lacking.length > 0) {
        throw refusal(
          `${name}: the login lacks ${lacking.join(', ')}`,
          'give it the role of docs/targets.md, "Google Secret Manager"',
        )
      }
      if (about === 'hidden') {
        return ['whether it has version aliases cannot be seen without secretmanager.secrets.get']
      }
      const aliases = Object.entries(about.aliases).map(
        ([alias, version]) =>
          `the alias ${alias} stays with version ${version}: who reads by it goes on with what is there`,
      )
      const encrypted = 'it is encrypted by a key of your own, which is asked only when a version is added'
      return about.isCustomerEncrypted ? [...aliases, encrypted] : aliases
    },

    absence({ newest, text, why }) {
      if (text !== undefined) {
        const fields = parseJsonFields(text, name).names
        const hint =
          fields.length > 0 ? `it has the fields ${fields.slice(0, 10).join(', ')}` : 'it has no fields'
        return { message: `there is no field ${field} in ${secret.full}`, hint }
      }
      if (newest === 0) return { message: `there is no ${secret.full}, or it has no version` }
      const hint = `to have it read again: gcloud secrets versions enable ${newest} --secret=${secret.id} --project=${secret.project}`
      return {
        message: `its newest version, ${newest}, is ${why}, so that whoever reads latest finds nothing`,
        ...(why === 'disabled' && { hint }),
      }
    },

    async put(value, seen, signal) {
      await addOnTop(seen, (text) => withValue(text, value), signal)
    },

    settle: giveWayLate,

    async putBack(held, seen, signal) {
      const { text, newest } = seen
      if (seen.held) await giveWayLate(seen.held.value, held, seen, signal)
      if (held) return addOnTop(seen, (each) => withValue(each, held.value), signal)
      if (field === undefined || text === undefined) return empty(newest, signal)
      // an object that holds nothing else was made for us, unless there was one before
      const isAlone = parseJsonFields(text, name).names.length === 1
      const hadNone = newest === 1 || (await textOf(newest - 1, signal)) === undefined
      if (isAlone && hadNone) return empty(newest, signal)
      await addOnTop(seen, (each) => parseJsonFields(each ?? '{}', name).remove(field), signal)
    },

    async unstage(written, _seen, signal) {
      const { newest, held } = await look(signal)
      if (held?.value.equals(written)) return
      for (let number = newest - 1; number > Math.max(0, newest - depth); number--) {
        const text = await textOf(number, signal)
        if (text === undefined) continue
        if (!holds(text, written)) return
        const below = number === 1 ? undefined : await textOf(number - 1, signal)
        if (isMadeOf(below, text, written)) await store.disable(number, signal)
      }
    },
  }
}

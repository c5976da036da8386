// What really happened, seen from above all machines, and what may never have happened.
import type { Application, Place, World } from './world.ts'
import { idleMs } from './world.ts'
import { parseMark } from '../../src/rotation/marked-name.ts'

/** `Date` headers are cut to the second, and a request takes its time: so near to a border nothing is held against a run. */
const toleranceMs = 2_500

/** A process as far as it must be known to judge what it did. */
export interface Actor {
  readonly what: string
  /** The evidence was waived, or is none of this line's business. */
  readonly waived: boolean
  readonly revokesFirst: boolean
  /** When it last read the usage of a key. */
  readonly usageReadAt: ReadonlyMap<string, number>
  /** When it last read a place. */
  readonly placeReadAt: ReadonlyMap<string, number>
}

export interface Watch {
  readonly violations: string[]
  /** Ids of the keys that rotations made. */
  readonly minted: Set<string>
  /** Ids of the keys that people renamed, revoked or deleted. */
  readonly touched: Set<string>
  /** Ids of the keys that rotations revoked, and that nobody waived the evidence for. */
  readonly revoked: Set<string>
  /** Places and the revoked keys they hold by rights, or that have been told already. */
  readonly told: Set<string>
  /** Whether a state directory was lost, with what was in escrow there. */
  losesState: boolean
  /** Whether a run that was alive was taken over from, though the flag is for dead ones. */
  tookFromLiving: boolean
  /** Whether people did something that a line may have to stop for. */
  meddled: boolean
  used(keyId: string, at: number): void
  revokes(world: World, actor: Actor, keyId: string): void
  writes(world: World, actor: Actor, place: Place, before: string | undefined): void
}

export function createWatch(): Watch {
  const uses = new Map<string, number[]>()
  let writtenAt = -Infinity
  const watch: Watch = {
    violations: [],
    minted: new Set(),
    touched: new Set(),
    revoked: new Set(),
    told: new Set(),
    losesState: false,
    tookFromLiving: false,
    meddled: false,

    used(keyId, at) {
      const known = uses.get(keyId) ?? []
      known.push(at)
      if (known.length > 64) known.shift()
      uses.set(keyId, known)
    },

    /** A revoke of an active key has just come through. */
    revokes(world, actor, keyId) {
      const key = world.api.account.keys.get(keyId)
      const { usageLagMs, overlapMs } = world.setting
      const isOld = key !== undefined && parseMark(key.name) === undefined
      const isForced = actor.revokesFirst && isOld
      if (!isForced && !actor.waived) watch.revoked.add(keyId)
      for (const place of world.places) {
        if (key === undefined || place.value !== key.secret.reveal()) continue
        watch.told.add(`${place.name} ${keyId}`)
        if (isForced) continue
        if (actor.waived && place.readback === 'none') continue
        const isUnseen = place.editedAt >= (actor.placeReadAt.get(place.name) ?? -Infinity)
        if (place.editedAt === -Infinity || (!isUnseen && place.readback === 'value')) {
          watch.violations.push(`${actor.what} revoked ${keyId}, which ${place.name} holds`)
        }
      }
      if (isForced || actor.waived) return
      if (isOld && !actor.usageReadAt.has(keyId)) {
        watch.violations.push(`${actor.what} revoked ${keyId} and never saw its usage`)
      }
      const completeUpTo = (actor.usageReadAt.get(keyId) ?? world.now()) - usageLagMs
      const seen = (uses.get(keyId) ?? []).filter(
        (at) => at > completeUpTo - idleMs + toleranceMs && at < completeUpTo - toleranceMs,
      )
      const last = seen.at(-1)
      if (last !== undefined) {
        const ago = `${(world.now() - last) / 1_000} s`
        watch.violations.push(`${actor.what} revoked ${keyId}, which an application used ${ago} before`)
      }
      if (isOld && world.now() - writtenAt < overlapMs - toleranceMs) {
        watch.violations.push(`${actor.what} revoked ${keyId} before the overlap was over`)
      }
    },

    /** A place has just been written, or put back. */
    writes(world, actor, place, before) {
      if (place.value !== before) writtenAt = world.now()
      const key = world.keyOf(place.value)
      if (key === undefined || watch.touched.has(key.id)) return
      if (key.revokedAt !== null) {
        watch.violations.push(`${actor.what} put ${key.id} into ${place.name}, which is revoked`)
      } else if (place.value !== before && !hasSpread(world, key.createdAt)) {
        watch.violations.push(`${actor.what} put ${key.id} into ${place.name} before it was taken everywhere`)
      }
    },
  }
  return watch
}

function hasSpread(world: World, createdAt: number): boolean {
  return world.now() - createdAt >= world.setting.propagationMs
}

/** What a place holds works, unless people saw to it that it does not. */
export function validity(world: World): string[] {
  const { touched, told } = world.watch
  return world.places.flatMap((place) => {
    const key = world.keyOf(place.value)
    if (key === undefined || key.revokedAt === null || touched.has(key.id)) return []
    if (place.editedAt > -Infinity || told.has(`${place.name} ${key.id}`)) return []
    return [`${place.name} holds ${key.id}, which is revoked`]
  })
}

/** An application that was at it for so long that it showed is not refused, unless by people. */
export function refused(world: World, { held, place, busySince, follows }: Application): string[] {
  const key = world.keyOf(follows ? place.value : held)
  if (busySince === undefined || key === undefined || key.revokedAt === null) return []
  const shownForMs = key.revokedAt - busySince - world.setting.usageLagMs - idleMs
  if (shownForMs < toleranceMs || !world.watch.revoked.has(key.id)) return []
  return [`an application that uses ${key.id} is refused`]
}

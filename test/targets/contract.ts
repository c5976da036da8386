// What every target that can be read back must do, wherever it is. Each kind says how its place is set up and looked at
// without our code, and how its store fails.
import { beforeEach, describe, expect, test } from 'vitest'
import { Secret } from '../../src/secret.ts'
import { parseTarget } from '../../src/targets/index.ts'
import type { Held, Target, TargetDeps } from '../../src/targets/target.ts'
import {
  all,
  callInProcess,
  failure,
  type Fault,
  type Kept,
  old,
  successor,
  third,
  values,
  when,
} from './contract-fixture.ts'
import { describeFaults } from './contract-faults.ts'
import { testDeps } from './deps.ts'

export { all, failure, type Fault, old, successor, third }

/** One place in a store, made for one test. */
export interface Place {
  spec: string
  /** Puts a value there as somebody else would, not by our code; undefined: what holds it is there, and it is not. */
  put(value: string | undefined): Promise<void>
  /** What an application finds there, read without our code; undefined: nothing. */
  value(): Promise<string | undefined>
  /** All else that the store keeps beside it, for comparison: other fields, labels, settings. No versions. */
  others(): Promise<unknown>
  /** The store's own number or name of what it holds now, which every write changes. */
  version(): Promise<unknown>
}

export interface Kind {
  /** A target that is in no table, of somebody who uses the library: how it is made, here and in a process of its own. */
  own?: { create: (spec: string, deps: TargetDeps) => Target; module: string }
  /** A new place that nothing else uses, holding nothing yet; what holds it (a secret, a path) is not there either. */
  place(): Promise<Place>
  deps?: () => Partial<TargetDeps>
  /** The most bytes it takes, at least 64 KiB where the store does. */
  largest: number
  /** Values that the store cannot hold, and what is said of them at `write`. */
  refuses?: { value: string; message: RegExp }[]
  /** Whether the place can hold a value, where not every one that is text fits; what it cannot hold is refused. */
  holds?: (value: string) => boolean
  /** A file: it is made where there is none, without being asked to. */
  makesItself?: boolean
  /** Makes the store fail from now on; resolves to the way to end that. */
  fail?: (fault: Fault) => Promise<() => Promise<void>>
  /** Its library waits between two tries by a clock of its own, which cannot be hurried. */
  ownPauses?: boolean
  /** What the hint says of an expired login: the command that renews it. */
  loginHint?: RegExp
  /** Runs `change` when our next write has left and before the store has it. Undefined where a write cannot be come before. */
  beforeNextWrite?: (change: () => Promise<void>) => void
  /** Environment that a process of its own needs to reach the store. */
  env: () => Record<string, string>
}

/** What every target that can be read back must do, against its real store. */
export function describeTarget(kind: Kind): void {
  let place: Place
  /** All that was told of, in any way. */
  const told: string[] = []
  beforeEach(async () => {
    place = await kind.place()
  })
  const target = (more: Partial<TargetDeps> = {}): Target => {
    const tell = (text: string) => void told.push(text)
    const deps = testDeps('/', { debug: tell, warn: tell, env: process.env, ...kind.deps?.(), ...more })
    return (kind.own?.create ?? parseTarget)(place.spec, deps)
  }
  const snapshot = async () => ({ value: await place.value(), others: await place.others() })

  test('is called what the user wrote', () => {
    expect(target()).toMatchObject({ name: place.spec, readback: 'value' })
  })

  test('check passes and changes nothing', async () => {
    await place.put(old.reveal())
    const [before, version] = [await snapshot(), await place.version()]
    await target().check()
    expect(await snapshot()).toEqual(before)
    expect(await place.version()).toEqual(version)
  })

  describe('bytes in are bytes out', () => {
    test.each(Object.entries(values))('%s', async (_what, value) => {
      await roundTrip(value)
    })
    test('as large as the store takes', async () => {
      await roundTrip(`pk_live_${'x'.repeat(kind.largest - 8)}`)
    })

    async function roundTrip(value: string): Promise<void> {
      await place.put(old.reveal())
      const before = await snapshot()
      const held = await target().read()
      expect(held?.value.reveal()).toBe(old.reveal())
      if (kind.holds?.(value) === false) {
        expect((await failure(target().write(new Secret(value), held))).code).toBe('target-refused')
        return expect(await snapshot()).toEqual(before)
      }
      await target().write(new Secret(value), held)
      expect((await target().read())?.value.reveal()).toBe(value)
      expect(await snapshot()).toEqual({ ...before, value })
      await target().restore(held, new Secret(value))
      expect(await snapshot()).toEqual(before)
    }
  })

  describe('absent', () => {
    when(!kind.makesItself, test)(
      'is told from what cannot be read, and refused without --create-target',
      async () => {
        expect(await target().read()).toBeUndefined()
        const error = await failure(target().check())
        expect(error.code).toBe('target-refused')
        expect(error.hint).toContain('--create-target')
        expect(await target().read()).toBeUndefined()
      },
    )

    when(!kind.makesItself, test)('what holds it is there, and it is not: refused as well', async () => {
      await place.put(undefined)
      expect(await target().read()).toBeUndefined()
      expect((await failure(target().check())).code).toBe('target-refused')
    })

    test('with --create-target it is made, and undone it is gone', async () => {
      await target({ createTarget: true }).check()
      expect(await place.value()).toBeUndefined()
      await target({ createTarget: true }).write(successor, undefined)
      expect(await place.value()).toBe(successor.reveal())
      await target().restore(undefined, successor)
      expect(await place.value()).toBeUndefined()
      expect(await target().read()).toBeUndefined()
      await target().restore(undefined, successor)
      // and there is nothing in the way of the next
      await target({ createTarget: true }).check()
      await target({ createTarget: true }).write(third, undefined)
      expect(await place.value()).toBe(third.reveal())
    })
  })

  test('written twice is one change', async () => {
    await place.put(old.reveal())
    const held = await target().read()
    await target().write(successor, held)
    const version = await place.version()
    await target().write(successor, held)
    expect(await place.version()).toEqual(version)
    expect(await place.value()).toBe(successor.reveal())
  })

  test('undone twice is undone once; and it can be written again', async () => {
    await place.put(old.reveal())
    const before = await snapshot()
    const held = await target().read()
    await target().write(successor, held)
    await target().restore(held, successor)
    const version = await place.version()
    await target().restore(held, successor)
    expect(await place.version()).toEqual(version)
    expect(await snapshot()).toEqual(before)
    await target().write(successor, held)
    expect(await place.value()).toBe(successor.reveal())
    await target().restore(held, successor)
    expect(await snapshot()).toEqual(before)
  })

  describe('changed behind our back', () => {
    test('another value is not overwritten, by a write or an undo', async () => {
      await place.put(old.reveal())
      const held = await target().read()
      await place.put(third.reveal())
      const before = await snapshot()
      const version = await place.version()
      const calls = [
        () => target().write(successor, held),
        () => target().write(successor, undefined),
        () => target().restore(held, successor),
        () => target().restore(undefined, successor),
      ]
      for (const call of calls) {
        const error = await failure(call())
        expect(error.code).toBe('target-changed')
        expect(error.message).toContain(third.hint)
      }
      expect(await snapshot()).toEqual(before)
      expect(await place.version()).toEqual(version)
    })

    test('a value that is gone is not written', async () => {
      await place.put(undefined)
      const held: Held = { value: old }
      expect((await failure(target().write(successor, held))).code).toBe('target-changed')
      expect((await failure(target().restore(held, successor))).code).toBe('target-changed')
      expect(await place.value()).toBeUndefined()
    })

    when(kind.beforeNextWrite, test)('while our write is on its way: theirs wins', async () => {
      await place.put(old.reveal())
      const held = await target().read()
      kind.beforeNextWrite?.(() => place.put(third.reveal()))
      const error = await failure(target().write(successor, held))
      expect(error.code).toBe('target-changed')
      expect(await place.value()).toBe(third.reveal())
    })

    when(kind.beforeNextWrite, test)('while our undo is on its way: theirs wins', async () => {
      await place.put(old.reveal())
      const held = await target().read()
      await target().write(successor, held)
      kind.beforeNextWrite?.(() => place.put(third.reveal()))
      expect((await failure(target().restore(held, successor))).code).toBe('target-changed')
      expect(await place.value()).toBe(third.reveal())
    })
  })

  const { fail } = kind
  if (fail)
    describe('a store that fails', () =>
      describeFaults({ ...kind, fail }, { place: () => place, target, snapshot }))

  test('an aborted call changes nothing', async () => {
    await place.put(old.reveal())
    const held = await target().read()
    const reason = new Error('interrupted')
    const signal = AbortSignal.abort(reason)
    const calls = [
      () => target().check(signal),
      () => target().read(signal),
      () => target().write(successor, held, signal),
      () => target().restore(undefined, old, signal),
    ]
    for (const call of calls) await expect(call()).rejects.toBe(reason)
    expect(await place.value()).toBe(old.reveal())
  })

  describe('killed between the write and the journal', () => {
    test.each([
      ['a value', old.reveal()],
      ['nothing', undefined],
    ])('held %s: another process finishes it, and another undoes it', async (_what, before) => {
      if (before !== undefined) await place.put(before)
      const snapshotBefore = await snapshot()
      const held = await target().read()
      const kept = held && { value: held.value.reveal(), version: held.version }
      const inProcess = (action: 'killed' | 'write' | 'restore', kept: Kept | undefined) =>
        callInProcess({ spec: place.spec, action, kept, env: kind.env(), told, own: kind.own?.module })
      const { signal } = await inProcess('killed', kept)
      expect(signal).toBe('SIGKILL')
      expect(await place.value()).toBe(successor.reveal())
      const version = await place.version()
      expect(await inProcess('write', kept)).toMatchObject({ code: 0 })
      expect(await place.version()).toEqual(version)
      expect(await inProcess('restore', kept)).toMatchObject({ code: 0 })
      expect(await snapshot()).toEqual(snapshotBefore)
    })
  })

  when(kind.refuses, test)('what the store cannot hold is refused, and nothing is changed', async () => {
    for (const { value, message } of kind.refuses ?? []) {
      await place.put(old.reveal())
      const before = await snapshot()
      const held = await target().read()
      const error = await failure(target().write(new Secret(value), held))
      expect(error.code).toBe('target-refused')
      expect(error.message).toMatch(message)
      expect(await snapshot()).toEqual(before)
    }
  })

  test('nothing that was told of holds a secret', () => {
    for (const secret of all) expect(told.join('\n')).not.toContain(secret.reveal())
  })
}

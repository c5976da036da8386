// What every target must do that takes a value and never shows it. What it holds is looked at as an application would.
import { beforeEach, describe, expect, test } from 'vitest'
import { Secret } from '../../src/secret.ts'
import { parseTarget } from '../../src/targets/index.ts'
import type { Target, TargetDeps } from '../../src/targets/target.ts'
import { all, callInProcess, failure, old, successor, third, values, when } from './contract-fixture.ts'
import { describeOneWayStore, type OneWayStore } from './contract-one-way-store.ts'
import { testDeps } from './deps.ts'

/** One place, made for one test. */
export interface OneWayPlace {
  spec: string
  /** Puts a value there as somebody else would, not by our code; undefined: it is not there. */
  put(value: string | undefined): Promise<void>
  /** What an application finds there; undefined: nothing. */
  value(): Promise<string | undefined>
  /** All else that is kept beside it, for comparison. */
  others?(): Promise<unknown>
}

export interface OneWayKind {
  place(): Promise<OneWayPlace>
  deps?: () => Partial<TargetDeps>
  /** The most bytes it takes, where there is a limit; more is refused with these words. */
  largest?: { bytes: number; message: RegExp }
  /** Environment that a process of its own needs; undefined: only a person at this one can do it. */
  env?: () => Record<string, string>
  store?: OneWayStore
}

export function describeOneWayTarget(kind: OneWayKind): void {
  let place: OneWayPlace
  /** All that was told of, in any way. */
  const told: string[] = []
  beforeEach(async () => {
    place = await kind.place()
  })
  const target = (more: Partial<TargetDeps> = {}): Target => {
    const tell = (text: string) => void told.push(text)
    const deps = { debug: tell, warn: tell, env: process.env, ...kind.deps?.(), ...more }
    return parseTarget(place.spec, testDeps('/', deps))
  }
  const snapshot = async () => ({ value: await place.value(), others: await place.others?.() })

  test('is called what the user wrote, and cannot be read back', async () => {
    expect(target()).toMatchObject({ name: place.spec, readback: 'none' })
    const error = await failure(target().read())
    expect(error).toMatchObject({ code: 'target-failed' })
    expect(error.message).toContain(place.spec)
  })

  test('check passes and changes nothing', async () => {
    await place.put(old.reveal())
    const before = await snapshot()
    await target().check()
    expect(await snapshot()).toEqual(before)
  })

  describe('bytes in are bytes out', () => {
    test.each(Object.entries(values))('%s', async (_what, value) => {
      await thereAndBack(value)
    })
    test('as large as it takes', async () => {
      await thereAndBack(`pk_live_${'x'.repeat((kind.largest?.bytes ?? 64 * 1024) - 8)}`)
    })
    when(kind.largest, test)('larger is refused, and nothing is changed', async () => {
      await place.put(old.reveal())
      const before = await snapshot()
      const tooLarge = new Secret('x'.repeat((kind.largest?.bytes ?? 0) + 1))
      const error = await failure(target().write(tooLarge, undefined))
      expect(error.code).toBe('target-refused')
      expect(error.message).toMatch(kind.largest?.message ?? /^$/)
      expect(await snapshot()).toEqual(before)
    })

    async function thereAndBack(value: string): Promise<void> {
      await place.put(old.reveal())
      const before = await snapshot()
      await target().write(new Secret(value), undefined)
      expect(await snapshot()).toEqual({ ...before, value })
      await target().restore({ value: old }, new Secret(value))
      expect(await snapshot()).toEqual(before)
      // the old one is put back byte for byte too
      await target().restore({ value: new Secret(value) }, old)
      expect(await place.value()).toBe(value)
    }
  })

  test.each(['one target', 'a new one each time'])(
    'written, undone and written again, twice: %s',
    async (which) => {
      await place.put(old.reveal())
      const before = await snapshot()
      const one = target()
      const next = () => (which === 'one target' ? one : target())
      await next().check()
      for (let times = 0; times < 2; times++) await next().write(successor, undefined)
      expect(await snapshot()).toEqual({ ...before, value: successor.reveal() })
      for (let times = 0; times < 2; times++) await next().restore({ value: old }, successor)
      expect(await snapshot()).toEqual(before)
      await next().write(successor, undefined)
      expect(await place.value()).toBe(successor.reveal())
      await next().restore({ value: old }, successor)
      expect(await snapshot()).toEqual(before)
    },
  )

  test('what it held is not known: it cannot be undone, and says what would help', async () => {
    await place.put(old.reveal())
    const one = target()
    await one.check()
    await one.write(successor, undefined)
    for (const each of [one, target()]) {
      expect(await failure(each.restore(undefined, successor))).toMatchObject({
        code: 'target-failed',
        hint: 'give the old secret by --old-secret-stdin',
      })
    }
    expect(await place.value()).toBe(successor.reveal())
  })

  test('an aborted call changes nothing', async () => {
    await place.put(old.reveal())
    const reason = new Error('interrupted')
    const signal = AbortSignal.abort(reason)
    const calls = [
      () => target().write(successor, undefined, signal),
      () => target().restore({ value: third }, successor, signal),
      () => target().restore({ value: third }, old, signal),
    ]
    for (const call of calls) await expect(call()).rejects.toBe(reason)
    expect(await place.value()).toBe(old.reveal())
  })

  when(kind.env, test)(
    'killed between the write and the journal: another process finishes it, and another undoes it',
    async () => {
      await place.put(old.reveal())
      const before = await snapshot()
      const inProcess = (action: 'killed' | 'write' | 'restore') =>
        callInProcess({
          spec: place.spec,
          action,
          kept: { value: old.reveal() },
          env: kind.env?.() ?? {},
          told,
        })
      expect(await inProcess('killed')).toMatchObject({ signal: 'SIGKILL' })
      expect(await place.value()).toBe(successor.reveal())
      expect(await inProcess('write')).toMatchObject({ code: 0 })
      expect(await place.value()).toBe(successor.reveal())
      expect(await inProcess('restore')).toMatchObject({ code: 0 })
      expect(await snapshot()).toEqual(before)
    },
  )

  if (kind.store) describeOneWayStore(kind.store, { target, place: () => place, snapshot })

  test('nothing that was told of holds a secret', () => {
    for (const secret of all) expect(told.join('\n')).not.toContain(secret.reveal())
  })
}

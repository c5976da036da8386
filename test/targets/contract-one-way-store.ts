import { describe, expect, test } from 'vitest'
import { type Clock, systemClock } from '../../src/clock.ts'
import type { KeysError } from '../../src/errors.ts'
import { storeTimeoutMs } from '../../src/targets/store.ts'
import type { Target, TargetDeps } from '../../src/targets/target.ts'
import { failure, type Fault, hurried, old, successor, third } from './contract-fixture.ts'
import type { OneWayPlace } from './contract-one-way.ts'

/** What a store is asked for besides, which can say no, and tell when what it keeps was changed. */
export interface OneWayStore {
  /** Its own clock goes on, so that one change is told from another. */
  passTime: () => void
  /** How it fails; undefined where that is another suite's. */
  failing?: Failing
}

interface Failing {
  /** Fails from now on, all calls or only those that change something; resolves to the way to end that. */
  fail: (fault: Fault, calls: 'all' | 'changes') => Promise<() => Promise<void>>
  /** Does the next change, and does not answer it, as often as that. */
  loseAnswers: (count: number) => void
  /** Resolves when the next request has come that a slow store does not answer. */
  untilHeld: () => Promise<void>
  /** What the hint says of an expired login: the command that renews it. */
  loginHint: RegExp
}

interface Stage {
  target: (more?: Partial<TargetDeps>) => Target
  place: () => OneWayPlace
  snapshot: () => Promise<unknown>
}

/** What a one-way target must do where it writes to such a store. */
export function describeOneWayStore(store: OneWayStore, stage: Stage): void {
  const { target, place } = stage
  const { passTime, failing } = store
  describe('absent', () => {
    test('is refused without --create-target', async () => {
      await place().put(undefined)
      const calls = [() => target().check(), () => target().write(successor, undefined)]
      for (const call of calls) {
        const error = await failure(call())
        expect(error.code).toBe('target-refused')
        expect(error.hint).toContain('--create-target')
      }
      expect(await place().value()).toBeUndefined()
    })

    test('with --create-target it is made, and undone it is gone', async () => {
      await place().put(undefined)
      const one = target({ createTarget: true })
      await one.check()
      expect(await place().value()).toBeUndefined()
      await one.write(successor, undefined)
      expect(await place().value()).toBe(successor.reveal())
      for (let times = 0; times < 2; times++) await one.restore(undefined, successor)
      expect(await place().value()).toBeUndefined()
      await one.write(third, undefined)
      expect(await place().value()).toBe(third.reveal())
    })

    test('what was made and then taken over by somebody is not removed', async () => {
      await place().put(undefined)
      const one = target({ createTarget: true })
      await one.write(successor, undefined)
      passTime()
      await place().put(undefined)
      await place().put(third.reveal())
      expect((await failure(one.restore(undefined, successor))).code).toMatch(/^target-(changed|failed)$/)
      expect(await place().value()).toBe(third.reveal())
    })

    test('who does not know that it made it does not remove it', async () => {
      await place().put(undefined)
      await target({ createTarget: true }).write(successor, undefined)
      expect((await failure(target().restore(undefined, successor))).code).toBe('target-failed')
      expect(await place().value()).toBe(successor.reveal())
    })
  })

  describe('changed behind our back', () => {
    test.each([
      ['another value', third.reveal()],
      ['nothing any more', undefined],
    ])('since it was checked: %s is not overwritten', async (_what, theirs) => {
      await place().put(old.reveal())
      const one = target({ createTarget: true })
      await one.check()
      passTime()
      await place().put(theirs)
      expect((await failure(one.write(successor, undefined))).code).toBe('target-changed')
      expect(await place().value()).toBe(theirs)
    })

    test('made by somebody since it was found absent: it is left alone', async () => {
      await place().put(undefined)
      const one = target({ createTarget: true })
      await one.check()
      await place().put(third.reveal())
      expect((await failure(one.write(successor, undefined))).code).toBe('target-changed')
      expect(await place().value()).toBe(third.reveal())
    })

    test.each([
      ['another value', third.reveal()],
      ['nothing any more', undefined],
    ])('since it was written: %s is not overwritten by an undo', async (_what, theirs) => {
      await place().put(old.reveal())
      const one = target()
      await one.check()
      await one.write(successor, undefined)
      passTime()
      await place().put(theirs)
      expect((await failure(one.restore({ value: old }, successor))).code).toBe('target-changed')
      expect(await place().value()).toBe(theirs)
    })
  })

  if (failing) describeFailing(failing, passTime, stage)
}

/** Its pauses are short; its limits are what they are. */
const patient: Clock = {
  now: hurried.now,
  sleep: (ms, signal) => systemClock.sleep(ms < storeTimeoutMs ? ms / 30 : ms, signal),
}

function describeFailing(
  { fail, loseAnswers, untilHeld, loginHint }: Failing,
  passTime: () => void,
  { target, place, snapshot }: Stage,
): void {
  /** Its limits are over as soon as the store holds a request. */
  const short: Clock = {
    now: hurried.now,
    sleep: (ms, signal) => (ms < storeTimeoutMs ? patient.sleep(ms, signal) : untilHeld()),
  }

  describe('a store that fails', () => {
    /** Every call, while the store fails as said; nothing may have changed by the end, nor may the next not work. */
    async function whileFailing(
      fault: Fault,
      look: (error: KeysError, call: string) => void,
      calls: 'all' | 'changes' = 'all',
    ): Promise<void> {
      await place().put(old.reveal())
      const before = await snapshot()
      const mend = await fail(fault, calls)
      try {
        const broken = target({ clock: fault === 'slow' ? short : patient })
        if (calls === 'all') look(await failure(broken.check()), 'check')
        look(await failure(broken.write(successor, undefined)), 'write')
        look(await failure(broken.restore({ value: third }, successor)), 'restore')
      } finally {
        await mend()
      }
      expect(await snapshot()).toEqual(before)
      await target().check()
      await target().write(successor, undefined)
      expect(await place().value()).toBe(successor.reveal())
    }

    test.each(['all', 'changes'] as const)('forbidden (%s): says what is missing', async (calls) => {
      await whileFailing(
        'forbidden',
        ({ code, message }) => {
          expect(code).toBe('target-refused')
          expect(message).toContain(place().spec)
        },
        calls,
      )
    })

    test('expired login: says how to renew it', async () => {
      await whileFailing('expired', ({ code, hint }) => {
        expect(code).toBe('target-refused')
        expect(hint).toMatch(loginHint)
      })
    })

    test.each(['all', 'changes'] as const)(
      'throttled (%s): given up, and nothing was done',
      async (calls) => {
        await whileFailing('throttled', ({ code }) => expect(code).toBe('target-failed'), calls)
      },
    )

    test('throttled once: done all the same', async () => {
      await place().put(old.reveal())
      const mend = await fail('throttled once', 'changes')
      await target({ clock: patient }).write(successor, undefined)
      await mend()
      expect(await place().value()).toBe(successor.reveal())
    })

    test('down: nothing was sent, so nothing was done', async () => {
      await whileFailing('down', ({ code }) => expect(code).toBe('target-failed'))
    })

    test('slow: every call ends by itself, and nothing was done where nothing was sent', async () => {
      await whileFailing('slow', ({ code, message }) => {
        expect(code).toBe('target-failed')
        expect(message).toMatch(/no answer within \d+s$/)
      })
    })

    test.each(['slow', 'down'] as const)(
      '%s when a change was sent: it may have been done',
      async (fault) => {
        await whileFailing(fault, ({ code }) => expect(code).toBe('target-unclear'), 'changes')
      },
    )

    test('an answer that was lost is asked for again', async () => {
      await place().put(old.reveal())
      loseAnswers(1)
      await target({ clock: patient }).write(successor, undefined)
      expect(await place().value()).toBe(successor.reveal())
    })

    test('all answers lost: it may have been done, and was; the same target finishes it and undoes it', async () => {
      await place().put(old.reveal())
      const one = target({ clock: patient })
      await one.check()
      passTime()
      loseAnswers(4)
      expect((await failure(one.write(successor, undefined))).code).toBe('target-unclear')
      expect(await place().value()).toBe(successor.reveal())
      await one.write(successor, undefined)
      expect(await place().value()).toBe(successor.reveal())
      await one.restore({ value: old }, successor)
      expect(await place().value()).toBe(old.reveal())
    })
  })
}

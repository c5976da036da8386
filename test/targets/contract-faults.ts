// What a target that can be read back makes of a store that fails.
import { expect, test } from 'vitest'
import type { KeysError } from '../../src/errors.ts'
import type { Target, TargetDeps } from '../../src/targets/target.ts'
import { failure, type Fault, hurried, old, successor } from './contract-fixture.ts'
import type { Kind, Place } from './contract.ts'

/** What a test looks at: the place made for it, the target, and all that is there for comparison. */
interface Subject {
  place: () => Place
  target: (more?: Partial<TargetDeps>) => Target
  snapshot: () => Promise<unknown>
}

/** Registers a test for each way to fail. */
export function describeFaults(
  kind: Pick<Kind, 'loginHint' | 'ownPauses'> & { fail: NonNullable<Kind['fail']> },
  { place, target, snapshot }: Subject,
): void {
  /** Every call, while the store fails as said; nothing may have changed by the end. */
  async function whileFailing(
    fault: Fault,
    look: (error: KeysError) => void,
    more: Partial<TargetDeps> = {},
  ): Promise<void> {
    await place().put(old.reveal())
    const held = await target().read()
    const before = await snapshot()
    const mend = await kind.fail(fault)
    try {
      const broken = target(more)
      look(await failure(broken.check()))
      look(await failure(broken.write(successor, held)))
    } finally {
      await mend()
    }
    expect(await snapshot()).toEqual(before)
    await target().check()
  }

  test('forbidden: says what is missing, and that asking again is of no use', async () => {
    await whileFailing('forbidden', (error) => {
      expect(error.code).toBe('target-refused')
      expect(error.message).toContain(place().spec)
    })
  })

  test('expired login: says how to renew it', async () => {
    await whileFailing('expired', (error) => {
      expect(error.code).toBe('target-refused')
      expect(error.hint).toMatch(kind.loginHint ?? /^no hint was named$/)
    })
  })

  test('throttled, again and again: given up in bounded time', async () => {
    const look = (error: KeysError) => expect(error.code).toMatch(/^target-(failed|unclear)$/)
    await whileFailing('throttled', look, { clock: hurried })
  })

  test('throttled once: done all the same', async () => {
    await place().put(old.reveal())
    const held = await target().read()
    const mend = await kind.fail('throttled once')
    try {
      await target(kind.ownPauses ? {} : { clock: hurried }).write(successor, held)
    } finally {
      await mend()
    }
    expect(await place().value()).toBe(successor.reveal())
  })

  test('down: an error, and not "absent"', async () => {
    await place().put(old.reveal())
    const mend = await kind.fail('down')
    try {
      expect((await failure(target({ clock: hurried }).read())).code).toMatch(/^target-(failed|unclear)$/)
    } finally {
      await mend()
    }
    const look = (error: KeysError) => expect(error.code).toMatch(/^target-(failed|unclear)$/)
    await whileFailing('down', look, { clock: hurried })
  })

  test('slow: every call ends by itself', async () => {
    await whileFailing(
      'slow',
      (error) => {
        // it hangs before anything could be changed
        expect(error.code).toBe('target-failed')
        expect(error.message).toMatch(/no answer within \d+s$/)
      },
      { clock: hurried },
    )
  })
}

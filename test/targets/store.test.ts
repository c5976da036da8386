import { describe, expect, test } from 'vitest'
import { KeysError } from '../../src/errors.ts'
import type { Clock } from '../../src/clock.ts'
import type { Secret } from '../../src/secret.ts'
import { bounded, Conflict, createStoreTarget, type Cell, type Seen } from '../../src/targets/store.ts'
import type { Target } from '../../src/targets/target.ts'
import { failure, old, successor, third } from './contract.ts'
import { testDeps } from './deps.ts'

interface Versioned extends Seen {
  version: number
}

/** A store in memory that keeps to its versions, and somebody else who comes first as often as that. */
function createMemory(before?: Secret) {
  const memory = {
    value: before,
    staged: undefined as Secret | undefined,
    version: 1,
    /** What somebody else does before our next changes. */
    others: [] as (() => void)[],
    changes: 0,
    unproved: [] as string[],
  }
  const change = (seen: Versioned, make: () => void) => {
    memory.others.shift()?.()
    if (seen.version !== memory.version) throw new Conflict()
    make()
    memory.version += 1
    memory.changes += 1
  }
  const cell: Cell<Versioned> = {
    look: async () => ({ held: memory.value && { value: memory.value }, version: memory.version }),
    prove: async () => memory.unproved,
    absence: () => ({ message: 'there is no field KEY', hint: 'there is KEYS' }),
    put: async (secret, seen) => change(seen, () => (memory.value = secret)),
    putBack: async (held, seen) => change(seen, () => (memory.value = held?.value)),
  }
  return { memory, cell }
}

const target = (cell: Cell<Versioned>, more = {}) =>
  createStoreTarget({ name: 'memory:a', place: 'memory:a', cell, deps: testDeps('/', more) })
/** Another field was changed: the version moves, ours stays. */
const elsewhere = (memory: { version: number }) => () => void (memory.version += 1)

describe('a change on condition', () => {
  test('is made again on what is there by then, when another field was changed', async () => {
    const { memory, cell } = createMemory(old)
    memory.others = [elsewhere(memory), elsewhere(memory)]
    await target(cell).write(successor, { value: old })
    expect(memory.value).toBe(successor)
    expect(memory.changes).toBe(1)
    memory.others = [elsewhere(memory)]
    await target(cell).restore({ value: old }, successor)
    expect(memory.value).toBe(old)
  })

  test('is not made when ours was changed meanwhile', async () => {
    const { memory, cell } = createMemory(old)
    memory.others = [
      () => {
        memory.value = third
        memory.version += 1
      },
    ]
    const error = await failure(target(cell).write(successor, { value: old }))
    expect(error).toMatchObject({
      code: 'target-changed',
      message: `memory:a: it holds another value by now (${third.hint})`,
    })
    expect(memory.value).toBe(third)
  })

  test('is given up when others keep coming first', async () => {
    const { memory, cell } = createMemory(old)
    memory.others = Array.from({ length: 50 }, () => elsewhere(memory))
    expect(await failure(target(cell).write(successor, { value: old }))).toMatchObject({
      code: 'target-unclear',
      message: 'memory:a: others keep changing it',
    })
    expect(memory.value).toBe(old)
  })

  test('is not said to have failed by a look after a Conflict: its answer may have been lost', async () => {
    const { memory, cell } = createMemory(old)
    const made = { ...cell }
    cell.put = async (...given) => {
      await made.put(...given)
      const down = new KeysError('target-failed', 'memory:a: nobody there', { hint: 'see' })
      cell.look = () => Promise.reject(down)
      throw new Conflict()
    }
    const error = await failure(target(cell).write(successor, { value: old }))
    expect(error).toMatchObject({ code: 'target-unclear', message: 'memory:a: nobody there' })
    expect(memory.value).toBe(successor)
  })

  test('that cannot begin is said to have failed', async () => {
    const { cell } = createMemory(old)
    cell.look = () =>
      Promise.reject(new KeysError('target-failed', 'memory:a: nobody there', { hint: 'see' }))
    expect((await failure(target(cell).write(successor, { value: old }))).code).toBe('target-failed')
  })

  test('is none where it holds the secret already', async () => {
    const { memory, cell } = createMemory(successor)
    await target(cell).write(successor, { value: old })
    await target(cell).write(successor, undefined)
    expect(memory.changes).toBe(0)
  })
})

describe('check', () => {
  test('refuses what is not there, unless it is to be made', async () => {
    const { memory, cell } = createMemory()
    expect(await failure(target(cell).check())).toMatchObject({
      code: 'target-refused',
      message: 'memory:a: there is no field KEY',
      hint: 'there is KEYS; check how it is spelt; --create-target makes it',
    })
    await target(cell, { createTarget: true }).check()
    expect(memory.changes).toBe(0)
  })

  test('tells what could not be proved', async () => {
    const { memory, cell } = createMemory(old)
    memory.unproved = ['the right to use its KMS key']
    const told: string[] = []
    await target(cell, { warn: (text: string) => told.push(text) }).check()
    expect(told).toEqual(['memory:a: the right to use its KMS key'])
  })
})

describe('staging', () => {
  /** Adds a place beside the value in use. */
  function withStage(before?: Secret) {
    const { memory, cell } = createMemory(before)
    cell.stage = async (secret) => (memory.staged = secret)
    cell.unstage = async () => void (memory.staged = undefined)
    return { memory, cell }
  }

  test('is left away by stores that have no place for it', () => {
    expect(target(createMemory(old).cell).stage).toBeUndefined()
  })

  test('refuses as a write does, and is nothing where the secret is in use already', async () => {
    const { memory, cell } = withStage(third)
    const error = await failure(target(cell).stage?.(successor, { value: old }) ?? Promise.resolve())
    expect(error.code).toBe('target-changed')
    memory.value = successor
    expect(await target(cell).stage?.(successor, { value: old })).toBe(successor)
    expect(memory.staged).toBeUndefined()
  })

  test('is undone where it never came to the write', async () => {
    const { memory, cell } = withStage(old)
    expect(await target(cell).stage?.(successor, { value: old })).toBe(successor)
    expect(memory).toMatchObject({ value: old, staged: successor })
    await target(cell).restore({ value: old }, successor)
    expect(memory).toMatchObject({ value: old, staged: undefined })
  })
})

describe('the time limit', () => {
  /** A clock whose sleeps end when they are told to. */
  function createStopped(): { clock: Clock; ring: () => void } {
    let ring = () => {}
    const clock: Clock = {
      now: () => 0,
      sleep: (_ms, signal) =>
        new Promise((resolve, reject) => {
          ring = resolve
          signal?.addEventListener('abort', () => reject(signal.reason as Error))
        }),
    }
    return { clock, ring: () => ring() }
  }
  const endless = (signal: AbortSignal) =>
    new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error))
    })

  test.each([
    ['check', 'target-failed', (cell: Cell<Versioned>, clock: Clock) => target(cell, { clock }).check()],
    ['read', 'target-failed', (cell: Cell<Versioned>, clock: Clock) => target(cell, { clock }).read()],
    [
      'write',
      'target-failed',
      (cell: Cell<Versioned>, clock: Clock) => target(cell, { clock }).write(successor, undefined),
    ],
    [
      'restore',
      'target-failed',
      (cell: Cell<Versioned>, clock: Clock) => target(cell, { clock }).restore(undefined, successor),
    ],
  ])('ends a %s that gets no answer', async (_name, code, call) => {
    const { cell } = createMemory(old)
    let inner: AbortSignal | undefined
    cell.look = (signal) => endless((inner = signal))
    const { clock, ring } = createStopped()
    const pending = failure(call(cell, clock))
    ring()
    expect(await pending).toMatchObject({ code, message: 'memory:a: no answer within 30s' })
    expect(inner?.aborted).toBe(true)
  })

  test('knows what was asked for: a change may have been made', async () => {
    const { cell } = createMemory(old)
    cell.put = async (_secret, _seen, signal) => endless(signal)
    const { clock, ring } = createStopped()
    const pending = failure(target(cell, { clock }).write(successor, { value: old }))
    await new Promise((resolve) => setImmediate(resolve))
    ring()
    expect(await pending).toMatchObject({ code: 'target-unclear' })
  })

  test('nothing is changed by a look that ends too late', async () => {
    const { memory, cell } = createMemory(old)
    const look = cell.look.bind(cell)
    let release = () => {}
    cell.look = async (signal) => {
      await new Promise<void>((resolve) => (release = resolve))
      return look(signal)
    }
    const { clock, ring } = createStopped()
    const pending = failure(target(cell, { clock }).write(successor, { value: old }))
    ring()
    expect(await pending).toMatchObject({ code: 'target-failed' })
    release()
    await new Promise((resolve) => setImmediate(resolve))
    expect(memory).toMatchObject({ value: old, changes: 0 })
  })

  test('knows what was not asked for yet, where it is told', async () => {
    const { clock, ring } = createStopped()
    let asked = false
    const slow: Target = {
      ...target(createMemory(old).cell),
      write: async (_secret, _expected, signal = new AbortController().signal) => endless(signal),
    }
    const limited = bounded(slow, { clock }, () => asked)
    for (const code of ['target-failed', 'target-unclear']) {
      const pending = failure(limited.write(successor, undefined))
      ring()
      expect(await pending).toMatchObject({ code })
      asked = true
    }
  })

  test('leaves no timer behind', async () => {
    const { clock } = createStopped()
    let slept: AbortSignal | undefined
    const watched: Clock = { ...clock, sleep: (ms, signal) => clock.sleep(ms, (slept = signal)) }
    await target(createMemory(old).cell, { clock: watched }).read()
    expect(slept?.aborted).toBe(true)
  })

  test('an interruption is told as itself', async () => {
    const { cell } = createMemory(old)
    cell.look = endless
    const stop = new AbortController()
    const reason = new Error('interrupted')
    const pending = target(cell).read(stop.signal)
    stop.abort(reason)
    await expect(pending).rejects.toBe(reason)
  })
})

import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { KeysError, rotate, RotationError, Secret, type Held, type Target } from '../../src/library.ts'
import { failure, useStage } from './stage.ts'

const stage = useStage()

/** A place in memory that keeps the rules of a target; instances of a class are targets too. */
class Shelf implements Target {
  readonly name: string = 'shelf:app'
  readonly place: string = 'shelf at home'
  readonly readback: 'value' | 'none' = 'value'
  held: string | undefined
  readonly calls: string[] = []

  constructor(held: Secret | undefined) {
    this.held = held?.reveal()
  }

  async check(): Promise<void> {
    this.calls.push('check')
  }

  async read(): Promise<Held | undefined> {
    return this.held === undefined ? undefined : { value: new Secret(this.held) }
  }

  async write(secret: Secret, expected: Held | undefined): Promise<void> {
    this.calls.push('write')
    if (this.held !== secret.reveal() && this.held !== expected?.value.reveal())
      throw new KeysError('target-changed', `${this.name} was changed meanwhile`)
    this.held = secret.reveal()
  }

  async restore(held: Held | undefined): Promise<void> {
    this.calls.push('restore')
    this.held = held?.value.reveal()
  }
}

/** A shelf, some of which is something else. */
function shelf(own: Partial<Record<keyof Target, unknown>> = {}): Shelf {
  const made = new Shelf(stage.old.secret)
  for (const [name, value] of Object.entries(own)) Object.defineProperty(made, name, { value })
  return made
}

const run = (...targets: (string | Target)[]) =>
  rotate(stage.client, stage.old.id, stage.options({ targets }))

test('it is delivered to, beside the others, in the order they are given in', async () => {
  const own = shelf()
  const receipt = await run(own, 'env:.env')
  expect(receipt).toMatchObject({
    state: 'done',
    targets: [
      { name: 'shelf:app', state: 'delivered' },
      { name: 'env:.env', state: 'delivered' },
    ],
  })
  expect(own.held).toBe(await stage.held())
  expect(own.held).toBe(stage.key(receipt.newKey?.id)?.secret.reveal())
})

test('it is put back where another target fails for good', async () => {
  const own = shelf()
  const other = shelf({ name: 'shelf:other', place: 'elsewhere' })
  other.write = async () => {
    throw new KeysError('target-changed', 'somebody was here', { hint: 'ask around' })
  }
  const error = await failure(run(own, other))
  expect(error).toMatchObject({ code: 'rotation-undone', hint: 'ask around' })
  expect(own.calls).toContain('restore')
  expect(own.held).toBe(stage.old.secret.reveal())
})

describe('what it throws', () => {
  test('on check is a refusal, with nothing changed', async () => {
    const check = () => {
      throw new Error('the shelf is locked')
    }
    const error = await failure(run(shelf({ check })))
    expect(error).toMatchObject({
      code: 'target-refused',
      message: 'shelf:app: checking failed: the shelf is locked',
    })
    expect(error.cause).toMatchObject({ message: 'the shelf is locked' })
    expect(stage.sandbox.keys()).toHaveLength(2)
  })

  test('on write is unclear, for it may have been written: the place is looked at and put back', async () => {
    const own = shelf()
    own.write = async (secret) => {
      own.held = secret.reveal()
      throw new Error(`cut off while writing ${secret.reveal()}`)
    }
    const error = await failure(run(own))
    expect(error).toBeInstanceOf(RotationError)
    expect(error).toMatchObject({ code: 'rotation-undone' })
    expect(error.message).toContain('cut off while writing [secret]')
    expect(inspect(error)).not.toMatch(/pk_live_\w/)
    expect(own.held).toBe(stage.old.secret.reveal())
    const journals = path.join(stage.folder, 'state', 'rotations')
    const receipt = (error as RotationError).receipt
    const text = await readFile(path.join(journals, `${stage.old.id}.${receipt.id}.json`), 'utf8')
    expect(text).toContain('cut off while writing [secret]')
  })

  test('is told without what it carries: a request, and what signs that in', async () => {
    class HttpError extends Error {
      override readonly name = 'HttpError'
      readonly config = { headers: { Authorization: 'Bearer hunter2' } }
    }
    const check = () => {
      const root: Error = new HttpError(`refused ${stage.old.secret.reveal()}`)
      root.cause = new KeysError('api-error', 'below', { cause: root })
      throw new KeysError('target-refused', 'the shelf is locked', { hint: 'unlock it', cause: root })
    }
    const error = await failure(run(shelf({ check })))
    expect(error).toMatchObject({ code: 'target-refused', hint: 'unlock it' })
    expect(error.cause).toMatchObject({ name: 'HttpError', cause: { code: 'api-error', message: 'below' } })
    const shown = inspect(error, { depth: Infinity, showHidden: true })
    expect(shown).toContain('own-target.test.ts')
    expect(shown).not.toMatch(/hunter2|pk_live_\w/)
  })

  test('once is tried again', async () => {
    class Shaky extends Shelf {
      times = 0

      override async write(secret: Secret, expected: Held | undefined): Promise<void> {
        this.times += 1
        if (this.times === 1) throw new Error('a hiccup')
        return super.write(secret, expected)
      }
    }
    const own = new Shaky(stage.old.secret)
    expect(await run(own)).toMatchObject({ state: 'done' })
    expect(stage.events).toContainEqual(
      expect.objectContaining({ event: 'target-failed', message: 'shelf:app: writing failed: a hiccup' }),
    )
  })
})

test('it is not waited for beyond its time, and its signal tells it so', async () => {
  let aborted = false
  const check = (signal: AbortSignal) =>
    new Promise(() => signal.addEventListener('abort', () => (aborted = true), { once: true }))
  const error = await failure(run(shelf({ check, timeoutMs: 50 })))
  expect(error).toMatchObject({
    code: 'target-refused',
    message: 'shelf:app: checking took longer than 50ms',
  })
  expect(aborted).toBe(true)
})

test.each([
  ['null', null],
  ['a text', 'pk_live_abcdefghijkl'],
  ['a text as the value', { value: 'pk_live_abcdefghijkl' }],
])('a read that gives %s is no proof that the place is empty', async (_, given) => {
  const error = await failure(run(shelf({ read: async () => given })))
  expect(error).toMatchObject({ code: 'target-failed' })
  expect(error.message).not.toContain('abcdefghijkl')
  expect(stage.sandbox.keys()).toHaveLength(2)
})

describe('refused at once', () => {
  test.each<[string, Partial<Record<keyof Target, unknown>>, RegExp]>([
    ['no name', { name: '' }, /has no name/],
    ['no place', { place: undefined }, /has no place/],
    ['a name of two lines', { name: 'a\nb' }, /has no name/],
    ['the name of a built-in kind', { name: 'env:.env' }, /as if it were an? env: target/],
    ['nothing about reading back', { readback: undefined }, /whether it can be read back/],
    ['no restore', { restore: undefined }, /has no restore\(\)/],
    ['a secret in its name', { name: 'shelf:pk_live_abcdefghijkl' }, /has a secret written in it/],
  ])('%s', async (_, own, message) => {
    const error = await failure(run(shelf(own)))
    expect(error).toMatchObject({ code: 'invalid-target', hint: expect.any(String) as string })
    expect(error.message).toMatch(message)
  })

  test('two in one place', async () => {
    expect(await failure(run(shelf(), shelf({ name: 'shelf:again' })))).toMatchObject({ code: 'usage' })
  })
})

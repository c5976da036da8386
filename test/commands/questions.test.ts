import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { create } from '../../src/commands/create.ts'
import { deleteKeys } from '../../src/commands/delete.ts'
import { commands } from '../../src/commands/index.ts'
import { revoke } from '../../src/commands/revoke.ts'
import { setStage, type Stage } from './stage.ts'

const day = 86_400_000
let stage: Stage
beforeEach(async () => {
  stage = await setStage()
})
afterEach(() => stage.end())

const key = (name: string, lastUsedAt?: number) =>
  stage.sandbox.dashboard.create({
    name,
    createdAt: Date.now() - 90 * day,
    ...(lastUsedAt !== undefined && { lastUsedAt }),
  })
const status = (id: string) => stage.sandbox.keys().find((each) => each.id === id)?.status

describe('revoke', () => {
  test('asks once for all keys, and does it on a yes', async () => {
    const [a, b] = [key('A'), key('B')]
    const played = await stage.play(revoke, { keys: ['A', 'B'] }, { 'Revoke 2 keys (A': true })
    expect(played.error).toBeUndefined()
    expect(played.questions).toHaveLength(1)
    expect([status(a.id), status(b.id)]).toEqual(['revoked', 'revoked'])
    expect(played.stdout).toBe(`revoked A (${a.id})\nrevoked B (${b.id})\n`)
  })

  test('does nothing on a no', async () => {
    const a = key('A')
    const played = await stage.play(revoke, { keys: ['A'] }, { 'Revoke A': false })
    expect(played.error).toMatchObject({ code: 'not-confirmed', exit: 1 })
    expect(status(a.id)).toBe('active')
  })

  test('a key of late use needs its name typed, even with --yes', async () => {
    const busy = key('Busy', Date.now() - 3_660_000)
    const wrong = await stage.play(
      revoke,
      { keys: ['Busy'], yes: true },
      { 'Revoke it for good? Type': 'busy' },
    )
    expect(wrong.error).toMatchObject({ exit: 1 })
    expect(status(busy.id)).toBe('active')
    const right = await stage.play(
      revoke,
      { keys: ['Busy'], yes: true },
      { 'Revoke it for good? Type': 'Busy' },
    )
    expect(right.error).toBeUndefined()
    expect(right.stderr).toContain('was used 1h ago')
    expect(status(busy.id)).toBe('revoked')
  })

  test('--force waives the name, not the question', async () => {
    const busy = key('Busy', Date.now() - 3_660_000)
    const no = await stage.play(revoke, { keys: ['Busy'], force: true }, { 'Revoke Busy': false })
    expect(no.error).toMatchObject({ exit: 1 })
    expect(status(busy.id)).toBe('active')
    const both = await stage.play(revoke, { keys: ['Busy'], force: true, yes: true }, {})
    expect(both.questions).toEqual([])
    expect(status(busy.id)).toBe('revoked')
  })

  test('a key used more than 24 h ago is only asked about', async () => {
    const idle = key('Idle', Date.now() - 25 * 3_600_000)
    await stage.play(revoke, { keys: ['Idle'] }, { 'Revoke Idle': true })
    expect(status(idle.id)).toBe('revoked')
  })
})

describe('delete', () => {
  test('asks, and does nothing on a no', async () => {
    const a = key('A')
    stage.sandbox.dashboard.revoke(a.id)
    const no = await stage.play(deleteKeys, { keys: ['A'] }, { 'Delete A': false })
    expect(no.error).toMatchObject({ exit: 1 })
    expect(status(a.id)).toBe('revoked')
    const yes = await stage.play(deleteKeys, { keys: ['A'] }, { 'Delete A': true })
    expect(yes.result).toEqual({ deleted: [a.id] })
    expect(status(a.id)).toBeUndefined()
  })

  test('--revoke says in its question that it does both', async () => {
    const a = key('A')
    const played = await stage.play(
      deleteKeys,
      { keys: ['A'], revoke: true },
      { 'Revoke and delete A': true },
    )
    expect(played.error).toBeUndefined()
    expect(status(a.id)).toBeUndefined()
  })
})

describe('create', () => {
  test('asks for the type', async () => {
    const question = { 'A live or a test key?': 'test: 100 renders a day, watermarked' }
    const played = await stage.play(create, { name: 'App' }, question)
    expect(played.stdout).toMatch(/^pk_test_\w+\n$/)
    expect(played.result).toMatchObject({ apiKey: { name: 'App', type: 'test' } })
  })
})

test('the table says of each command what the command says of itself', async () => {
  for (const { name, summary, load } of commands) {
    const command = await load()
    expect({ name: command.name, summary: command.summary }).toEqual({ name, summary })
    expect(command.examples.length).toBeGreaterThan(0)
    expect(command.examples.join('\n')).toContain(`pictify-keys ${name}`)
  }
})

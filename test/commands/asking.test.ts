import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createClient } from '../../src/api/client.ts'
import type { Key } from '../../src/api/contract.ts'
import { create } from '../../src/commands/create.ts'
import { deleteKeys } from '../../src/commands/delete.ts'
import { lastUses } from '../../src/commands/last-use.ts'
import { rename } from '../../src/commands/rename.ts'
import { revoke } from '../../src/commands/revoke.ts'
import { setStage, type Stage } from './stage.ts'

const plainKey: Key = {
  id: 'key_1',
  name: 'A',
  type: 'live',
  status: 'active',
  createdAt: '2026-01-01T00:00:00.000Z',
  lastUsedAt: null,
}

// What a person leaves away is asked for, and what destroys says what it would destroy.

const day = 86_400_000
let stage: Stage
beforeEach(async () => {
  stage = await setStage()
})
afterEach(() => stage.end())

const key = (name: string, past: { lastUsedAt?: number; type?: 'live' | 'test' } = {}) =>
  stage.sandbox.dashboard.create({ name, createdAt: Date.now() - 90 * day, ...past })
const status = (id: string) => stage.sandbox.keys().find((each) => each.id === id)?.status

async function use(secret: { reveal(): string }, userAgent: string): Promise<void> {
  const headers = { authorization: `Bearer ${secret.reveal()}`, 'user-agent': userAgent }
  expect((await fetch(`${stage.sandbox.url}/templates?limit=1`, { headers })).status).toBe(200)
}

describe('create', () => {
  test('asks for the name, the type and the access; a name that is none is told at once', async () => {
    const played = await stage.play(
      create,
      { print: true },
      { 'What uses the key?': 'Worker', 'A live or': 'test:', 'What may it do?': 'read-only:' },
    )
    expect(played.error).toBeUndefined()
    expect(played.questions).toHaveLength(3)
    expect(stage.sandbox.keys()).toContainEqual(
      expect.objectContaining({ name: 'Worker', type: 'test', access: 'read-only' }),
    )
    const refused = await stage.play(create, {}, { 'What uses the key?': 'x'.repeat(101) })
    expect(refused.error).toMatchObject({ code: 'invalid-name' })
    const marked = await stage.play(create, {}, { 'What uses': 'A (rotating key_1 #aaaaaa-bbbbbb-0)' })
    expect(marked.error).toMatchObject({ code: 'invalid-name' })
  })
})

describe('rename', () => {
  test('asks which key, and for its new name, which begins as the old one', async () => {
    const a = key('Server')
    key('Other')
    const played = await stage.play(
      rename,
      {},
      { 'Which key gets another name?': 'Server', 'What is its new name?': 'Production Server' },
    )
    expect(played.error).toBeUndefined()
    expect(stage.sandbox.keys().find(({ id }) => id === a.id)?.name).toBe('Production Server')
    // Enter alone leaves what stands there
    const same = await stage.play(rename, { key: a.id }, { 'What is its new name?': true })
    expect(same.result).toMatchObject({ apiKey: { name: 'Production Server' } })
  })
})

describe('revoke', () => {
  test('asks which keys, of those that are active, and says who last used each', async () => {
    const [busy, idle, gone] = [key('Busy'), key('Idle', { lastUsedAt: Date.now() - 40 * day }), key('Gone')]
    stage.sandbox.dashboard.revoke(gone.id)
    await use(busy.secret, 'my-app/2.1')
    const played = await stage.play(
      revoke,
      {},
      {
        'Which keys are to be revoked?': ['Busy', 'Idle'],
        'Revoke Idle': true,
        'Revoke it for good? Type': 'Busy',
      },
    )
    expect(played.error).toBeUndefined()
    expect([busy, idle].map(({ id }) => status(id))).toEqual(['revoked', 'revoked'])
    expect(played.stderr).toMatch(
      new RegExp(`Busy \\(${busy.id}\\) was last used just now \\(.*Z\\) by my-app/2\\.1 from \\S+`),
    )
    expect(played.stderr).toMatch(
      /Idle \(\w+\) was last used 1mo ago \(.*Z\); the audit log has nothing of it/,
    )
    const none = await stage.play(revoke, {}, { 'Which keys': ['Gone'] })
    expect(String(none.error)).toContain('no such choice')
  })

  test('says of the last use that it was ours only where nobody else is in the log', async () => {
    const a = key('App')
    await use(a.secret, 'their-app/1')
    await use(a.secret, 'pictify-keys/0.1.0')
    const played = await stage.play(revoke, { keys: ['App'] }, { 'Revoke it for good? Type': 'App' })
    expect(played.stderr).toContain('by their-app/1 from')
  })

  test('says where the account has no audit log', async () => {
    const api = createClient({
      fetch: async () => new Response('{"title":"Not Found","status":404}', { status: 404 }),
      baseUrl: stage.sandbox.url,
      credential: stage.sandbox.adminKey,
      version: '0.0.0',
      answersTo: () => false,
    })
    const used = { ...plainKey, lastUsedAt: '2026-01-02T03:04:05.000Z' }
    const { signal } = new AbortController()
    expect(await lastUses(api, [used, plainKey], signal)).toEqual([
      expect.stringMatching(/ \(2026-01-02T03:04:05.000Z\); there is no audit log that says by whom$/),
      'A (key_1) was never used',
    ])
  })

  test.each([
    ['it fails', 'status-500:GET /audit-logs'],
    ['something else answers', 'html:GET /audit-logs'],
  ])('is done without an audit log: %s', async (_, fault) => {
    stage.sandbox.addFault(fault)
    const a = key('App', { lastUsedAt: Date.now() - 40 * day })
    const played = await stage.play(revoke, { keys: ['App'] }, { 'Revoke App': true })
    expect(played.error).toBeUndefined()
    expect(played.stderr).toContain('the audit log cannot be read: ')
    expect(status(a.id)).toBe('revoked')
  })

  test('asks the log nothing where it asks nothing', async () => {
    const a = key('App', { lastUsedAt: Date.now() - 40 * day })
    const played = await stage.play(revoke, { keys: [a.id], yes: true })
    expect(played.stderr).not.toContain('was last used')
    expect(status(a.id)).toBe('revoked')
  })

  test('a name full of what a terminal acts on is said without it', async () => {
    const a = key('A\u001b[2J\u202eB')
    const played = await stage.play(revoke, { keys: [a.id] }, { Revoke: false })
    expect(played.stderr).toContain(`(${a.id}) was never used`)
  })
})

describe('delete', () => {
  test('offers what is revoked; with --revoke, all', async () => {
    const [a, b] = [key('A'), key('B')]
    stage.sandbox.dashboard.revoke(b.id)
    const question = 'Which revoked keys are to be deleted?'
    const wrong = await stage.play(deleteKeys, {}, { [question]: ['A'] })
    expect(String(wrong.error)).toContain('no such choice')
    const one = await stage.play(deleteKeys, {}, { [question]: ['B'], 'Delete B': true })
    expect(one.result).toEqual({ deleted: [b.id] })
    expect(one.stderr).toContain('was never used')
    const both = await stage.play(
      deleteKeys,
      { revoke: true },
      { 'Which keys are to be revoked and deleted?': ['A'], 'Revoke and delete A': true },
    )
    expect(both.result).toEqual({ deleted: [a.id] })
  })

  test('where there is nothing to choose says so', async () => {
    const played = await stage.play(deleteKeys, {}, {})
    expect(played.error).toMatchObject({ code: 'api-key-not-found', message: 'there is no revoked key' })
  })
})

import { spawn as spawnOnTerminal } from '@lydell/node-pty'
import { parse } from 'csv-parse/sync'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createSandbox, type Sandbox, type SandboxKey } from '../../src/sandbox/server.ts'
import { fc } from '../property.ts'
import { actsOnTerminal, createHostileApi, evil, type HostileApi } from './hostile.ts'
import { createHome, type Home } from './program.ts'

// The real program, on a real terminal and on pipes, against an API whose every string is hostile. `npm test` runs a
// part of it, `npm run test:torture` the whole.

const bin = fileURLToPath(new URL('../../bin/pictify-keys.js', import.meta.url))
let sandbox: Sandbox
let home: Home
let old: SandboxKey
const waits = ['--settle', '100ms', '--idle', '0s', '--usage-lag', '0s', '--wait', '20s']

/** Says how the line ended, and waits until that was seen: what is on its way when a terminal closes may be lost. */
const untilSeen = 'trap : INT; "$@"; printf "\\n<exit %s>" $?; read -r _'

/** Runs the line on a terminal of this width; `answers` are typed as each text comes up. */
async function onTerminal(line: readonly string[], answers: [when: string, keys: string][] = [], cols = 400) {
  const words = ['-c', untilSeen, 'sh', process.execPath, bin, ...line]
  const terminal = spawnOnTerminal('sh', words, { cwd: home.directory, env: home.env, cols })
  const left = [...answers]
  let text = ''
  let from = 0
  let ended: RegExpExecArray | null = null
  terminal.onData((more) => {
    text += more
    ended ??= /\r*\n<exit (\d+)>/.exec(text)
    if (ended !== null) return terminal.write('\r')
    const [when, keys] = left[0] ?? []
    if (when === undefined || keys === undefined || !text.includes(when, from)) return
    left.shift()
    from = text.length
    // stale keys are dropped while a question is being put
    setTimeout(() => terminal.write(keys), 300)
  })
  await new Promise((resolve) => terminal.onExit(resolve))
  const { index, 1: exit } = ended as unknown as RegExpExecArray
  return { screen: text.slice(0, index), exitCode: Number(exit) }
}

async function start(keys: number): Promise<void> {
  sandbox = await createSandbox({ propagationMs: 0, seed: 9, plan: 'enterprise', keys })
  home = await createHome({ PICTIFY_API_URL: sandbox.url, PICTIFY_ADMIN_KEY: sandbox.adminKey.reveal() })
}

async function end(): Promise<void> {
  await sandbox.close()
  await home.remove()
}

export function testTerminalSafety({ whole }: { whole: boolean }): void {
  describe('an API whose every string is hostile', () => {
    let api: HostileApi
    beforeEach(async () => {
      await start(3)
      old = sandbox.dashboard.create({ name: 'Server', createdAt: Date.now() - 86_400_000 })
      await writeFile(path.join(home.directory, '.env'), `PICTIFY_API_KEY=${old.secret.reveal()}\n`)
      api = await createHostileApi(sandbox.url)
      home.env['PICTIFY_API_URL'] = api.url
    })
    afterEach(async () => {
      await api.close()
      await end()
    })

    const lines: [line: string[], rows: number, quick?: boolean][] = [
      [['list'], 6, true],
      [['list', '--format', 'csv'], 6, true],
      [['list', '--format', 'id'], 5],
      [['list', '--format', 'ndjson'], 5],
      [['list', '--format', 'json'], 0],
      [['list', '--json', '--debug'], 0],
      [['show', ':id'], 7],
      [['usage'], 0, true],
      [['usage', ':id'], 0],
      [['incident', ':id'], 0, true],
      [['incident', ':id', '--format', 'markdown'], 0],
      [['incident', ':id', '--format', 'html'], 0],
      [['status'], 0, true],
      [['rename', ':id', 'Another'], 1],
      [['revoke', ':id', '--force', '--yes'], 1],
      [['delete', ':id', '--revoke', '--force', '--yes', '--debug'], 0, true],
      [['rotate', ':id', '--to', 'env:.env', '--if-older-than', '90d'], 1],
      [['rotate', ':id', '--to', 'env:.env', '--compromised', '--debug', ...waits], 0, true],
      [['rotations', '--account', '--debug'], 0],
    ]
    test.each(lines.filter(([, , quick]) => whole || quick))(
      '%j shows text and nothing else on a terminal',
      async (line, rows) => {
        const { screen } = await onTerminal(line.map((word) => (word === ':id' ? old.id : word)))
        expect(actsOnTerminal(screen, { colours: true, drawn: line[0] === 'rotate' })).toEqual([])
        expect(screen.length).toBeGreaterThan(10)
        if (rows > 0) expect(screen.trimEnd().split('\n')).toHaveLength(rows)
      },
    )

    const questions: [what: string, line: string[], answers: [string, string][]][] = [
      ['revoke', ['revoke', ':id'], [['for good?', 'n\r']]],
      ['delete', ['delete', ':id', '--revoke'], [['Revoke and delete', 'n\r']]],
      ['create', ['create', 'New', '--type', 'live', '--to', 'env:.env'], [['Replace it?', 'n\r']]],
      ['rotate without a key', ['rotate', '--to', 'env:.env'], [['Which key', '\x03']]],
    ]
    test.each(questions.slice(0, whole ? undefined : 1))(
      'the question of %s too',
      async (_, line, answers) => {
        const { screen } = await onTerminal(
          line.map((word) => (word === ':id' ? old.id : word)),
          answers,
        )
        for (const [when] of answers) expect(screen).toContain(when)
        // what the question itself does with the cursor, which none of the names could
        expect(screen).not.toMatch(/\x1b\[77/)
        expect(actsOnTerminal(screen.replaceAll(/\x1b\[\??[\d;]*[A-Za-z]/g, ''))).toEqual([])
      },
    )

    const refusals: [what: string, status: number, body: unknown][] = [
      [
        'a problem document',
        400,
        { type: `x/${evil}`, title: evil, detail: evil, errors: [{ field: evil, message: evil }] },
      ],
      ['another envelope', 403, { error: evil, code: evil }],
      ['nested', 409, { error: { code: evil, message: evil, errors: { [evil]: [evil] } } }],
      ['with a wait', 429, { detail: evil, retryAfter: 9_999 }],
      ['a server error', 500, { message: evil }],
      ['no JSON', 418, evil],
      ['a web page', 200, `<html>${evil}`],
      ['no key', 200, { apiKeys: [{ id: evil, name: evil, type: evil }] }],
    ]
    test.each(refusals.slice(0, whole ? undefined : 2))(
      'an error that quotes %s is one error, in words and in JSON',
      async (_, status, body) => {
        api.answer = {
          status,
          headers: { 'x-request-id': 'x' },
          body: typeof body === 'string' ? body : JSON.stringify(body),
        }
        const { screen } = await onTerminal(['list', '--debug', '--timeout', '5s'])
        expect(actsOnTerminal(screen, { colours: true })).toEqual([])
        expect(screen).toMatch(/error:/)
        const json = await home.run(['list', '--json', '--debug'])
        for (const text of json.stderr.trimEnd().split('\n')) JSON.parse(text)
        expect(actsOnTerminal(json.stderr)).toEqual([])
      },
    )
  })

  if (whole) testRotation()

  describe('a name that cannot be seen', () => {
    beforeEach(() => start(0))
    afterEach(end)

    test('is not confirmed by Enter: the id is asked for', async () => {
      const key = sandbox.dashboard.create({
        name: '\u200b\u202e',
        createdAt: 0,
        lastUsedAt: Date.now() - 60_000,
      })
      const question = `Revoke it for good? Type`
      const { exitCode } = await onTerminal(['revoke', key.id], [[question, '\r']])
      expect(exitCode).toBe(1)
      expect(sandbox.keys().find(({ id }) => id === key.id)?.status).toBe('active')
      const typed = await onTerminal(['revoke', key.id], [[question, `${key.id}\r`]])
      expect(typed.exitCode, typed.screen).toBe(0)
    })
  })

  for (const seed of whole ? [1, 2, 3, 4, 5] : [20_261_121])
    describe(`names of any characters (seed ${seed})`, () => {
      const formula = fc.constantFrom(
        ...['=', '+', '-', '@', '\t', '\r', '\n', '=HYPERLINK("http://x","y")', '=1+1', "'=1", ' =1'],
      )
      const piece = fc.oneof(
        fc.string({ unit: 'binary', maxLength: 12 }),
        fc.string({ unit: 'grapheme', maxLength: 8 }),
        fc.constantFrom(
          '"',
          ',',
          ';',
          '\n',
          '\r',
          '\r\n',
          '\u2028',
          '\ud800',
          '\udc00',
          '\u202e',
          '\x1b[2J',
          '日本',
          '👩‍👧',
          'é',
        ),
        formula,
      )
      const names = fc.sample(
        fc
          .array(piece, { minLength: 1, maxLength: 6 })
          .map((pieces) => pieces.join('').replaceAll('\ufffd', '') || 'x'),
        { numRuns: 400, seed },
      )
      beforeAll(async () => {
        await start(0)
        for (const name of names) sandbox.dashboard.create({ name })
      })
      afterAll(end)

      const ids = () => sandbox.keys().map(({ id }) => id)

      test.each([400, 60])(
        'are one row each of a table, in order, on a terminal of %d columns',
        async (cols) => {
          const { screen } = await onTerminal(['list'], [], cols)
          expect(actsOnTerminal(screen, { colours: true })).toEqual([])
          const rows = screen
            .replaceAll(/\x1b\[\d+m/g, '')
            .trimEnd()
            .split(/\r*\n/)
          expect(rows.slice(1).map((row) => row.split(' ')[0])).toEqual(ids())
          for (const row of rows.slice(1)) expect(row).toMatch(/ (live|test) +active +\w+/)
        },
      )

      test('are one row each of what csv, ndjson and id print on a terminal', async () => {
        for (const format of ['csv', 'ndjson', 'id']) {
          const { screen } = await onTerminal(['list', '--format', format])
          expect(actsOnTerminal(screen)).toEqual([])
          const rows = screen.trimEnd().split(/\r*\n/)
          expect(rows.slice(format === 'csv' ? 1 : 0).map((row) => /key_\w+/.exec(row)?.[0])).toEqual(ids())
        }
      })

      test('are exactly themselves in JSON', async () => {
        const wanted = sandbox.keys().map(({ id, name }) => ({ id, name }))
        const json = JSON.parse((await home.run(['list', '--json'])).stdout) as { apiKeys: typeof wanted }
        expect(json.apiKeys.map(({ id, name }) => ({ id, name }))).toEqual(wanted)
        const lines = (await home.run(['list', '--format', 'ndjson'])).stdout.trimEnd().split('\n')
        expect(
          lines.map((text) => JSON.parse(text) as (typeof wanted)[0]).map(({ id, name }) => ({ id, name })),
        ).toEqual(wanted)
      })

      test('are themselves in CSV, but for the guard before a formula', async () => {
        const { stdout } = await home.run(['list', '--format', 'csv'])
        const wanted = sandbox.keys()
        for (const record_delimiter of ['\n', ['\n', '\r\n', '\r']]) {
          const rows = parse(stdout, { columns: true, record_delimiter })
          expect(rows).toHaveLength(wanted.length)
          for (const [index, key] of wanted.entries()) {
            const row = rows[index] as Record<string, string>
            expect(row['id']).toBe(key.id)
            // a lone surrogate has no place in UTF-8
            const name = Buffer.from(key.name).toString()
            const cell = row['name'] ?? ''
            expect([name, `'${name}`]).toContain(cell)
            expect(cell).not.toMatch(/^[=+\-@\t\r\n＝＋－＠]/)
          }
        }
      })
    })
}

function testRotation(): void {
  describe('a key with a name that hides much, as the contract allows', () => {
    const name = `\u202e\u2066Prod\u200b\ufeff ${'e\u0301\u0302\u0303\u0304\u0305\u0306'} \u{e0041}👩‍👧 =1+1"',;`
    beforeEach(() => start(0))
    afterEach(end)

    test('is rotated with its name kept to the letter, and shown without what hides in it', async () => {
      const { id, secret } = sandbox.dashboard.create({ name, createdAt: Date.now() - 86_400_000 })
      await writeFile(path.join(home.directory, '.env'), `PICTIFY_API_KEY=${secret.reveal()}\n`)
      const open = await onTerminal([
        'rotate',
        id,
        '--to',
        'env:.env',
        ...waits,
        '--overlap',
        '24h',
        '--wait',
        '0s',
      ])
      const rotations = await onTerminal(['rotations', '--account'])
      const status = await onTerminal(['status'])
      const done = await onTerminal(['rotate', id, '--to', 'env:.env', ...waits])
      const one = await onTerminal(['rotations', /rotation {2}(\w+)/.exec(done.screen)?.[1] ?? ''])
      expect([open, rotations, status, done, one].map(({ exitCode }) => exitCode)).toEqual([5, 0, 0, 0, 0])
      for (const { screen } of [rotations, status, done, one]) expect(screen).toContain('Prod')
      for (const { screen } of [rotations, status, one]) {
        expect(actsOnTerminal(screen, { colours: true })).toEqual([])
      }
      for (const { screen } of [open, done]) {
        expect(actsOnTerminal(screen, { colours: true, drawn: true })).toEqual([])
      }
      const active = sandbox.keys().filter(({ status, access }) => status === 'active' && access !== 'admin')
      expect(active.map((key) => key.name)).toEqual([name])
    })
  })

  describe('a manual target', () => {
    beforeEach(() => start(0))
    afterEach(end)

    test('shows what is to be put there, with --quiet too', async () => {
      const { id } = sandbox.dashboard.create({ name: 'Wiki', createdAt: Date.now() - 86_400_000 })
      const line = ['rotate', id, '--to', 'manual:the wiki', '--quiet', ...waits]
      const { screen, exitCode } = await onTerminal(line, [
        ['will stay in the scrollback', 'y\r'],
        ['in its place?', 'n\r'],
      ])
      expect(screen).toMatch(/put the new key into the wiki:\r*\n\r*\n {2}pk_live_\w{20,}\r*\n/)
      expect([6, 7]).toContain(exitCode)
    })
  })

  describe('a name with a newline, which the contract forbids', () => {
    beforeEach(() => start(0))
    afterEach(end)

    test('cannot be given to a successor: the rotation is undone', async () => {
      const { id, secret } = sandbox.dashboard.create({ name: 'a\nb', createdAt: Date.now() - 86_400_000 })
      await writeFile(path.join(home.directory, '.env'), `PICTIFY_API_KEY=${secret.reveal()}\n`)
      const ran = await home.run(['rotate', id, '--to', 'env:.env', ...waits])
      expect(ran.exit, ran.stderr).toBe(6)
      expect(ran.stderr).toContain('control characters')
    })
  })
}

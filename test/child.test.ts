import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type ChildOptions, childEnvironment, commandExists, runChild } from '../src/child.ts'
import { Secret } from '../src/secret.ts'

let cwd: string
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'child-'))
})
afterEach(() => rm(cwd, { recursive: true, force: true }))

const env = { PATH: process.env['PATH'] }
const run = (command: string, options: Partial<ChildOptions> = {}) =>
  runChild({ command, env, cwd, timeoutMs: 60_000, ...options })

async function isRunning(pid: string): Promise<boolean> {
  try {
    // A zombie has ended; who reaps it is not our affair.
    return !/^State:\s*Z/m.test(await readFile(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

describe('runChild', () => {
  test('gives the exit code and the output of both streams', async () => {
    expect(await run('echo out; echo err >&2; exit 3')).toEqual({
      exitCode: 3,
      signal: null,
      timedOut: false,
      output: expect.stringMatching(/^(out\nerr|err\nout)$/) as string,
    })
  })

  test('is a line of the shell, in the working directory, with that environment only', async () => {
    await writeFile(join(cwd, 'here'), '')
    const { output } = await run('ls | tr a-z A-Z && echo "$MINE" "${HOME-none}"', {
      env: { ...env, MINE: 'set' },
    })
    expect(output).toBe('HERE\nset none')
  })

  test('the input arrives byte for byte, and nothing is added', async () => {
    await run('cat > got', { input: 'pk_live_ü\n\nx' })
    expect(await readFile(join(cwd, 'got'), 'utf8')).toBe('pk_live_ü\n\nx')
    await run('cat > got', { input: '' })
    expect(await readFile(join(cwd, 'got'), 'utf8')).toBe('')
  })

  test('without input the input is empty', async () => {
    expect(await run('wc -c')).toMatchObject({
      exitCode: 0,
      output: expect.stringMatching(/^\s*0$/) as string,
    })
  })

  test('a child that does not read its input has not failed', async () => {
    expect(await run('exec 0<&-; exit 0', { input: 'x'.repeat(1_000_000) })).toMatchObject({ exitCode: 0 })
    expect(await run('exit 7', { input: 'x'.repeat(1_000_000) })).toMatchObject({ exitCode: 7 })
  })

  test('says which signal ended it', async () => {
    expect(await run('kill -9 $$')).toMatchObject({ exitCode: null, signal: 'SIGKILL', timedOut: false })
  })

  test('passes on whole lines, however they arrive', async () => {
    const onOutput = vi.fn<(line: string) => void>()
    await run(`printf 'pk_li'; sleep 0.1; printf 've_abc\\r\\nnext\\n\\nlast'`, { onOutput })
    expect(onOutput.mock.calls.flat()).toEqual(['pk_live_abc', 'next', '', 'last'])
  })

  test('a character that is cut by the pipe is whole again', async () => {
    expect((await run(`printf '\\303'; sleep 0.1; printf '\\274'`)).output).toBe('ü')
  })

  test('a line too long is left out as a whole; what follows is not', async () => {
    const { output } = await run(`head -c 200000 /dev/zero | tr '\\0' x; echo; echo end`)
    expect(output).toBe('[a line of 200000 characters]\nend')
  })

  test('a line is plain text: no escape sequence, nothing that cannot be seen', async () => {
    const lines = String.raw`'a\033[31mb\033[0mc\n\033]8;;http://x\033\\d\033]0;t\007e\nf\342\200\213g\302\233h\010i\tj\n'`
    expect((await run(`printf ${lines}`)).output).toBe('abc\nde\nfgi\tj')
  })

  test('of much output the end is kept', async () => {
    const { output } = await run(`i=0; while [ $i -lt 20000 ]; do echo "line $i"; i=$((i+1)); done`)
    expect(output.length).toBeLessThanOrEqual(64 * 1024)
    expect(output).toMatch(/^line \d+\n/)
    expect(output).toMatch(/\nline 19999$/)
  })

  test('a time-out ends the whole group', async () => {
    const result = await run('sleep 1000 & echo $! > pid; wait', { timeoutMs: 300 })
    expect(result).toMatchObject({ timedOut: true, exitCode: null, signal: 'SIGTERM' })
    expect(await isRunning((await readFile(join(cwd, 'pid'), 'utf8')).trim())).toBe(false)
  })

  test('what ignores SIGTERM gets SIGKILL after the grace', async () => {
    const stubborn = `(trap '' TERM; echo started; while :; do sleep 0.05; done) & echo $! > pid; wait`
    const result = await run(stubborn, { timeoutMs: 500, graceMs: 200 })
    expect(result).toMatchObject({ timedOut: true, output: 'started' })
    const pid = (await readFile(join(cwd, 'pid'), 'utf8')).trim()
    await vi.waitFor(async () => expect(await isRunning(pid)).toBe(false))
  })

  test('an abort ends the whole group and rejects with its reason', async () => {
    const abort = new AbortController()
    const reason = new Error('interrupted')
    const running = run('sleep 1000 & echo $! > pid; echo ready; wait', {
      signal: abort.signal,
      onOutput: () => abort.abort(reason),
    })
    await expect(running).rejects.toBe(reason)
    expect(await isRunning((await readFile(join(cwd, 'pid'), 'utf8')).trim())).toBe(false)
  })

  test('one aborted before it starts is not started', async () => {
    await expect(run('touch started', { signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no')
    expect(await readdir(cwd)).toEqual([])
  })

  test('what is left in the background does not hold us up', async () => {
    const { exitCode, output } = await run('sleep 1000 & echo $! > pid; echo done')
    expect({ exitCode, output }).toEqual({ exitCode: 0, output: 'done' })
    process.kill(Number(await readFile(join(cwd, 'pid'), 'utf8')), 'SIGKILL')
  })

  test('a working directory that is gone is the error of the system', async () => {
    await expect(run('true', { cwd: join(cwd, 'gone'), input: 'x' })).rejects.toMatchObject({
      code: 'ENOENT',
    })
  })
})

describe('commandExists', () => {
  const exists = (command: string) => commandExists(command, env, cwd)

  test.each([
    'ls -l',
    'true',
    'cd /',
    'exit 3',
    '  sort',
    'cat|wc',
    'echo; ls',
    'if true; then :; fi',
    '/bin/sh -c x',
  ])('%s: yes', async (command) => expect(await exists(command)).toBe(true))

  test.each([
    'no-such-command-here x',
    '/no/such/command',
    './missing',
    'missing.sh; ls',
    '/bin',
    '/dev/null/x',
  ])('%s: no', async (command) => expect(await exists(command)).toBe(false))

  test.each([
    'A=1 no-such',
    '(no-such)',
    '"no such"',
    '$NO_SUCH',
    '{ no-such; }',
    '! no-such',
    '~/no-such',
    '<in no-such',
  ])('%s: cannot be told, so yes', async (command) => expect(await exists(command)).toBe(true))

  test('a path is relative to the working directory, and must be executable', async () => {
    await mkdir(join(cwd, 'bin'))
    await writeFile(join(cwd, 'bin/run'), '#!/bin/sh\n', { mode: 0o755 })
    await writeFile(join(cwd, 'bin/read'), '', { mode: 0o644 })
    expect(await exists('bin/run --fast')).toBe(true)
    expect(await exists('bin/read')).toBe(false)
    expect(await commandExists('run', { PATH: `${join(cwd, 'bin')}:${env.PATH}` }, cwd)).toBe(true)
    expect(await exists('run')).toBe(false)
  })
})

test('childEnvironment leaves out the admin key and whatever holds a secret', () => {
  const secret = new Secret('pk_live_0123456789')
  const clean = childEnvironment(
    {
      PATH: '/bin',
      PICTIFY_ADMIN_KEY: 'pk_live_other',
      pictify_admin_key: 'x',
      DSN: 'https://pk_live_0123456789@host/',
      EMPTY: '',
      GONE: undefined,
      SHORT: 'abc',
    },
    { secrets: [secret, new Secret(''), new Secret('abc')] },
  )
  expect(clean).toEqual({ PATH: '/bin', EMPTY: '', SHORT: 'abc' })
  expect(childEnvironment({ A: 'b' })).toEqual({ A: 'b' })
})

import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Secret } from '../../src/secret.ts'
import { parseTarget } from '../../src/targets/index.ts'
import type { Held, Target } from '../../src/targets/target.ts'
import { failure, old, successor, third } from './contract.ts'
import { testDeps } from './deps.ts'
import { bundle, runUnprivileged } from './other-process.ts'

/** What a secret can be: what the API mints, at its shortest and longest, and with each of its characters. */
const secrets = [
  'pk_live_a',
  'pk_test_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-',
  `pk_live_${'x'.repeat(4096)}`,
  'pk_test_---',
].map((value) => new Secret(value))

/** A folder for each test, gone after it. */
export function temporaryFolder(): () => string {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'target-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))
  return () => folder
}

interface FileKind {
  spec: string
  /** The file it lies in. */
  file: string
  /** Bytes of that file before: each holds `old`, in another way. */
  holding: Record<string, string>
  /** Each holds nothing that is ours. `undefined`: there is no file. */
  absent: Record<string, string | undefined>
}

/** What every target that is a file and can be read back must do. */
export function describeFileTarget({ spec, file, holding, absent }: FileKind): void {
  const folder = temporaryFolder()
  const path = () => join(folder(), file)
  const target = (): Target => parseTarget(spec, testDeps(folder()))
  const bytes = async () => (await readdir(folder())).includes(file) && (await readFile(path(), 'latin1'))
  const put = async (text: string | undefined) => {
    if (text !== undefined) await writeFile(path(), text, 'latin1')
  }
  const first = Object.values(holding)[0] ?? ''
  /** As the journal keeps it. */
  const serialised = (held: Held | undefined) => held && { value: held.value.reveal(), version: held.version }

  test('is called what the user wrote', () => {
    expect(target()).toMatchObject({ name: spec, readback: 'value' })
  })

  describe.each(Object.entries({ ...holding, ...absent }))('%s', (_what, before) => {
    test('check passes and changes nothing', async () => {
      await put(before)
      await target().check()
      expect(await bytes()).toBe(before ?? false)
      expect(await readdir(folder())).toEqual(before === undefined ? [] : [file])
    })

    test('bytes out are bytes in, and restored they are what they were', async () => {
      await put(before)
      const held = await target().read()
      for (const secret of secrets) {
        await target().write(secret, held)
        expect((await target().read())?.value.reveal()).toBe(secret.reveal())
        expect(((await bytes()) || '').split(secret.reveal())).toHaveLength(2)
        await target().restore(held, secret)
        expect(await bytes()).toBe(before ?? false)
      }
    })

    test('written twice, restored twice: the second changes nothing', async () => {
      await put(before)
      const held = await target().read()
      await target().write(successor, held)
      const { ino, mtimeNs } = await stat(path(), { bigint: true })
      await target().write(successor, held)
      expect(await stat(path(), { bigint: true })).toMatchObject({ ino, mtimeNs })
      await target().restore(held, successor)
      await target().restore(held, successor)
      expect(await bytes()).toBe(before ?? false)
    })

    test('a new process restores it from what the journal keeps', async () => {
      await put(before)
      const held = await target().read()
      await target().write(successor, held)
      const kept = JSON.stringify(serialised(held) ?? null)
      if (held) expect(JSON.stringify(held.version)).not.toContain(old.reveal())
      const script = await bundle(
        await mkdtemp(join(tmpdir(), 'target-script-')),
        `import { parseTarget } from 'SRC/targets/index.ts'
         import { Secret } from 'SRC/secret.ts'
         const kept = ${kept}
         const deps = { cwd: process.cwd(), env: {}, debug() {}, secrets: () => [], showSecret: undefined }
         const held = kept ? { value: new Secret(kept.value), version: kept.version } : undefined
         await parseTarget(${JSON.stringify(spec)}, deps).restore(held, new Secret(${JSON.stringify(successor.reveal())}))`,
      )
      await promisify(execFile)(process.execPath, [script], { cwd: folder() })
      await rm(join(script, '..'), { recursive: true })
      expect(await bytes()).toBe(before ?? false)
    })
  })

  describe.each(Object.entries(holding))('%s', (_what, before) => {
    test('holds the value and nothing else of the file', async () => {
      await put(before)
      expect((await target().read())?.value.reveal()).toBe(old.reveal())
    })
  })

  test.each(Object.entries(absent))('%s: proved absent', async (_what, before) => {
    await put(before)
    expect(await target().read()).toBeUndefined()
  })

  describe('changed behind our back', () => {
    test('a value that is neither the expected nor ours is not overwritten', async () => {
      await put(first)
      for (const expected of [undefined, { value: third }]) {
        const error = await failure(target().write(successor, expected))
        expect(error.code).toBe('target-changed')
        expect(error.message).toMatch(/^(env|file):.*: it holds another value by now \(pk_live_…Old1\)$/)
      }
      expect(await bytes()).toBe(first)
    })

    test('a value that is gone is not written', async () => {
      expect((await failure(target().write(successor, { value: old }))).code).toBe('target-changed')
      expect((await failure(target().restore({ value: old }, successor))).code).toBe('target-changed')
      expect(await bytes()).toBe(false)
    })

    test('restore leaves a third value alone', async () => {
      await put(first)
      const held = await target().read()
      await target().write(third, held)
      const before = await bytes()
      for (const previous of [held, undefined]) {
        expect((await failure(target().restore(previous, successor))).code).toBe('target-changed')
      }
      expect(await bytes()).toBe(before)
    })
  })

  test('an aborted call changes nothing', async () => {
    await put(first)
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
    expect(await bytes()).toBe(first)
  })

  describe.each(['000', '077'])('under umask %s', (umask) => {
    test.each([
      ['new', undefined, 0o600],
      ['private', 0o600, 0o600],
      ['shared', 0o664, 0o664],
    ])('a %s file has the right mode', async (_what, mode, expected) => {
      if (mode !== undefined) {
        await put(first)
        await promisify(execFile)('chmod', [mode.toString(8), path()])
      }
      const script = await bundle(
        folder(),
        `import { parseTarget } from 'SRC/targets/index.ts'
         import { Secret } from 'SRC/secret.ts'
         const deps = { cwd: process.cwd(), env: {}, debug() {}, secrets: () => [], showSecret: undefined }
         const target = parseTarget(${JSON.stringify(spec)}, deps)
         await target.write(new Secret('pk_live_Written'), await target.read())`,
      )
      await promisify(execFile)('sh', ['-c', `umask ${umask}; exec "$0" "$1"`, process.execPath, script], {
        cwd: folder(),
      })
      expect((await stat(path())).mode & 0o7777).toBe(expected)
      expect(await bytes()).toContain('pk_live_Written')
    })
  })

  describe('forbidden', () => {
    /** What `check` and `write` say to somebody who is not root. */
    async function told(): Promise<Record<'check' | 'write', { code: string; message: string }>> {
      const script = await bundle(
        await mkdtemp(join(tmpdir(), 'target-script-')),
        `import { parseTarget } from 'SRC/targets/index.ts'
         import { Secret } from 'SRC/secret.ts'
         const deps = { cwd: process.cwd(), env: {}, debug() {}, secrets: () => [], showSecret: undefined }
         const target = parseTarget(${JSON.stringify(spec)}, deps)
         const error = (work) => work.then(() => ({}), ({ code, message }) => ({ code, message }))
         const check = await error(target.check())
         const held = await target.read().catch(() => undefined)
         const write = await error(target.write(new Secret('pk_live_Written'), held))
         console.log(JSON.stringify({ check, write }))`,
      )
      try {
        return JSON.parse(await runUnprivileged(script, folder())) as Awaited<ReturnType<typeof told>>
      } finally {
        await rm(join(script, '..'), { recursive: true })
      }
    }
    const mode = (bits: string, place: string) => promisify(execFile)('chmod', [bits, place])

    test('a folder that cannot be written', async () => {
      await put(first)
      await mode('666', path())
      await mode('555', folder())
      const { check, write } = await told()
      expect(check).toMatchObject({ code: 'target-refused' })
      expect(check.message).toMatch(/^\w+:.*: the folder .* cannot be written: permission denied$/)
      expect(write).toMatchObject({ code: 'target-failed' })
      expect(write.message).toMatch(/: it could not be written: permission denied$/)
      await mode('755', folder())
      expect(await bytes()).toBe(first)
    })

    test('a file that cannot be read, in a folder that cannot be written: both are said', async () => {
      await put(first)
      await mode('200', path())
      await mode('555', folder())
      const { check } = await told()
      if (process.getuid?.() === 0)
        expect(check.message).toMatch(/: it cannot be read: permission denied; the folder/)
      expect(check).toMatchObject({ code: 'target-refused' })
      await mode('755', folder())
    })

    test('a file that nobody may write', async () => {
      await put(first)
      await mode('444', path())
      const error = await failure(target().check())
      expect(error).toMatchObject({ code: 'target-refused', message: `${spec}: it is read-only` })
      expect(error.hint).toContain('chmod u+w')
    })

    test('a directory in its place', async () => {
      await mkdir(path())
      const calls = [
        () => target().check(),
        () => target().read(),
        () => target().write(successor, undefined),
      ]
      for (const call of calls) {
        expect(await failure(call())).toMatchObject({
          code: 'target-refused',
          message: `${spec}: it is a directory`,
        })
      }
      expect(await readdir(path())).toEqual([])
    })

    test('a folder that is not there', async () => {
      const [scheme, place] = spec.split(/:(.*)/s) as [string, string]
      const nowhere = parseTarget(`${scheme}:no/such/${place}`, testDeps(folder()))
      const error = await failure(nowhere.check())
      expect(error).toMatchObject({ code: 'target-refused' })
      expect(error.message).toMatch(/: its folder does not exist$/)
      expect(error.hint).toContain('mkdir -p')
      expect(await readdir(folder())).toEqual([])
    })
  })
}

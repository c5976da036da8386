import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import {
  chmod,
  mkdir,
  mkdtemp,
  open,
  readFile,
  readdir,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ensurePrivateDirectory, proveFolder, removeDurably, writeDurably } from '../src/durable-file.ts'
import { systemCode, systemReason } from '../src/system-error.ts'
import { bundle, runUnprivileged } from './targets/other-process.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'durable-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const modeOf = async (path: string) => (await stat(path)).mode & 0o777

describe('writeDurably', () => {
  test('writes the bytes with the mode, and leaves nothing beside them', async () => {
    await writeDurably(join(folder, 'a'), Buffer.from([0, 255, 10]), { mode: 0o640 })
    expect(await readFile(join(folder, 'a'))).toEqual(Buffer.from([0, 255, 10]))
    expect(await modeOf(join(folder, 'a'))).toBe(0o640)
    expect(await readdir(folder)).toEqual(['a'])
  })

  test('removes what a writer that is dead left beside the file, and leaves a live one its own', async () => {
    const { pid: dead } = spawnSync(process.execPath, ['-e', '0'])
    const random = '0'.repeat(24)
    const others = [`a.${process.ppid}-${random}.tmp`, `a.x-${random}.tmp`, `b.${dead}-${random}.tmp`]
    for (const name of [...others, `a.${dead}-${random}.tmp`]) await writeFile(join(folder, name), 'half')
    await writeDurably(join(folder, 'a'), 'new', { mode: 0o600 })
    expect((await readdir(folder)).sort()).toEqual(['a', ...others].sort())
  })

  test('removes what one that is dead left under the pid that is its own by now, and not what it writes itself', async () => {
    const leftover = `a.${process.pid}-${'0'.repeat(24)}.tmp`
    await writeFile(join(folder, leftover), 'half')
    const besides = () => writeDurably(join(folder, 'a'), 'second', { mode: 0o600 })
    await writeDurably(join(folder, 'a'), 'first', { mode: 0o600, beforeRename: besides })
    expect(await readdir(folder)).toEqual(['a'])
    expect(await readFile(join(folder, 'a'), 'utf8')).toBe('first')
  })

  test('replaces a file in one step: one who has the old one open still reads the old one', async () => {
    await writeFile(join(folder, 'a'), 'old')
    const reader = await open(join(folder, 'a'))
    await writeDurably(join(folder, 'a'), 'new', { mode: 0o600 })
    expect(await reader.readFile('utf8')).toBe('old')
    await reader.close()
    expect(await readFile(join(folder, 'a'), 'utf8')).toBe('new')
  })

  test('exclusive refuses a file, a folder and a dangling link, and changes none of them', async () => {
    await writeFile(join(folder, 'file'), 'mine')
    await mkdir(join(folder, 'folder'))
    await symlink('nowhere', join(folder, 'link'))
    for (const name of ['file', 'folder', 'link']) {
      await expect(
        writeDurably(join(folder, name), 'x', { mode: 0o600, exclusive: true }),
      ).rejects.toMatchObject({ code: 'EEXIST' })
    }
    expect(await readFile(join(folder, 'file'), 'utf8')).toBe('mine')
    expect((await readdir(folder)).sort()).toEqual(['file', 'folder', 'link'])
  })

  test('of many that claim one name, one gets it', async () => {
    const claims = Array.from({ length: 20 }, (_, index) =>
      writeDurably(join(folder, 'lock'), String(index), { mode: 0o600, exclusive: true }),
    )
    const results = await Promise.allSettled(claims)
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1)
    const winner = results.findIndex((result) => result.status === 'fulfilled')
    expect(await readFile(join(folder, 'lock'), 'utf8')).toBe(String(winner))
    expect(await readdir(folder)).toEqual(['lock'])
  })

  test('a link at the path is replaced, not followed', async () => {
    await writeFile(join(folder, 'victim'), 'untouched')
    await symlink('victim', join(folder, 'link'))
    await writeDurably(join(folder, 'link'), 'new', { mode: 0o600 })
    expect(await readFile(join(folder, 'victim'), 'utf8')).toBe('untouched')
    expect(await readFile(join(folder, 'link'), 'utf8')).toBe('new')
  })

  test('a failure keeps its error, the old file, and no temporary one', async () => {
    await writeFile(join(folder, 'a'), 'old')
    const stop = new Error('stop')
    let beside: string[] = []
    const beforeRename = async () => {
      beside = await readdir(folder)
      throw stop
    }
    await expect(writeDurably(join(folder, 'a'), 'new', { mode: 0o600, beforeRename })).rejects.toBe(stop)
    expect(beside).toHaveLength(2)
    expect(await readdir(folder)).toEqual(['a'])
    expect(await readFile(join(folder, 'a'), 'utf8')).toBe('old')

    await mkdir(join(folder, 'taken'))
    await expect(writeDurably(join(folder, 'taken'), 'x', { mode: 0o600 })).rejects.toMatchObject({
      code: expect.stringMatching(/EISDIR|EPERM|EEXIST/) as string,
    })
    expect((await readdir(folder)).sort()).toEqual(['a', 'taken'])
  })

  test('the temporary name is another each time', async () => {
    const names = new Set<string>()
    for (let time = 0; time < 5; time++) {
      const beforeRename = async () => {
        for (const name of await readdir(folder)) if (name !== 'a') names.add(name)
      }
      await writeDurably(join(folder, 'a'), 'x', { mode: 0o600, beforeRename })
    }
    expect(names.size).toBe(5)
    for (const name of names) expect(name).toMatch(/^a\.\d+-[0-9a-f]{24}\.tmp$/)
  })

  test('a system error is said in words', () => {
    const coded = (code: string) => Object.assign(new Error('x'), { code })
    expect(systemReason(coded('ENOSPC'))).toBe('the disk is full')
    expect(systemReason(coded('EROFS'))).toBe('the file system is read-only')
    expect(systemReason(coded('EODD'))).toBe('EODD')
    expect(systemReason(new Error('plain'))).toBe('plain')
    expect(systemCode(new Error('plain'))).toBeUndefined()
  })
})

describe('proveFolder', () => {
  test('leaves nothing of its own, nor of one that was killed', async () => {
    const { pid: dead } = spawnSync(process.execPath, ['-e', '0'])
    await writeFile(join(folder, `.pictify-keys.${dead}-${'0'.repeat(24)}.tmp`), '')
    await proveFolder(folder)
    expect(await readdir(folder)).toEqual([])
    await expect(proveFolder(join(folder, 'missing'))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('under another umask and as another user', () => {
  test.each(['000', '077', '027'])('umask %s does not change the modes', async (umask) => {
    const script = await bundle(
      folder,
      `import { ensurePrivateDirectory, writeDurably } from 'SRC/durable-file.ts'
       await ensurePrivateDirectory('made/deep')
       await writeDurably('made/deep/file', 'x', { mode: 0o644 })`,
    )
    const work = join(folder, 'work')
    await mkdir(work)
    await promisify(execFile)('sh', ['-c', `umask ${umask}; exec "$0" "$1"`, process.execPath, script], {
      cwd: work,
    })
    expect(await modeOf(join(work, 'made'))).toBe(0o700)
    expect(await modeOf(join(work, 'made/deep'))).toBe(0o700)
    expect(await modeOf(join(work, 'made/deep/file'))).toBe(0o644)
  })

  test('a disk that takes only the first part of it: the old file stays, the part is gone', async () => {
    const script = await bundle(
      folder,
      `import { writeDurably } from 'SRC/durable-file.ts'
       const error = await writeDurably('file', 'x'.repeat(100_000), { mode: 0o600 }).catch((error) => error)
       console.log(error?.code)`,
    )
    const work = join(folder, 'work')
    await mkdir(work)
    await writeFile(join(work, 'file'), 'old')
    const limited = 'trap "" XFSZ; ulimit -f 1; exec "$0" "$1"'
    const { stdout } = await promisify(execFile)('sh', ['-c', limited, process.execPath, script], {
      cwd: work,
    })
    expect(stdout).toBe('EFBIG\n')
    expect(await readdir(work)).toEqual(['file'])
    expect(await readFile(join(work, 'file'), 'utf8')).toBe('old')
  })

  test.runIf(existsSync('/proc/self'))(
    'ensurePrivateDirectory ends where no folder can be made',
    async () => {
      await expect(ensurePrivateDirectory('/proc/no/such')).rejects.toMatchObject({ code: 'ENOENT' })
    },
  )

  test('a folder that may not be written is EACCES, and nothing is left in it', async () => {
    const script = await bundle(
      folder,
      `import { writeDurably } from 'SRC/durable-file.ts'
       const error = await writeDurably('closed/file', 'x', { mode: 0o600 }).catch((error) => error)
       console.log(error?.code)`,
    )
    await mkdir(join(folder, 'closed'), { mode: 0o555 })
    expect(await runUnprivileged(script, folder)).toBe('EACCES\n')
    expect(await readdir(join(folder, 'closed'))).toEqual([])
  })
})

test('ensurePrivateDirectory leaves a folder that is there as it is', async () => {
  await mkdir(join(folder, 'shared'))
  await chmod(join(folder, 'shared'), 0o755)
  await ensurePrivateDirectory(join(folder, 'shared'))
  expect(await modeOf(join(folder, 'shared'))).toBe(0o755)
  await ensurePrivateDirectory(join(folder, 'shared/one/two'))
  expect(await modeOf(join(folder, 'shared'))).toBe(0o755)
  expect(await modeOf(join(folder, 'shared/one'))).toBe(0o700)
  await writeFile(join(folder, 'file'), '')
  await expect(ensurePrivateDirectory(join(folder, 'file'))).rejects.toMatchObject({ code: 'ENOTDIR' })
})

test('removeDurably removes, and again is done', async () => {
  await writeFile(join(folder, 'a'), '')
  await removeDurably(join(folder, 'a'))
  await removeDurably(join(folder, 'a'))
  expect(await readdir(folder)).toEqual([])
  await mkdir(join(folder, 'b'))
  await expect(removeDurably(join(folder, 'b'))).rejects.toMatchObject({
    code: expect.stringMatching(/EISDIR|EPERM/) as string,
  })
})

import { execFile } from 'node:child_process'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import {
  chown,
  link,
  lstat,
  mkdir,
  readFile,
  readlink,
  readdir,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { Secret } from '../../src/secret.ts'
import { createFileTarget } from '../../src/targets/edited-file.ts'
import { parseTarget } from '../../src/targets/index.ts'
import { failure, old, successor } from './contract.ts'
import { testDeps } from './deps.ts'
import { describeFileTarget, temporaryFolder } from './file-contract.ts'

describeFileTarget({
  spec: 'env:.env#MY_KEY',
  file: '.env',
  holding: {
    'the line alone': `MY_KEY=${old.reveal()}\n`,
    'no final newline': `A=1\nMY_KEY=${old.reveal()}`,
    'comments, quotes, export and CRLF': `# keys\r\nexport MY_KEY='${old.reveal()}' # live\r\n\r\nB="x\r\ny"\r\n`,
    'bytes that are not UTF-8': `A=\xff\xfe\nMY_KEY="${old.reveal()}"\nB=\x80\n`,
  },
  absent: {
    'no file': undefined,
    'an empty file': '',
    'a blank file': '\n',
    'other variables': 'A=1\nMY_KEY_2=x\n',
    'other variables, no final newline': 'A=1',
    'other variables, CRLF': 'A=1\r\nB=2\r\n',
  },
})

describe('links', () => {
  const folder = temporaryFolder()
  const at = (name: string) => join(folder(), name)
  const target = (name = '.env') => parseTarget(`env:${name}`, testDeps(folder()))
  const line = (secret: Secret) => `PICTIFY_API_KEY=${secret.reveal()}\n`

  test('a link stays a link; the file behind it is replaced, with its mode and owner', async () => {
    await mkdir(at('real'))
    await writeFile(at('real/env'), line(old), { mode: 0o640 })
    if (process.getuid?.() === 0) await chown(at('real/env'), 65534, 65534)
    await symlink('real/env', at('middle'))
    await symlink(at('middle'), at('.env'))
    const before = await stat(at('real/env'))
    await target().check()
    await target().write(successor, { value: old })
    expect(await readlink(at('.env'))).toBe(at('middle'))
    expect((await lstat(at('middle'))).isSymbolicLink()).toBe(true)
    expect(await readFile(at('real/env'), 'utf8')).toBe(line(successor))
    const after = await stat(at('real/env'))
    expect([after.mode, after.uid, after.gid]).toEqual([before.mode, before.uid, before.gid])
    expect(await readdir(at('real'))).toEqual(['env'])
  })

  test('a link to nothing, and links in a circle', async () => {
    await symlink('nowhere', at('.env'))
    await symlink('b', at('a'))
    await symlink('a', at('b'))
    expect((await failure(target().check())).message).toBe(
      'env:.env: it is a link to a file that does not exist',
    )
    expect((await failure(target().write(successor, undefined))).code).toBe('target-refused')
    expect((await failure(target('a').check())).message).toContain('its symbolic links lead in a circle')
    expect((await readdir(folder())).sort()).toEqual(['.env', 'a', 'b'])
  })

  test('a file of several names', async () => {
    await writeFile(at('.env'), line(old))
    await link(at('.env'), at('other'))
    expect((await failure(target().check())).message).toMatch(/several hard links/)
  })

  test('a pipe is not waited for', async () => {
    await promisify(execFile)('mkfifo', [at('.env')])
    expect((await failure(target().check())).message).toBe('env:.env: it is not a regular file')
    expect((await failure(target().read())).code).toBe('target-refused')
  })
})

describe('check says all that is wrong at once', () => {
  const folder = temporaryFolder()

  test('in the file and with the file', async () => {
    const path = join(folder(), '.env')
    await writeFile(path, 'PICTIFY_API_KEY=a\nPICTIFY_API_KEY="b\n')
    await promisify(execFile)('chmod', ['444', path])
    const error = await failure(parseTarget('env:.env', testDeps(folder())).check())
    expect(error).toMatchObject({
      code: 'target-refused',
      message:
        'env:.env: it is read-only; holds PICTIFY_API_KEY twice, on lines 1 and 2; the quote opened on line 2 is never closed',
    })
  })

  test('what could not be written in that place is refused before anything is minted', async () => {
    await writeFile(join(folder(), '.env'), 'PICTIFY_API_KEY:\n')
    expect((await failure(parseTarget('env:.env', testDeps(folder())).check())).message).toMatch(
      /cannot be changed/,
    )
  })
})

describe('an edit by somebody else between our reading and our writing', () => {
  const folder = temporaryFolder()
  const at = (name: string) => join(folder(), name)

  /** A target whose edits take place while somebody else does `meanwhile`. */
  const racing = (meanwhile: () => void) =>
    createFileTarget({
      name: 'racing',
      place: 'racing',
      path: at('.env'),
      format: {
        get: () => ({ value: old }),
        set() {
          meanwhile()
          return Buffer.from('ours')
        },
        putBack() {
          meanwhile()
          return undefined
        },
      },
    })

  test('is kept, whatever it was', async () => {
    const edits: [string, () => void, string | undefined][] = [
      ['in place', () => writeFileSync(at('.env'), 'theirs'), 'theirs'],
      [
        'by another file',
        () => (writeFileSync(at('x'), 'theirs'), renameSync(at('x'), at('.env'))),
        'theirs',
      ],
      ['by removing it', () => rmSync(at('.env')), undefined],
    ]
    for (const [, edit, left] of edits) {
      for (const call of ['write', 'restore'] as const) {
        await writeFile(at('.env'), 'before')
        const target = racing(edit)
        const work =
          call === 'write' ? target.write(successor, { value: old }) : target.restore(undefined, old)
        expect((await failure(work)).code).toBe('target-changed')
        expect(await readdir(folder())).toEqual(left === undefined ? [] : ['.env'])
        if (left !== undefined) expect(await readFile(at('.env'), 'utf8')).toBe(left)
      }
    }
  })

  test('a file that appears where there was none is kept', async () => {
    const target = racing(() => writeFileSync(at('.env'), 'theirs'))
    const error = await failure(target.write(successor, undefined))
    expect(error.code).toBe('target-changed')
    expect(await readFile(at('.env'), 'utf8')).toBe('theirs')
  })

  test('many variables of one file, written at once, are all there', async () => {
    await writeFile(at('.env'), '# keys\n')
    await symlink('.env', at('link'))
    const names = Array.from({ length: 12 }, (_, index) => `KEY_${index}`)
    await Promise.all(
      names.map((name, index) =>
        parseTarget(`env:${index % 2 ? 'link' : '.env'}#${name}`, testDeps(folder())).write(
          successor,
          undefined,
        ),
      ),
    )
    const lines = (await readFile(at('.env'), 'utf8')).split('\n')
    expect(lines.sort()).toEqual(
      ['', '# keys', ...names.map((name) => `${name}=${successor.reveal()}`)].sort(),
    )
  })
})

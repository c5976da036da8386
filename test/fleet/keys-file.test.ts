import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { KeysError } from '../../src/errors.ts'
import { findKeysFile, readKeysText } from '../../src/fleet/keys-file.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'pictify-keys-file-'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

/** Makes the folders and files, and finds from a folder; the path is from the root. */
async function found(files: readonly string[], from: string): Promise<string | undefined> {
  for (const file of files) {
    await mkdir(path.join(root, path.dirname(file)), { recursive: true })
    if (!file.endsWith('/')) await writeFile(path.join(root, file), '')
  }
  await mkdir(path.join(root, from), { recursive: true })
  const file = await findKeysFile(path.join(root, from))
  return file === undefined ? undefined : path.relative(root, file)
}

describe('the keys file is found', () => {
  test.each<[string, string[], string, string | undefined]>([
    ['in the folder itself, without a repository', ['a/pictify-keys.yaml'], 'a', 'a/pictify-keys.yaml'],
    ['not above it, without a repository', ['pictify-keys.yaml'], 'a', undefined],
    ['at the root of the repository', ['r/.git/HEAD', 'r/pictify-keys.yaml'], 'r/a/b', 'r/pictify-keys.yaml'],
    [
      'nearest first',
      ['r/.git/HEAD', 'r/pictify-keys.yaml', 'r/a/pictify-keys.yaml'],
      'r/a/b',
      'r/a/pictify-keys.yaml',
    ],
    ['not above the repository', ['r/.git/HEAD', 'pictify-keys.yaml'], 'r/a', undefined],
    ['in a worktree, whose .git is a file', ['r/.git', 'r/pictify-keys.yaml'], 'r/a', 'r/pictify-keys.yaml'],
    ['nowhere', ['r/.git/HEAD'], 'r/a', undefined],
  ])('%s', async (_, files, from, expected) => {
    expect(await found(files, from)).toBe(expected)
  })
})

async function refusal(file: string): Promise<KeysError> {
  const error: unknown = await readKeysText(file, 'keys.yaml').catch((caught: unknown) => caught)
  if (!(error instanceof KeysError)) throw error
  return error
}

describe('what cannot be read is said', () => {
  test('a file that is not there', async () => {
    const { code, message } = await refusal(path.join(root, 'nope'))
    expect([code, message]).toEqual(['keys-file', 'keys.yaml cannot be read: it does not exist'])
  })

  test('a folder', async () => {
    expect((await refusal(root)).message).toBe('keys.yaml cannot be read: it is not a regular file')
  })

  test('a pipe, which nobody writes to', async () => {
    execFileSync('mkfifo', [path.join(root, 'pipe')])
    expect((await refusal(path.join(root, 'pipe'))).message).toMatch(/not a regular file/)
  })

  test('a file of more than four megabytes', async () => {
    await writeFile(path.join(root, 'large'), Buffer.alloc(4 * 1024 * 1024 + 1, '#'))
    expect((await refusal(path.join(root, 'large'))).message).toMatch(/larger than it may be/)
  })

  test('UTF-16, as some editors write it', async () => {
    await writeFile(path.join(root, 'wide'), Buffer.from('\ufeffversion: 1\n', 'utf16le'))
    expect((await refusal(path.join(root, 'wide'))).message).toBe('keys.yaml cannot be read: it is not UTF-8')
  })
})

test('a link to it is followed, and a byte order mark is none of it', async () => {
  await writeFile(path.join(root, 'real'), '\ufeffversion: 1\n')
  await symlink('real', path.join(root, 'link'))
  expect(await readKeysText(path.join(root, 'link'), 'keys.yaml')).toBe('version: 1\n')
})

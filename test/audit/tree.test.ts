import { execFileSync } from 'node:child_process'
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { searchTree, type TreeOptions } from '../../src/audit/tree.ts'
import { createGit } from '../../src/audit/tree-git.ts'
import { has } from '../cli/programs.ts'
import { createRepository, real, type Repository } from './repository.ts'

let repository: Repository

beforeEach(async ({ skip }) => {
  if (!has('git')) skip('git is not installed')
  repository = await createRepository()
})
afterEach(() => repository?.remove())

async function found(options: Partial<TreeOptions> = {}): Promise<[string, number, string][]> {
  const { root, env } = repository
  const { places } = await searchTree({ cwd: root, env, ...options })
  return places.map(({ file, line, state }) => [file, line, state] as [string, number, string]).sort()
}

describe('a secret is found', () => {
  test('in a file that git tracks, and in one that it does not ignore', async () => {
    await repository.write('src/app.js', `\nconst key = '${real}'\n`)
    repository.commit()
    await repository.write('.env')
    expect(await found()).toEqual([
      ['.env', 1, 'not-ignored'],
      ['src/app.js', 2, 'tracked'],
    ])
  })

  test('in one that is tracked although it is ignored', async () => {
    await repository.write('.env')
    repository.commit()
    await repository.write('.gitignore', '.env\n')
    expect(await found()).toEqual([['.env', 1, 'tracked']])
  })

  test('in the whole tree, from wherever it is looked at, named from there', async () => {
    await repository.write('.env')
    await repository.write('deep/er/.env')
    expect(await found({ cwd: path.join(repository.root, 'deep') })).toEqual([
      ['../.env', 1, 'not-ignored'],
      ['er/.env', 1, 'not-ignored'],
    ])
  })

  test.each([
    ['spaces', 'a file with  spaces'],
    ['a newline', 'two\nlines'],
    ['control characters', 'bell\u0007 tab\t escape\u001b[31m'],
    ['quotes and backslashes', `"it's" \\ $(x)`],
    ['letters of the world', 'Größe/ключ/键.env'],
    ['a dash first', '-rf'],
  ])('in a name with %s', async (_, name) => {
    await repository.write(name)
    expect(await found()).toEqual([[name, 1, 'not-ignored']])
    repository.commit()
    expect(await found()).toEqual([[name, 1, 'tracked']])
  })

  test('in a name that is no text', async () => {
    await repository.write(Buffer.from([0x66, 0xff, 0xfe, 0x66]))
    repository.commit()
    expect(await found()).toEqual([['f\ufffd\ufffdf', 1, 'tracked']])
  })

  test('in a file in conflict, once', async () => {
    await repository.write('a', 'one\n')
    repository.commit()
    repository.git('checkout', '-qb', 'side')
    await repository.write('a', `${real}\n`)
    repository.commit()
    repository.git('checkout', '-q', 'main')
    await repository.write('a', 'three\n')
    repository.commit()
    expect(() => repository.git('merge', '-q', 'side')).toThrow()
    expect(await found()).toEqual([['a', 4, 'tracked']])
  })

  test('in a submodule', async () => {
    const other = await createRepository()
    await other.write('lib/config.yml')
    other.commit()
    repository.git(
      '-c',
      'protocol.file.allow=always',
      'submodule',
      '--quiet',
      'add',
      other.root,
      'vendor/lib',
    )
    repository.commit()
    await repository.write('vendor/lib/.env')
    await other.remove()
    expect(await found()).toEqual([
      ['vendor/lib/.env', 1, 'not-ignored'],
      ['vendor/lib/lib/config.yml', 1, 'tracked'],
    ])
    repository.git('submodule', '--quiet', 'deinit', '-f', 'vendor/lib')
    expect(await found()).toEqual([])
  })

  test('and a submodule that another took the place of, or whose name is no text, stops nothing', async () => {
    await repository.write('.env')
    const gitlink = (name: string) =>
      repository.git('update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},${name}`)
    await symlink(tmpdir(), path.join(repository.root, 'link'))
    await repository.write('file')
    await mkdir(Buffer.from(`${repository.root}/caf\u00e9`, 'latin1'))
    for (const name of ['link', 'file', 'gone']) gitlink(name)
    await repository.write('names', Buffer.from(`160000 ${'1'.repeat(40)}\tcaf\u00e9\n`, 'latin1'))
    execFileSync('sh', ['-c', 'git update-index --index-info < names && rm names file'], {
      cwd: repository.root,
      env: repository.env,
    })
    expect(await found()).toEqual([['.env', 1, 'not-ignored']])
  })

  test('in a worktree of its own', async () => {
    await repository.write('a')
    repository.commit()
    const beside = path.join(repository.root, '..', 'beside')
    repository.git('worktree', 'add', '-q', beside)
    expect(await found({ cwd: beside })).toEqual([['a', 1, 'tracked']])
  })
})

describe('it is not looked for', () => {
  test("in git's own folder", async () => {
    await repository.write('.git/notes')
    expect(await found({ cwd: path.join(repository.root, '.git') })).toEqual([])
  })

  test('in what git ignores, by whichever file', async () => {
    await repository.write('.gitignore', '.env\nbuild/\n')
    await repository.write('nested/.gitignore', '*.local\n')
    await repository.write('.git/info/exclude', 'mine\n')
    for (const file of ['.env', 'build/out.js', 'nested/a.local', 'mine']) await repository.write(file)
    expect(await found()).toEqual([])
  })

  test('in history', async () => {
    await repository.write('a')
    repository.commit()
    repository.git('rm', '-q', 'a')
    expect(await found()).toEqual([])
  })

  test('behind a link, be it tracked or in the place of a folder', async () => {
    const outside = path.join(repository.root, '..', 'outside')
    await mkdir(outside)
    await writeFile(path.join(outside, 'secret'), real)
    await symlink(path.join(outside, 'secret'), path.join(repository.root, 'link'))
    await repository.write('folder/secret', 'nothing\n')
    repository.commit()
    await rename(path.join(repository.root, 'folder'), path.join(repository.root, '..', 'away'))
    await symlink(outside, path.join(repository.root, 'folder'))
    expect(await found()).toEqual([])
  })

  test('in a repository that lies in it without being part of it', async () => {
    await mkdir(path.join(repository.root, 'clone'))
    repository.git('init', '-q', 'clone')
    await repository.write('clone/.env')
    const search = searchTree({ ...repository, cwd: repository.root })
    expect(await search).toMatchObject({ places: [], strangers: ['clone'] })
  })

  test('where it is told not to, by the path from the root', async () => {
    await repository.write('test/fixtures/a.env')
    await repository.write('src/a.env')
    const isIgnored = (file: string) => file.startsWith('test/')
    expect(await found({ cwd: path.join(repository.root, 'src'), isIgnored })).toEqual([
      ['a.env', 1, 'not-ignored'],
    ])
  })
})

test('no program that the repository names is run, and no variable of ours reaches git', async () => {
  const trace = path.join(repository.root, '..', 'ran')
  const hook = path.join(repository.root, '..', 'hook')
  await writeFile(hook, `#!/bin/sh\nenv > '${trace}'\n`, { mode: 0o755 })
  repository.git('config', 'core.fsmonitor', hook)
  await repository.write('a')
  const env = {
    ...repository.env,
    PICTIFY_ADMIN_KEY: real,
    GIT_DIR: '/nowhere',
    GIT_INDEX_FILE: '/nowhere/index',
  }
  expect(await found({ env })).toEqual([['a', 1, 'not-ignored']])
  expect(await readdir(path.dirname(trace))).not.toContain('ran')
  // a git of the test's own making tells what it was given
  const bin = path.join(repository.root, '..', 'bin')
  await mkdir(bin)
  await writeFile(path.join(bin, 'git'), `#!/bin/sh\nenv > '${trace}'\nexit 128\n`, { mode: 0o755 })
  await expect(found({ env: { ...env, PATH: `${bin}:${repository.env['PATH']}` } })).rejects.toThrow(
    'git refuses: it ended with 128',
  )
  const given = await readFile(trace, 'utf8')
  expect(given).toContain('GIT_OPTIONAL_LOCKS=0')
  expect(given).not.toContain(real)
  expect(given).not.toContain('/nowhere')
})

test('a repository that git refuses is not known to be in order', async () => {
  await writeFile(path.join(repository.root, '.git', 'config'), '[core\n')
  await expect(found()).rejects.toThrow(/^git refuses: bad config line 1/)
})

test('a git that does not answer is waited for no longer than that', async () => {
  const bin = path.join(repository.root, '..', 'bin')
  await mkdir(bin)
  await writeFile(path.join(bin, 'git'), '#!/bin/sh\nsleep 20\n', { mode: 0o755 })
  const env = { PATH: `${bin}:${repository.env['PATH']}` }
  const git = createGit(env, { limitMs: 300 })
  await expect(git.files(repository.root)).rejects.toThrow('git did not answer within 0.3s')
  const patient = createGit(env, { signal: AbortSignal.timeout(300) })
  await expect(patient.files(repository.root)).rejects.toThrow(/aborted due to timeout/)
})

test('one that belongs to another user is not believed', async ({ skip }) => {
  if (process.getuid?.() !== 0) skip('root alone can give a folder away')
  await chown(repository.root, 12_345, 12_345)
  await expect(found()).rejects.toThrow(/^git refuses: the repository belongs to another user/)
})

describe('without a repository', () => {
  let folder: string
  beforeEach(async () => void (folder = await mkdtemp(path.join(tmpdir(), 'pictify-keys-none-'))))
  afterEach(() => rm(folder, { recursive: true }))

  test.each([
    ['with git', undefined],
    ['and without git', '/nowhere'],
  ])('%s the environment files of the folder are looked into', async (_, PATH) => {
    for (const name of ['.env', '.env.local', 'prod.env', 'notes.txt', 'environment', '.env.example']) {
      await writeFile(path.join(folder, name), name === '.env.example' ? 'KEY=pk_live_your_key_here' : real)
    }
    const env = { ...repository.env, ...(PATH && { PATH }) }
    expect(await found({ cwd: folder, env })).toEqual([
      ['.env', 1, 'no-repository'],
      ['.env.local', 1, 'no-repository'],
      ['prod.env', 1, 'no-repository'],
    ])
    expect(await searchTree({ cwd: folder, env })).toMatchObject({ hasRepository: false, files: 4 })
  })

  test('without git, what a repository tracks is not known', async () => {
    const cwd = path.join(repository.root, 'deep')
    await mkdir(cwd)
    const env = { ...repository.env, PATH: '/nowhere' }
    await expect(found({ cwd, env })).rejects.toThrow('git is not installed')
  })
})

test('what cannot be read is counted', async ({ skip }) => {
  if (process.getuid?.() === 0) skip('root reads every file')
  await repository.write('closed')
  await chmod(path.join(repository.root, 'closed'), 0)
  const { root, env } = repository
  expect(await searchTree({ cwd: root, env })).toMatchObject({ places: [], unread: 1 })
})

test('what is more than is listed is said, and the rest of the files is still searched', async () => {
  await repository.write('a-many', `${real}\n`.repeat(300))
  await repository.write('b-one')
  const { root, env } = repository
  const { places, isCut } = await searchTree({ cwd: root, env })
  expect([places.length, places.at(-1)?.file, isCut]).toEqual([101, 'b-one', true])
})

test('tells how far it is, and ends when it is to', async () => {
  for (let index = 0; index < 40; index += 1) await repository.write(`file-${index}`)
  const told: number[] = []
  const controller = new AbortController()
  const onProgress = ({ done, total }: { done: number; total: number }) => {
    told.push(done, total)
    controller.abort(new Error('enough'))
  }
  await expect(found({ onProgress, signal: controller.signal })).rejects.toThrow('enough')
  expect(told).toEqual([16, 40])
})

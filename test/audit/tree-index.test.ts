import { readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { searchTree } from '../../src/audit/tree.ts'
import { has } from '../cli/programs.ts'
import { createRepository, real, type Repository } from './repository.ts'

let repository: Repository

beforeEach(async ({ skip }) => {
  if (!has('git')) skip('git is not installed')
  repository = await createRepository()
})
afterEach(() => repository?.remove())

async function found(cwd = repository.root): Promise<[string, number, string][]> {
  const { places } = await searchTree({ cwd, env: repository.env })
  return places.map(({ file, line, state }) => [file, line, state] as [string, number, string]).sort()
}

describe('a secret of the index alone is found', () => {
  const inIndex = (...files: string[]) => files.map((file) => [file, 1, 'in-index'])

  test('where the file is gone, or was edited since it was staged', async () => {
    for (const file of ['gone', 'edited', 'committed']) await repository.write(file)
    repository.git('add', 'committed')
    repository.git('commit', '-qm', 'x')
    repository.git('add', '-A')
    await rm(path.join(repository.root, 'gone'))
    for (const file of ['edited', 'committed']) await repository.write(file, 'KEY=\n')
    expect(await found()).toEqual(inIndex('committed', 'edited', 'gone'))
  })

  test('and once where the file has it too, on another line', async () => {
    await repository.write('a')
    repository.git('add', '-A')
    await repository.write('a', `# of production\nKEY=${real}\n`)
    expect(await found()).toEqual([['a', 2, 'tracked']])
  })

  test('of a submodule, and of a folder that a link took the place of', async () => {
    const other = await createRepository()
    await other.write('config.yml')
    other.commit()
    const allow = ['-c', 'protocol.file.allow=always']
    repository.git(...allow, 'submodule', '--quiet', 'add', other.root, 'lib')
    await rm(path.join(repository.root, 'lib', 'config.yml'))
    await other.remove()
    await repository.write('folder/secret')
    repository.commit()
    await rm(path.join(repository.root, 'folder'), { recursive: true })
    await symlink(tmpdir(), path.join(repository.root, 'folder'))
    expect(await found()).toEqual(inIndex('folder/secret', 'lib/config.yml'))
  })

  test('of a repository that names its objects by SHA-256', async ({ skip }) => {
    const cwd = path.join(repository.root, '..', 'longer')
    try {
      repository.git('init', '-q', '--object-format=sha256', cwd)
    } catch {
      skip('this git knows SHA-1 alone')
    }
    for (const file of ['gone', 'there']) await writeFile(path.join(cwd, file), real)
    repository.git('-C', cwd, 'add', '-A')
    await rm(path.join(cwd, 'gone'))
    expect(await found(cwd)).toEqual([...inIndex('gone'), ['there', 1, 'tracked']])
  })

  test('of many files, in large ones too, as far as is listed', async () => {
    const filler = Buffer.alloc(3_000_000, 'abcdefghi;\n')
    for (let index = 0; index < 12; index += 1) {
      await repository.write(
        `many/${index}`,
        Buffer.concat([filler.subarray(0, index * 200_000), Buffer.from(`\n${real}\n${index}`)]),
      )
    }
    repository.git('add', '-A')
    await rm(path.join(repository.root, 'many'), { recursive: true })
    expect((await found()).map(([, , state]) => state)).toEqual(Array<string>(12).fill('in-index'))
    await repository.write('most', `${real}\n`.repeat(200))
    repository.git('add', 'most')
    await rm(path.join(repository.root, 'most'))
    const { root, env } = repository
    const { places, isCut, unread } = await searchTree({ cwd: root, env })
    expect([places.length, isCut, unread]).toEqual([112, true, 0])
  })

  test('what git does not have is counted, and not fetched by a program of the repository', async () => {
    const ran = path.join(repository.root, '..', 'ran')
    const program = path.join(repository.root, '..', 'program')
    await writeFile(program, `#!/bin/sh\ntouch '${ran}'\nexit 1\n`, { mode: 0o755 })
    await repository.write('a')
    await repository.write('b')
    repository.git('add', '-A')
    for (const file of ['a', 'b']) await repository.write(file, 'edited\n')
    repository.git('update-index', '--cacheinfo', `100644,${'1'.repeat(40)},b`)
    for (const [name, value] of [
      ['core.repositoryFormatVersion', '1'],
      ['extensions.partialClone', 'origin'],
      ['remote.origin.url', tmpdir()],
      ['remote.origin.promisor', 'true'],
      ['remote.origin.uploadpack', program],
    ] as const)
      repository.git('config', name, value)
    const { root, env } = repository
    const { places, unread } = await searchTree({ cwd: root, env })
    expect([places.map(({ file }) => file), unread]).toEqual([['a'], 1])
    expect(await readdir(path.dirname(ran))).not.toContain('ran')
  })
})

import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadSdk } from '../../src/targets/sdk.ts'
import { failure } from './contract.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pictify-sdk-'))
})
afterEach(() => rm(folder, { recursive: true }))

const library = '@aws-sdk/client-secrets-manager'
const missing = () => {
  const error = new Error(`Cannot find package '${library}'`)
  return Promise.reject(Object.assign(error, { code: 'ERR_MODULE_NOT_FOUND' }))
}
/** What is said of a library that is not there, to a program that was started from that path. */
const told = (program: string, load: () => Promise<unknown> = missing) =>
  failure(loadSdk(library, { name: 'aws-sm:prod/app', program }, load))

test('gives what it loaded', async () => {
  expect(await loadSdk(library, { name: 'x', program: '' }, async () => ({ answer: 42 }))).toEqual({
    answer: 42,
  })
})

test('a missing library is named with the line that installs it', async () => {
  expect(await told('/work/pictify-keys/bin/pictify-keys.js')).toMatchObject({
    code: 'target-refused',
    message: `aws-sm:prod/app: ${library} is not installed`,
    hint: `npm i ${library}@3`,
  })
})

test('beside a global program it is installed globally, beside a project’s own in the project', async () => {
  const program = path.join(folder, 'node_modules', 'pictify-keys', 'bin', 'pictify-keys.js')
  expect((await told(program)).hint).toBe(`npm i -g ${library}@3`)
  await writeFile(path.join(folder, 'package.json'), '{}')
  expect((await told(program)).hint).toBe(`npm i ${library}@3`)
})

test('of a program that is started by a link, it is where that leads', async () => {
  const program = path.join(folder, 'lib', 'node_modules', 'pictify-keys', 'bin', 'pictify-keys.js')
  await mkdir(path.dirname(program), { recursive: true })
  await writeFile(program, '')
  await symlink(program, path.join(folder, 'pictify-keys'))
  expect((await told(path.join(folder, 'pictify-keys'))).hint).toBe(`npm i -g ${library}@3`)
})

test('a program that npx fetched gets it by the same line', async () => {
  const home = path.join(folder, '_npx', '0a1b')
  await mkdir(home, { recursive: true })
  await writeFile(path.join(home, 'package.json'), '{}')
  const program = path.join(home, 'node_modules', 'pictify-keys', 'bin', 'pictify-keys.js')
  expect((await told(program)).hint).toBe(`npx -p pictify-keys -p ${library}@3 pictify-keys …`)
})

test('one that is there and cannot be loaded is told apart', async () => {
  const error = await told('/x', () => Promise.reject(new SyntaxError('Unexpected token')))
  expect(error).toMatchObject({
    message: `aws-sm:prod/app: ${library} cannot be loaded`,
    hint: `install it anew: npm i ${library}@3`,
  })
})

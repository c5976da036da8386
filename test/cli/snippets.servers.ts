// What `--snippet python` prints, with the vendor's own SDK, against the sandbox.
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { openAccount, type Account } from './account.ts'

const python = inject('servers')['pictify-python'] as { command: string } | undefined

let account: Account
beforeAll(async () => {
  account = await openAccount()
})
afterAll(() => account.end())

test.skipIf(!python)('the SDK for Python takes the key from the environment, and renders', async () => {
  const made = await account.run(['create', 'Web', '--type', 'live', '--json'])
  const { apiKey, secret } = JSON.parse(made.stdout) as { apiKey: { id: string }; secret: string }
  const { stdout } = await account.run(['show', apiKey.id, '--snippet', 'python'])
  const file = path.join(account.home.directory, 'app.py')
  await writeFile(file, stdout)
  const env = { PATH: process.env['PATH'], PICTIFY_API_KEY: secret }
  const ran = await promisify(execFile)(python?.command ?? '', [file], { env })
  expect(ran.stdout).toMatch(/^https:\/\/media\.pictify\.io\/img_\w+\.png\n$/)
})

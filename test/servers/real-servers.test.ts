// What `scripts/real-servers.js` remembers of what it started. A stand-in for kubectl is all that it starts.
import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pictify-servers-'))
  await mkdir(path.join(folder, 'tmp'))
  await writeFile(path.join(folder, 'kubectl'), '#!/bin/sh\necho "Client Version: v1"\n')
  await chmod(path.join(folder, 'kubectl'), 0o755)
})
afterEach(() => rm(folder, { recursive: true }))

const state = () => path.join(folder, 'pictify-keys-servers', 'running.json')

function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const script = fileURLToPath(new URL('../../scripts/real-servers.js', import.meta.url))
  const env = {
    PATH: `${folder}:${process.env['PATH']}`,
    XDG_CACHE_HOME: folder,
    TMPDIR: path.join(folder, 'tmp'),
  }
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr })
    })
  })
}

test('lies where nobody else can write, and is believed once', async () => {
  const first = await run('start', 'kubectl')
  expect(first).toMatchObject({ code: 0, stderr: '' })
  expect(JSON.parse(first.stdout)).toEqual({
    kubectl: { kubectl: path.join(folder, 'kubectl'), version: 'Client Version: v1' },
  })
  expect((await stat(state())).mode & 0o777).toBe(0o600)
  const again = await run('start', 'kubectl')
  expect(again).toMatchObject({ code: 1, stdout: '' })
  expect(again.stderr).toContain('real-servers.js stop` first')
  expect(await readdir(path.join(folder, 'tmp'))).toHaveLength(1)
  expect((await run('stop')).code).toBe(0)
  expect(await readdir(path.join(folder, 'tmp'))).toEqual([])
  expect(await run('stop')).toMatchObject({ code: 0, stdout: 'nothing was started\n' })
})

test('what lies among the temporary files is not', async () => {
  const precious = path.join(folder, 'precious')
  await mkdir(precious)
  const planted = path.join(folder, 'tmp', `pictify-keys-servers-${process.getuid?.() ?? ''}.json`)
  await writeFile(planted, JSON.stringify({ pids: [], folder: precious }))
  expect((await run('stop')).code).toBe(0)
  expect(await readdir(folder)).toContain('precious')
})

// The program as the first process of a container, to which the kernel gives no signal that it does not listen to.
import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { leftOpen, openRotating, type Rotating } from './rotating.ts'

const namespaces = ['--pid', '--fork', '--kill-child']
const isPossible = spawnSync('unshare', [...namespaces, 'true']).status === 0

describe.skipIf(!isPossible)('the first process of a container', () => {
  let account: Rotating
  beforeEach(async () => {
    account = await openRotating()
  })
  afterEach(() => account.end())

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('that gets %s stops at the next safe point, and ends with %i', async (signal, code) => {
    const args = ['rotate', account.old.id, '--to', 'env:.env', ...leftOpen, '--wait', '10m']
    // what `unshare` is replaced by starts the program as the first of its own processes
    const running = account.home.start(args, {
      first: `set -- "$0" "$@"; exec unshare ${namespaces.join(' ')} "$@"`,
    })
    await running.until(() => running.output().stderr.includes('"event":"evidence"'))
    const { pid } = running.child
    const first = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
    process.kill(Number(first), signal)
    const ran = await running.ended
    expect(ran.exit).toBe(code)
    expect(ran.stderr).toContain('"then":"stop"')
    expect(JSON.parse(ran.stdout)).toMatchObject({ rotation: { state: 'overlapping' } })
  })
})

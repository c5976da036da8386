// What the conformance suites of all kinds of target have in common.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { KeysError } from '../../src/errors.ts'
import { Secret } from '../../src/secret.ts'
import { bundle } from './other-process.ts'

export const old = new Secret('pk_live_OldOldOldOldOld1')
export const successor = new Secret('pk_live_NewNewNewNewNew2')
export const third = new Secret('pk_live_SomebodyElse0003')
export const all = [old, successor, third]

/** Runs the work and gives the error it ends with, which must be ours, say what to do, and show no secret. */
export async function failure(work: Promise<unknown>): Promise<KeysError> {
  const error: unknown = await work.then(
    () => undefined,
    (caught: unknown) => caught,
  )
  expect(error).toBeInstanceOf(KeysError)
  const told = error as KeysError
  expect(told.hint).toBeTruthy()
  for (const secret of all) {
    expect(`${told.message} ${told.hint} ${String(told.cause)}`).not.toContain(secret.reveal())
  }
  return told
}

/** How a store can fail: what it answers with, and what the target makes of it. */
export type Fault =
  /** Signed in, and not allowed to write here. */
  | 'forbidden'
  /** The login was good once. */
  | 'expired'
  /** Asks to wait, again and again. */
  | 'throttled'
  /** Asks to wait once, then does the work. */
  | 'throttled once'
  /** Nobody there. */
  | 'down'
  /** Takes the request and never answers. */
  | 'slow'

/** What a secret may hold: bytes in must be bytes out. */
export const values: Record<string, string> = {
  'a live key': 'pk_live_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-',
  'a newline at its end': 'pk_live_line\n',
  'lines of both kinds': 'pk_live_\r\none\n\ntwo\r\n',
  quotes: `pk_live_"double" 'single' \`back\``,
  'what shells and templates replace': 'pk_live_$HOME ${HOME} $(id) {{x}} %s \\n \\',
  unicode: 'pk_live_grüße 🗝️ \u200b\u0000'.replace('\u0000', '') + ' e\u0301',
  spaces: '  pk_live_spaces \t ',
}

/** One that hurries: a time limit of half a minute is over in a second. */
export const hurried = {
  now: () => systemClock.now(),
  sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms / 30, signal),
}

/** What the journal keeps of what a target held. */
export interface Kept {
  value: string
  version?: string | undefined
}

/**
 * A call in a process of its own that knows no more than a journal keeps. It is given its secrets on stdin; `told` gets
 * its command line. Throws with what it said where it failed.
 */
export async function callInProcess({
  spec,
  action,
  kept,
  env,
  told,
  own,
}: {
  spec: string
  /** `killed`: writes, and dies before anybody can note it. */
  action: 'killed' | 'write' | 'restore'
  kept: Kept | undefined
  env: Record<string, string>
  told: string[]
  /** A module that gives `create(spec)` and the library's `Secret`, for a target that is in no table. */
  own?: string | undefined
}): Promise<{ code: number | null; signal: string | null }> {
  const folder = fileURLToPath(new URL(`../../node_modules/.cache/target-${process.pid}/`, import.meta.url))
  await mkdir(folder, { recursive: true })
  try {
    const script = await bundle(
      folder,
      `import { systemClock } from 'SRC/clock.ts'
       ${
         own === undefined
           ? `import { Secret } from 'SRC/secret.ts'
              import { parseTarget as create } from 'SRC/targets/index.ts'`
           : `import { create, Secret } from '${own}'`
       }
       let text = ''
       for await (const chunk of process.stdin) text += chunk
       const { spec, action, kept, successor } = JSON.parse(text)
       const quiet = () => {}
       const target = create(spec, {
         cwd: '/', env: process.env, debug: quiet, warn: quiet, secrets: () => [], showSecret: undefined,
         clock: systemClock, createTarget: true, program: '/x',
       })
       const held = kept ? { value: new Secret(kept.value), version: kept.version } : undefined
       if (action === 'restore') await target.restore(held, new Secret(successor))
       else await target.write(new Secret(successor), held)
       process.kill(process.pid, action === 'killed' ? 'SIGKILL' : 0)
       process.exit(0)`,
      { packages: 'external', external: own === undefined ? [] : [own] },
    )
    const child = spawn(process.execPath, [path.resolve(script)], {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'ignore', 'pipe'],
    })
    // it may be over before we have looked at it
    const closed = once(child, 'close') as Promise<[number | null, string | null]>
    let stderr = ''
    child.stderr.on('data', (chunk) => (stderr += String(chunk)))
    child.stdin.end(JSON.stringify({ spec, action, kept, successor: successor.reveal() }))
    await promisify(execFile)('ps', ['-o', 'args=', '-p', String(child.pid)])
      .then(({ stdout }) => told.push(stdout))
      .catch(() => told.push(''))
    const [code, signal] = await closed
    if (code !== null && code !== 0) throw new Error(stderr)
    return { code, signal }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** What does not apply to a kind is no test of it, and no skipped one either. */
export function when(applies: unknown, register: (name: string, body: () => void | Promise<void>) => void) {
  return (name: string, body: () => void | Promise<void>) => {
    if (applies) register(name, body)
  }
}

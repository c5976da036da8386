import { afterEach } from 'vitest'
import { createSandbox, type Sandbox, type SandboxOptions } from '../../../src/sandbox/server.ts'

let open: Sandbox[] = []

/** A sandbox for one test, where a new key works at once. */
export async function start(options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await createSandbox({ propagationMs: 0, seed: 7, ...options })
  open.push(sandbox)
  return sandbox
}

afterEach(async () => {
  await Promise.all(open.map((sandbox) => sandbox.close()))
  open = []
})

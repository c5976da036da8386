import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createClient } from '../../src/api/client.ts'
import type { Client } from '../../src/api/contract.ts'
import { systemClock, type Clock } from '../../src/clock.ts'
import type { Fetch } from '../../src/http.ts'
import { createProcesses } from '../../src/processes.ts'
import { createJournals } from '../../src/rotation/journal.ts'
import { answersTo } from '../../src/rotation/marked-name.ts'
import type { RotationEvent, RotationOptions, RotationServices } from '../../src/rotation/run.ts'
import {
  createSandbox,
  type Sandbox,
  type SandboxKey,
  type SandboxOptions,
} from '../../src/sandbox/server.ts'
import { Secret } from '../../src/secret.ts'
import { parseTarget } from '../../src/targets/index.ts'
import type { Target } from '../../src/targets/target.ts'
import { testDeps } from '../targets/deps.ts'

/** A sandbox, a key in a .env file, and all that a rotation needs to be run on them, in this process. */
export interface Stage {
  sandbox: Sandbox
  /** One clock for the sandbox and the rotation, on which sleeping takes no time. */
  clock: Clock
  /** The key that is rotated: live, "Production Server", in `.env` as PICTIFY_API_KEY. */
  old: SandboxKey
  directory: string
  envFile: string
  /** What `.env` held at first. */
  envBefore: string
  events: RotationEvent[]
  client(credential?: Secret, fetch?: Fetch): Client
  target(spec: string): Target
  services(overrides?: Partial<RotationServices>): RotationServices
  options(overrides?: Partial<RotationOptions>): RotationOptions
  /** The secret `.env` holds now. */
  held(): Promise<string | undefined>
  active(): SandboxKey[]
  /** Every key but the admin's, whatever its status. */
  ordinary(): SandboxKey[]
  key(id: string | undefined): SandboxKey | undefined
  /** What an application does with a secret; resolves to the status of the answer: 200 while the key works. */
  call(secret: Secret | string | undefined): Promise<number>
  end(): Promise<void>
}

export async function setStage(sandboxOptions: SandboxOptions = {}): Promise<Stage> {
  const clock = createHurriedClock()
  const sandbox = await createSandbox({ propagationMs: 0, seed: 7, clock, ...sandboxOptions })
  const directory = await mkdtemp(path.join(tmpdir(), 'pictify-rotation-'))
  const old = sandbox.dashboard.create({
    name: 'Production Server',
    type: 'live',
    access: 'full',
    createdAt: clock.now() - 90 * 86_400_000,
  })
  const envFile = path.join(directory, '.env')
  const envBefore = `# keys\r\nexport PICTIFY_API_KEY="${old.secret.reveal()}" # live\r\nPORT=80`
  await writeFile(envFile, envBefore)
  const events: RotationEvent[] = []
  const never = new AbortController().signal

  function client(credential = sandbox.adminKey, fetch: Fetch = realFetch): Client {
    return createClient({
      fetch,
      baseUrl: sandbox.url,
      credential,
      version: '0.0.0',
      answersTo,
      clock,
      retries: 1,
    })
  }
  function target(spec: string): Target {
    return parseTarget(spec, testDeps(directory))
  }

  return {
    sandbox,
    clock,
    old,
    directory,
    envFile,
    envBefore,
    events,
    client,
    target,
    services: (overrides) => ({
      api: client(),
      credential: sandbox.adminKey,
      journals: createJournals(path.join(directory, 'state')),
      processes: createProcesses(process.pid, process.platform, (pid) => process.kill(pid, 0)),
      stateDir: path.join(directory, 'state'),
      clock,
      report: (event) => events.push(event),
      learn: () => {},
      stop: never,
      undo: never,
      ...overrides,
    }),
    options: (overrides) => ({
      targets: [target('env:.env#PICTIFY_API_KEY')],
      cwd: directory,
      verify: undefined,
      restarts: [],
      createTarget: false,
      settleMs: 0,
      probes: 2,
      overlapMs: 0,
      idleMs: 0,
      usageLagMs: 0,
      waitMs: 5_000,
      evidence: true,
      deleteOld: false,
      compromised: undefined,
      self: false,
      takeOver: false,
      oldSecret: undefined,
      ...overrides,
    }),
    async held() {
      return /PICTIFY_API_KEY="?(pk_[^"\r\n]*)/.exec(await readFile(envFile, 'utf8'))?.[1]
    },
    active: () => sandbox.keys().filter((key) => key.status === 'active' && key.access !== 'admin'),
    ordinary: () => sandbox.keys().filter(({ access }) => access !== 'admin'),
    key: (id) => sandbox.keys().find((key) => key.id === id),
    async call(secret = '') {
      const text = secret instanceof Secret ? secret.reveal() : secret
      const headers = { authorization: `Bearer ${text}` }
      return (await fetch(`${sandbox.url}/templates?limit=1`, { headers })).status
    },
    async end() {
      await sandbox.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

export const realFetch: Fetch = (url, init) => globalThis.fetch(url, init)

/** The real time and all that was ever slept. */
function createHurriedClock(): Clock {
  let slept = 0
  return {
    now: () => systemClock.now() + slept,
    async sleep(ms, signal) {
      signal?.throwIfAborted()
      slept += ms
      await systemClock.sleep(0, signal)
    },
  }
}

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import {
  createClient,
  KeysError,
  type Client,
  type ClientOptions,
  type RotateOptions,
  type RotationEvent,
} from '../../src/library.ts'
import { createSandbox, type Sandbox, type SandboxKey } from '../../src/sandbox/server.ts'

/** A sandbox with a key in a `.env`, and a client of it. */
interface Stage {
  sandbox: Sandbox
  client: Client
  /** "Production Server", in `.env` as PICTIFY_API_KEY. */
  old: SandboxKey
  folder: string
  events: RotationEvent[]
  clientWith(options?: Partial<ClientOptions>): Client
  /** The waits short, everything in the folder, events kept. */
  options(overrides?: Partial<RotateOptions>): RotateOptions
  held(): Promise<string | undefined>
  key(id: string | undefined): SandboxKey | undefined
  end(): Promise<void>
}

/** For the suite it is called in: one for each test. */
export function useStage(): Stage {
  const stage = {} as Stage
  beforeEach(async () => {
    Object.assign(stage, await setStage())
  })
  afterEach(() => stage.end())
  return stage
}

/** What it throws, which must be an error of ours. */
export async function failure(work: Promise<unknown>): Promise<KeysError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error instanceof KeysError) return error
  throw new Error('it threw no KeysError', { cause: error })
}

async function setStage(): Promise<Stage> {
  const sandbox = await createSandbox({ propagationMs: 0, seed: 11 })
  const folder = await mkdtemp(path.join(tmpdir(), 'pictify-keys-library-'))
  const old = sandbox.dashboard.create({ name: 'Production Server', createdAt: Date.now() - 86_400_000 })
  await writeFile(path.join(folder, '.env'), `PICTIFY_API_KEY=${old.secret.reveal()}\n`)
  const events: RotationEvent[] = []
  const clientWith = (options: Partial<ClientOptions> = {}) =>
    createClient({ credential: sandbox.adminKey, baseUrl: sandbox.url, retries: 0, ...options })
  const client = clientWith()
  return {
    sandbox,
    client,
    old,
    folder,
    events,
    clientWith,
    options: (overrides) => ({
      targets: ['env:.env'],
      cwd: folder,
      stateDir: 'state',
      ...{ settleMs: 0, idleMs: 0, usageLagMs: 0, waitMs: 20_000 },
      onEvent: (event) => events.push(event),
      ...overrides,
    }),
    held: async () => /PICTIFY_API_KEY=(.*)/.exec(await readFile(path.join(folder, '.env'), 'utf8'))?.[1],
    key: (id) => sandbox.keys().find((key) => key.id === id),
    async end() {
      await client.close()
      await sandbox.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

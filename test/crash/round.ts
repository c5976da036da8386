import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { systemClock } from '../../src/clock.ts'
import { createSandbox, type Sandbox, type SandboxKey } from '../../src/sandbox/server.ts'
import { createHome, type Home, type Ran, type Running } from '../cli/program.ts'
import { startApplication, type Application } from './application.ts'
import type { Place, Variant } from './variants.ts'

const saboteur = path.resolve('test/crash/saboteur.js')
/** Where the saboteur writes what it passed; not of the program's own. */
export const pointsFile = 'points.log'

/** What is done to a run, and at which of the points it comes to (from 1). */
export interface Sabotage {
  at: number
  /** `wait`: it stands still at every point until the file `go` says how many it may have passed. */
  what: 'SIGKILL' | 'SIGTERM' | 'SIGINT' | 'wait'
  /** Counts only points that fit this pattern. */
  only?: string
  /** Counts only points after which the file they are about fits this pattern. */
  says?: string
  /** Counts only points that come after the `nth` of those that fit that pattern. */
  since?: { only: string; nth: number }
  go?: string
}

export interface Sabotaged extends Ran {
  /** Every point it passed, in order; the last is where it was struck. */
  points: string[]
  /** Whether it came as far as that. */
  struck: boolean
}

interface RunOptions {
  more?: readonly string[]
  whileRunning?: (running: Running) => Promise<void>
}

/** One key on one server, one home, and an application that uses the key all the while. */
export interface Round {
  variant: Variant
  sandbox: Sandbox
  home: Home
  old: SandboxKey
  application: Application
  /** Every secret there ever was, but what a test itself keeps. */
  secrets(): string[]
  /** What a place holds now; empty where nothing is found. */
  held(place: Place): string
  /** The keys that are in question: the old one and whatever was minted since. */
  keys(): SandboxKey[]
  /** Runs the line, with more words at its end; without sabotage to its own end. */
  run(sabotage?: Sabotage, options?: RunOptions): Promise<Sabotaged>
  /** Another machine runs it from here on: nothing is left of the state directory. */
  moveAway(): Promise<void>
  /** The API's clock jumps ahead. */
  later(ms: number): void
  end(): Promise<void>
}

export async function openRound(variant: Variant): Promise<Round> {
  let jumped = 0
  const clock = { ...systemClock, now: () => systemClock.now() + jumped }
  const sandbox = await createSandbox({
    propagationMs: variant.propagationMs ?? 120,
    plan: 'enterprise',
    seed: 11,
    clock,
  })
  const home = await createHome({
    PICTIFY_API_URL: sandbox.url,
    PICTIFY_ADMIN_KEY: sandbox.adminKey.reveal(),
  })
  if (variant.self) delete home.env['PICTIFY_ADMIN_KEY']
  const admin = sandbox.keys()[0] as SandboxKey
  const old = variant.self
    ? admin
    : sandbox.dashboard.create({ name: 'Production Server', createdAt: clock.now() - 86_400_000 })
  for (const { file, holding } of variant.places) {
    const full = path.join(home.directory, file)
    await mkdir(path.dirname(full), { recursive: true, mode: 0o700 })
    await writeFile(full, holding(old.secret.reveal(), sandbox.url), { mode: 0o600 })
  }
  for (const [name, text] of Object.entries(variant.scripts ?? {})) {
    await writeFile(path.join(home.directory, name), text)
    await chmod(path.join(home.directory, name), 0o755)
  }

  const seen = new Set<string>()
  const see = () => {
    for (const { secret } of sandbox.keys()) seen.add(secret.reveal())
  }
  const held = ({ file, find }: Place) => find(readFileSync(path.join(home.directory, file), 'utf8')) ?? ''
  const application = startApplication(
    sandbox.url,
    variant.places.map((place) => () => held(place)),
    variant.callsEveryMs ?? 8,
  )
  const log = path.join(home.directory, pointsFile)

  function start(sabotage: Sabotage | undefined, more: readonly string[]): Running {
    const env = sabotage && { SABOTAGE: JSON.stringify({ log, ...sabotage }) }
    const input = variant.input?.(old)
    return home.start([...variant.line(old), ...more], {
      ...(env && { env, preload: saboteur }),
      ...(input !== undefined && { input }),
    })
  }

  return {
    variant,
    sandbox,
    home,
    old,
    application,
    secrets() {
      see()
      return [...seen]
    },
    held,
    keys: () => sandbox.keys().filter(({ id }) => id === old.id || id !== admin.id),
    async run(sabotage, { more = [], whileRunning } = {}) {
      await rm(log, { force: true })
      const running = start(sabotage, more)
      await whileRunning?.(running)
      const ran = await running.ended
      see()
      const passed = sabotage ? await readFile(log, 'utf8') : ''
      const points = passed.split('\n').filter((point) => point !== '')
      return { ...ran, points, struck: points.length >= (sabotage?.at ?? Infinity) }
    },
    async moveAway() {
      await rm(home.stateDir, { recursive: true, force: true })
    },
    later: (ms) => void (jumped += ms),
    async end() {
      await application.stop()
      await sandbox.close()
      await home.remove()
    },
  }
}

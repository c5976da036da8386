import { readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { createSandbox, type Sandbox, type SandboxKey } from '../../src/sandbox/server.ts'
import type { Secret } from '../../src/secret.ts'
import { createHome, type Home, type Ran, type Running } from '../cli/program.ts'
import { startApplication } from './application.ts'
import { findLeaks, findLeaksInFiles } from './leaks.ts'
import type { SixPlaces, SixServers } from './six-places.ts'

/** One key in six places, an application on each, and the line that rotates it. */
export interface SixRound {
  sandbox: Sandbox
  home: Home
  old: SandboxKey
  six: SixPlaces
  /** Starts the line, with more words at its end; struck at that point (from 1) where one is given. */
  start(options?: { more?: readonly string[]; strikeAt?: number }): Running
  /** Starts a line of its own. */
  run(words: readonly string[]): Promise<Ran>
  /** How many points the last struck run passed. */
  points(): Promise<string[]>
  /** What each place holds, by its spec. */
  held(): Promise<Record<string, string | undefined>>
  /** Every place holding that, for comparison. */
  all(value: string): Record<string, string>
  active(): SandboxKey[]
  minted(): SandboxKey[]
  /** How often the applications called, and what they were refused. */
  calls(): number
  refusals(): string[]
  /** Where a secret is that should not be (what runs printed, the state directory), and what of the places changed but our value. */
  wrongs(runs: readonly Ran[]): Promise<string[]>
  end(): Promise<void>
}

const waits = ['--settle', '150ms', '--idle', '1s', '--usage-lag', '0s', '--wait', '60s', '--json']
const saboteur = path.resolve('test/crash/saboteur.js')

export async function openSixRound(servers: SixServers, more: readonly string[] = []): Promise<SixRound> {
  /** Every secret there ever was. */
  const known = new Map<string, Secret>()
  const sandbox: Sandbox = await createSandbox({
    propagationMs: 120,
    plan: 'enterprise',
    seed: 11,
    onRequest() {
      for (const { id, secret } of sandbox.keys()) known.set(id, secret)
    },
  })
  const home = await createHome({
    PICTIFY_API_URL: sandbox.url,
    PICTIFY_ADMIN_KEY: sandbox.adminKey.reveal(),
  })
  const six = await servers.open(home.directory)
  Object.assign(home.env, six.env)
  const old = sandbox.dashboard.create({ name: 'Production Server', createdAt: Date.now() - 86_400_000 })
  for (const place of six.places) await place.put(old.secret.reveal())
  const others = await Promise.all(six.places.map((place) => place.others()))
  const applications = six.places.map((place) =>
    startApplication(sandbox.url, [async () => (await place.value()) ?? ''], 60),
  )
  const log = path.join(home.directory, 'points.log')
  const line = ['rotate', old.id, ...six.places.flatMap(({ spec }) => ['--to', spec]), ...waits, ...more]
  const ordinary = () => sandbox.keys().filter(({ access }) => access !== 'admin')

  return {
    sandbox,
    home,
    old,
    six,
    start({ more: words = [], strikeAt } = {}) {
      const env = strikeAt === undefined ? {} : { SABOTAGE: JSON.stringify({ log, at: strikeAt }) }
      return home.start([...line, ...words], {
        env,
        ...(strikeAt !== undefined && { preload: saboteur }),
      })
    },
    run: (words) => home.run(words),
    async points() {
      const passed = (await readFile(log, 'utf8')).split('\n').filter((point) => point !== '')
      await rm(log)
      return passed
    },
    async held() {
      const values = await Promise.all(six.places.map((place) => place.value()))
      return Object.fromEntries(six.places.map(({ spec }, index) => [spec, values[index]]))
    },
    all: (value) => Object.fromEntries(six.places.map(({ spec }) => [spec, value])),
    active: () => ordinary().filter(({ status }) => status === 'active'),
    minted: () => ordinary().filter(({ id }) => id !== old.id),
    calls: () => applications.reduce((sum, application) => sum + application.calls(), 0),
    refusals: () => applications.flatMap((application) => application.refusals()),
    async wrongs(runs) {
      const secrets = [...known.values()]
      const after = await Promise.all(six.places.map((place) => place.others()))
      const moved = after.flatMap((now, index) =>
        JSON.stringify(now) === JSON.stringify(others[index])
          ? []
          : [`${six.places[index]?.spec}: something else was changed`],
      )
      const said = runs.flatMap(({ stdout, stderr }, index) =>
        findLeaks(`run ${index + 1}`, `${stdout}\n${stderr}`, secrets),
      )
      const kept = await findLeaksInFiles(home.stateDir, secrets)
      return [...moved, ...[...said, ...kept.leaks].map((leak) => JSON.stringify(leak))]
    },
    async end() {
      await Promise.all(applications.map((application) => application.stop()))
      await Promise.all([sandbox.close(), six.close()])
      await home.remove()
    },
  }
}

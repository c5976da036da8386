// Rules of this file:
// - racers begin at one instant: the first request of each is held until all of them are there, and let go with jitter;
// - in every other round the winner's revoke is held until the others have ended, so that none of them can be too late.
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readdirSync, readFileSync, existsSync } from 'node:fs'
import { systemClock } from '../../src/clock.ts'
import { KeysError } from '../../src/errors.ts'
import { rotate } from '../../src/rotation/rotate.ts'
import { createRandom } from '../../src/sandbox/random.ts'
import type { LoggedRequest } from '../../src/sandbox/edge.ts'
import { createHome } from '../cli/program.ts'
import { createMortal } from '../rotation/mortal.ts'
import { setStage, type Stage } from '../rotation/stage.ts'
import { startApplication } from './application.ts'
import { leftoversIn, secretIn } from './files.ts'
import { createWitness, isOurs, type End, type Wrong } from './witness.ts'

export interface RoundOptions {
  /** The same name and number, the same jitter. */
  name: string
  number: number
  racers: number
  /** One state directory for all, or one each. */
  shared: boolean
  /** The sandbox's faults, all the while. */
  faults?: readonly string[]
  /** Real processes, in real time; otherwise machines in this process, on a virtual clock. */
  real: boolean
}

export interface Round {
  ends: End[]
  wrong: Wrong[]
  /** Racers that came when the old key was revoked already. */
  late: number
  /** Answers the application got. */
  calls: number
}

const propagationMs = 60
const mostJitterMs = 30

export async function runRound(options: RoundOptions): Promise<Round> {
  const { racers, real } = options
  const random = createRandom(`${options.name} ${options.number}`)
  let onRequest: (request: LoggedRequest) => void | Promise<void> = () => {}
  const stage = await setStage({
    plan: 'enterprise',
    propagationMs,
    faults: options.faults ?? [],
    onRequest: (request) => onRequest(request),
    ...(real && { clock: systemClock }),
  })
  try {
    const stateDirs = Array.from({ length: racers }, (_, n) =>
      path.join(stage.directory, options.shared ? 'state' : `state-${n}`),
    )
    const witness = createWitness(stage, stateDirs[0] ?? '', propagationMs)
    const others = countdown(racers - 1)
    const all = countdown(racers)
    onRequest = async (request) => {
      if (!isOurs(request)) return
      witness.look(request)
      if (request.method === 'GET' && request.path === `/api-keys/${stage.old.id}` && !all.isOver()) {
        all.count()
        await all.over
        await sleep(random.fraction() * mostJitterMs)
      }
      const isRevoke = request.method === 'POST' && request.path === `/api-keys/${stage.old.id}/revoke`
      if (isRevoke && options.number % 2 === 0) await others.over
    }
    const application = startApplication(stage.sandbox.url, [() => heldBy(stage)], 15)
    const race = real ? await startLine(stage) : runInside(stage)
    const ends = await Promise.all(
      stateDirs.map(async (stateDir) => {
        const end = await race.run(stateDir)
        others.count()
        return end
      }),
    )
    await application.stop()
    await race.end()
    const winner = ends.find(({ exit }) => exit === 0)
    witness.judge(winner ?? { exit: null, said: 'nobody won' }, true)
    const wrong = [...witness.wrong, ...wrongOf(stage, ends, stateDirs)]
    for (const where of application.refusals())
      wrong.push({ what: 'refused request', where: where.slice(0, 3) })
    return { ends, wrong, late: ends.filter(isLate).length, calls: application.calls() }
  } finally {
    await stage.end()
  }
}

/** Resolves when it was counted so often. */
function countdown(count: number) {
  let left = count
  let done = () => {}
  const over = new Promise<void>((resolve) => (done = resolve))
  if (left <= 0) done()
  return {
    over,
    isOver: () => left <= 0,
    count() {
      left -= 1
      if (left <= 0) done()
    },
  }
}

function isLate({ exit, said }: End): boolean {
  return exit === 1 && said.includes('is revoked already')
}

function wrongOf(stage: Stage, ends: readonly End[], stateDirs: readonly string[]): Wrong[] {
  const wrong: Wrong[] = []
  const exits = ends.map(({ exit }) => exit).join(' ')
  const losers = ends.filter(({ exit }) => exit !== 0)
  if (losers.length !== ends.length - 1) wrong.push({ what: 'wrong end', where: `not one went on: ${exits}` })
  for (const end of losers) {
    if (end.exit !== 8 && !isLate(end)) {
      wrong.push({ what: 'wrong end', where: `a loser ended with ${end.exit}: ${end.said.slice(-400)}` })
    }
  }
  if (stage.ordinary().length !== 2) wrong.push({ what: 'orphan', where: `${stage.ordinary().length} keys` })
  for (const stateDir of new Set(stateDirs)) {
    for (const file of [...leftoversIn(stateDir), ...openJournals(stateDir)])
      wrong.push({ what: 'leftover', where: file })
  }
  return wrong
}

/** Journals that are not over, or hold an escrow still. */
function openJournals(stateDir: string): string[] {
  if (!existsSync(stateDir)) return []
  return readdirSync(stateDir, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .filter((name) => {
      const text = readFileSync(path.join(stateDir, name), 'utf8')
      return !/"state":"(done|aborted)"/.test(text) || text.includes('"escrow"')
    })
}

const heldBy = (stage: Stage) => secretIn(readFileSync(stage.envFile, 'utf8')) ?? ''

interface Race {
  run(stateDir: string): Promise<End>
  end(): Promise<void>
}

function runInside(stage: Stage): Race {
  return {
    end: async () => {},
    async run(stateDir) {
      const { services, options } = createMortal(stage, stage.options({ settleMs: 300 }), { stateDir })
      const outcome = await rotate(services, stage.old.id, options).catch((error: unknown) => ({ error }))
      if (outcome.error === undefined) return { exit: 0, said: JSON.stringify(outcome) }
      if (!(outcome.error instanceof KeysError)) throw new Error('a defect', { cause: outcome.error })
      return { exit: outcome.error.exit, said: JSON.stringify([outcome, outcome.error.message]) }
    },
  }
}

async function startLine(stage: Stage): Promise<Race> {
  const home = await createHome({
    PICTIFY_API_URL: stage.sandbox.url,
    PICTIFY_ADMIN_KEY: stage.sandbox.adminKey.reveal(),
  })
  const line = ['rotate', stage.old.id, '--to', 'env:.env#PICTIFY_API_KEY', '--json', '--probes', '2']
  line.push('--settle', '150ms', '--idle', '40ms', '--usage-lag', '0s', '--wait', '30s')
  return {
    end: () => home.remove(),
    async run(stateDir) {
      const env = { PICTIFY_KEYS_STATE_DIR: stateDir }
      const { exit, stdout, stderr } = await home.run(line, { cwd: stage.directory, env })
      return { exit, said: stdout + stderr }
    },
  }
}

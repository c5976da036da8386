import path from 'node:path'
import { readFileSync } from 'node:fs'
import { createClient } from '../../src/api/client.ts'
import { systemClock } from '../../src/clock.ts'
import { Exit, KeysError } from '../../src/errors.ts'
import { createJournals } from '../../src/rotation/journal.ts'
import { answersTo } from '../../src/rotation/marked-name.ts'
import { rotate } from '../../src/rotation/rotate.ts'
import { createHome } from '../cli/program.ts'
import { failing, verifyOf } from '../rotation/machines.ts'
import { realFetch, type Stage } from '../rotation/stage.ts'
import { startApplication } from './application.ts'
import type { Runner } from './fault-runs.ts'
import { secretIn } from './files.ts'

const settleMs = 400

/** How long a client waits for an answer where nothing is in its way: longer than any machine is busy. */
const patienceMs = 30_000

/** The engine in this process, on a virtual clock; the API and its sockets are real, and so is a client's patience. */
export const inProcess = engine(150)

/**
 * The same with all the patience there is, for what is said of answers: on a busy machine the other gives some up that were
 * sent, and cannot do as they say.
 */
export const patient = engine(patienceMs)

function engine(troubledMs: number): Runner {
  return {
    sandbox: { propagationMs: 200 },
    settleMs,
    async start(stage, scenario) {
      const stateDir = path.join(stage.directory, 'state')
      return {
        stateDir,
        end: async () => [],
        async run(isClear) {
          const said: unknown[] = []
          const services = stage.services({
            api: clientOf(stage, isClear ? patienceMs : troubledMs),
            journals: createJournals(stateDir),
            report: (event) => said.push(event),
          })
          const verify = scenario.ends === 6 ? failing : verifyOf(async () => {})
          const outcome = await rotate(services, stage.old.id, stage.options({ settleMs, verify })).catch(
            (error: unknown) => ({ error }),
          )
          const exit = exitOf(outcome.error, said)
          return { exit, said: JSON.stringify([...said, outcome]) }
        },
      }
    },
  }
}

function exitOf(error: unknown, said: unknown[]): number {
  if (error === undefined) return Exit.done
  if (!(error instanceof KeysError)) throw new Error('a defect', { cause: error })
  said.push(error.message, error.hint)
  return error.exit
}

function clientOf(stage: Stage, timeoutMs: number) {
  const { url: baseUrl, adminKey: credential } = stage.sandbox
  const { clock } = stage
  return createClient({
    fetch: realFetch,
    baseUrl,
    credential,
    version: '0.0.0',
    answersTo,
    clock,
    timeoutMs,
  })
}

/** No line may take longer, whatever the API does. */
const boundMs = 240_000

/** The real program in a process of its own, in real time, and an application that lives on the same target. */
export const realProgram: Runner = {
  sandbox: { propagationMs: 100, clock: systemClock },
  settleMs: 200,
  async start(stage, scenario) {
    const home = await createHome({
      PICTIFY_API_URL: stage.sandbox.url,
      PICTIFY_ADMIN_KEY: stage.sandbox.adminKey.reveal(),
    })
    const held = () => secretIn(readFileSync(stage.envFile, 'utf8')) ?? ''
    const application = startApplication(stage.sandbox.url, [held], 60)
    const line = ['rotate', stage.old.id, '--to', 'env:.env#PICTIFY_API_KEY', '--json', '--probes', '2']
    line.push('--settle', '200ms', '--idle', '50ms', '--usage-lag', '0s', '--wait', '5s')
    if (scenario.ends === 6) line.push('--verify', 'exit 1')
    return {
      stateDir: home.stateDir,
      async run(isClear) {
        const running = home.start([...line, '--timeout', isClear ? '30s' : '500ms'], {
          cwd: stage.directory,
        })
        const bound = setTimeout(() => running.child.kill('SIGKILL'), boundMs)
        const { exit, stdout, stderr } = await running.ended
        clearTimeout(bound)
        return { exit, said: stdout + stderr }
      },
      async end(deeds) {
        await application.stop()
        await home.remove()
        // What somebody else ended is refused by rights; a 429 says that it called too often, and nothing of its key.
        const refusals =
          deeds.ended.size > 0 ? [] : application.refusals().filter((what) => !what.startsWith('429'))
        return refusals.map((where) => ({ what: 'refused request', where: where.replace(/pk_\w+/, 'a key') }))
      },
    }
  },
}

/** The kinds as they fit into the short waits of a real run. */
const shorter: Readonly<Record<string, string>> = {
  'slow=2s': 'slow=200ms',
  'status-429=2s': 'status-429=1s',
  'lag-list=10s': 'lag-list=2s',
}

export function shortened(kinds: readonly string[]): string[] {
  return kinds.map((kind) => shorter[kind] ?? kind)
}

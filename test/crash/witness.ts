// Rules of this file:
// - what always holds is looked at whenever a request of ours comes in, and after every end, from outside: by what the
//   account and the target hold, not by what the program says;
// - what somebody else did is not held against it, and is told apart by key, not by guess.
import { readFileSync } from 'node:fs'
import type { LoggedRequest } from '../../src/sandbox/edge.ts'
import type { SandboxKey } from '../../src/sandbox/server.ts'
import type { Stage } from '../rotation/stage.ts'
import type { Deeds } from './fault-kinds.ts'
import { leftoversIn, secretIn } from './files.ts'

/** How one run of the line ended. */
export interface End {
  /** Null when a signal ended it. */
  exit: number | null
  /** All that it said. */
  said: string
}

/** What must never be. */
export const wrongs = [
  'lost secret',
  'orphan',
  'refused request',
  'old key revoked too early',
  'secret said',
  'leftover',
  'no way on',
  'wrong end',
] as const

export interface Wrong {
  what: (typeof wrongs)[number]
  where: string
}

export interface Witness {
  deeds: Deeds
  wrong: Wrong[]
  /** Looks at everything that holds at every instant; `request` is one of ours that has just come in. */
  look(request?: LoggedRequest): void
  /** Judges an end: `isClear` when nothing is wrong with the API any more. */
  judge(end: End, isClear: boolean): void
}

const documentedExits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]

export function isOurs({ headers }: LoggedRequest): boolean {
  return headers['user-agent']?.startsWith('pictify-keys/') === true
}

export function createWitness(stage: Stage, stateDir: string, propagationMs: number): Witness {
  const deeds: Deeds = { ended: new Set(), made: new Set(), names: new Set([stage.old.name]) }
  const wrong: Wrong[] = []
  /** Every key there ever was, by its secret. */
  const known = new Map<string, SandboxKey>()

  const found = (what: Wrong['what'], where: string) => void wrong.push({ what, where })
  const held = () => secretIn(readFileSync(stage.envFile, 'utf8')) ?? ''
  /** Made by us, and not ended by somebody else. */
  const ours = () => stage.ordinary().filter(({ id }) => !deeds.made.has(id) && !deeds.ended.has(id))
  const isValid = (id: string | undefined) => stage.key(id)?.status === 'active'

  function look(request?: LoggedRequest): void {
    for (const key of stage.ordinary()) known.set(key.secret.reveal(), key)
    const inUse = known.get(held())
    const where = request === undefined ? 'in the end' : `at ${request.method} ${request.path}`
    if (inUse === undefined) return found('lost secret', `${where}: the target holds no key there ever was`)
    const hasSpread = stage.clock.now() - inUse.createdAt >= propagationMs
    if (!deeds.ended.has(inUse.id) && !(isValid(inUse.id) && hasSpread)) {
      found('refused request', `${where}: an application that calls with ${inUse.id}`)
    }
    const isRevoke = request?.method === 'POST' && request.path === `/api-keys/${stage.old.id}/revoke`
    if (isRevoke && isValid(stage.old.id) && (inUse.id === stage.old.id || !isValid(inUse.id))) {
      found('old key revoked too early', `${where}: the target holds ${inUse.id}`)
    }
  }

  function judge({ exit, said }: End, isClear: boolean): void {
    look()
    if (exit === null || !documentedExits.includes(exit)) found('wrong end', `it ended with ${exit}`)
    // A crash of ours ends with 1 as well, which is documented for other things.
    if (/something unforeseen went wrong|"code":"internal"/.test(said)) found('wrong end', said.slice(-400))
    for (const secret of [...known.keys(), stage.sandbox.adminKey.reveal()]) {
      if (said.includes(secret.slice('pk_live_'.length))) found('secret said', `at exit ${exit}`)
    }
    for (const file of leftoversIn(stateDir)) found('leftover', `${file} after ${exit}`)
    if (exit === 0) judgeDone()
    else if (exit === 6) judgeUndone()
    else if (exit === 8 && /until .* at the latest/.test(said)) return
    else if (isClear) judgeStuck(exit, said)
  }

  function judgeDone(): void {
    const active = ours().filter(({ id }) => isValid(id))
    const [successor] = active
    if (active.length !== 1 || successor === undefined || successor.id === stage.old.id) {
      return found('wrong end', `done, and active are ${shown(active)}`)
    }
    if (held() !== successor.secret.reveal())
      found('lost secret', `done, and no target holds ${successor.id}`)
    if (!deeds.names.has(successor.name)) {
      found('wrong end', `done, and the successor is called ${successor.name}`)
    }
    const orphans = ours().filter(({ id }) => id !== successor.id && id !== stage.old.id)
    if (orphans.length > 0) found('orphan', `done, and there are left ${shown(orphans)}`)
  }

  function judgeUndone(): void {
    const orphans = ours().filter(({ id }) => id !== stage.old.id)
    if (orphans.length > 0) found('orphan', `undone, and there are left ${shown(orphans)}`)
    if (!isValid(stage.old.id) && !deeds.ended.has(stage.old.id)) {
      found('wrong end', 'undone, and the old key does not work')
    }
    if (held() !== stage.old.secret.reveal()) found('lost secret', 'undone, and no target holds the old key')
  }

  /** Neither done nor undone, with nothing wrong any more but what somebody else did, which it must say. */
  function judgeStuck(exit: number | null, said: string): void {
    if (deeds.ended.size === 0 && deeds.names.size === 1) {
      return found('no way on', `it ended with ${exit} although nothing is wrong any more`)
    }
    const isNamed = [...deeds.ended, stage.old.id, ...deeds.names].some((name) => said.includes(name))
    const isTold =
      /revoked|deleted|no key|no longer works|does not work|works any more|is the secret of/.test(said)
    if (!isNamed || !isTold) {
      found('no way on', `it ended with ${exit} and does not say which key somebody else ended: ${said}`)
    }
  }

  return { deeds, wrong, look, judge }
}

function shown(keys: SandboxKey[]): string {
  return keys.map(({ id, name, status }) => `${id} "${name}" ${status}`).join(', ') || 'none'
}

import type { Client } from '../api/contract.ts'
import type { Context } from '../context.ts'
import { KeysError } from '../errors.ts'
import { createJournals } from '../rotation/journal.ts'
import { parseMark } from '../rotation/marked-name.ts'
import { isOver, receiptOf, type Receipt } from '../rotation/state.ts'
import { outcomeSentence, rotationTable } from '../ui/rotation.ts'
import { defineCommand } from './command.ts'

/** A rotation that shows in the account by its marked successor, whichever machine began it. */
interface Remote {
  id: string
  state: 'elsewhere'
  oldKey: { id: string; name: string }
  newKey: { id: string; createdAt: string }
  /** Until when the run that has it will have ended (ISO 8601); null: anybody may go on. */
  leaseUntil: string | null
}

export const rotations = defineCommand({
  name: 'rotations',
  summary: 'rotations of this machine: what is open, and what was done',
  args: [{ name: 'rotation', summary: 'id of a rotation, to see it alone', optional: true }],
  flags: {
    open: { type: 'boolean', summary: 'only those that are not over' },
    account: {
      type: 'boolean',
      summary: 'also those that other machines have open, as the account shows them',
    },
  },
  examples: [
    'pictify-keys rotations',
    'pictify-keys rotations --open --account',
    'pictify-keys rotate 7f3a9c --resume',
    'pictify-keys rotate 7f3a9c --abort',
  ],

  async run(context, { rotation: wanted, open, account }) {
    const local = await readReceipts(context)
    if (wanted !== undefined) {
      const receipt = local.find(({ id }) => id === wanted)
      if (receipt === undefined) {
        throw new KeysError('rotation-not-found', `there is no rotation ${wanted} on this machine`, {
          hint: 'see pictify-keys rotations',
        })
      }
      context.out.result({ rotations: [receipt] }, ({ rotations: [safe = receipt] }) => outcomeSentence(safe))
      return
    }
    const shown = open ? local.filter(({ state }) => !isOver(state)) : local
    const remote = account ? await readRemote(await context.api(), local) : []
    context.out.result({ rotations: [...shown, ...remote] }, ({ rotations: rows }) =>
      rows.length === 0
        ? 'no rotations'
        : rotationTable(rows, {
            width: context.out.width,
            paint: context.out.paint,
            now: context.clock.now(),
          }),
    )
  },
})

async function readReceipts({ stateDir, out }: Context): Promise<Receipt[]> {
  const receipts: Receipt[] = []
  for (const entry of await createJournals(stateDir).list()) {
    if ('journal' in entry) receipts.push(receiptOf(entry.journal))
    else
      out.warn(entry.problem.hint ? `${entry.problem.message}; ${entry.problem.hint}` : entry.problem.message)
  }
  return receipts
}

async function readRemote(api: Client, local: readonly Receipt[]): Promise<Remote[]> {
  const known = new Set(local.filter(({ state }) => !isOver(state)).map(({ id }) => id))
  const remote: Remote[] = []
  for await (const { id, name, createdAt } of api.keys.list({ status: 'active' })) {
    const mark = parseMark(name)
    if (mark === undefined || known.has(mark.rotationId)) continue
    remote.push({
      id: mark.rotationId,
      state: 'elsewhere',
      oldKey: { id: mark.oldId, name: mark.plain },
      newKey: { id, createdAt },
      leaseUntil: mark.leaseUntil > api.now() ? new Date(mark.leaseUntil).toISOString() : null,
    })
  }
  return remote
}

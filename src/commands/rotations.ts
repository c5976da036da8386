import type { Client } from '../api/contract.ts'
import type { Context } from '../context.ts'
import { KeysError } from '../errors.ts'
import { createJournals } from '../rotation/journal.ts'
import { parseMark } from '../rotation/marked-name.ts'
import { isOver, receiptOf, type Receipt } from '../rotation/state.ts'
import { outcomeSentence, rotationTable, stepTimes } from '../ui/rotation.ts'
import { flagName } from '../flags.ts'
import { defineCommand } from './command.ts'
import { passphraseVariable, signKeyVariable } from './signing-key-input.ts'

/** A rotation that shows in the account by its marked successor, whichever machine began it. */
interface Remote {
  id: string
  state: 'elsewhere'
  oldKey: { id: string; name: string }
  newKey: { id: string; createdAt: string }
  /** Until when the run that has it will have ended (ISO 8601); null: anybody may go on. */
  leaseUntil: string | null
}

const ofExport = ['signKey', 'since', 'until', 'after', 'publicKey', 'out', 'account', 'all'] as const
const ofExportAlone = ofExport.filter((flag) => flag !== 'publicKey' && flag !== 'account')
const ofVerify = ['publicKey', 'head', 'show', 'format'] as const

export const rotations = defineCommand({
  name: 'rotations',
  summary: 'rotations of this machine: what is open, and what was done',
  args: [
    {
      name: 'rotation',
      summary: 'id of a rotation, to see it alone; or export, verify or keygen, for signed receipts',
      optional: true,
    },
    {
      name: 'files',
      summary: 'verify: exports, oldest first, - for stdin; keygen: the file of the key',
      optional: true,
      many: true,
    },
  ],
  flags: {
    open: { type: 'boolean', summary: 'only those that are not over' },
    account: {
      type: 'boolean',
      summary:
        'also those that other machines have open, as the account shows them; export: only those of its keys',
    },
    signKey: {
      type: 'string',
      value: 'file',
      env: signKeyVariable,
      summary: `private key of Ed25519 (PKCS#8, PEM), - for stdin; its passphrase in ${passphraseVariable}`,
    },
    since: {
      type: 'string',
      value: 'when',
      summary: 'rotations that ended since: 90d, 2026-01-01, an instant',
    },
    until: { type: 'string', value: 'when', summary: 'rotations that ended before; now, without it' },
    after: { type: 'string', value: 'file', summary: 'go on from this export, in chain and in period' },
    out: { type: 'string', value: 'file', summary: 'a new file; without it, stdout' },
    all: { type: 'boolean', summary: 'of every API, and not of the one in use alone' },
    publicKey: {
      type: 'list',
      value: 'file',
      summary:
        'public key of whoever signed (PEM, or as OpenSSH has it); with --after, of other keys that did',
    },
    head: { type: 'string', value: 'sha256', summary: 'the head that was noted: it must be there' },
    show: { type: 'boolean', summary: 'verify: list the rotations that are proved' },
    format: { type: 'choice', choices: ['table', 'csv'], summary: 'verify: how they are listed' },
    encrypt: { type: 'boolean', summary: 'keygen: the key gets a passphrase' },
  },
  groups: {
    'Flags of export': ofExportAlone,
    'Flags of export and verify': ['publicKey'],
    'Flags of verify and keygen': ['head', 'show', 'format', 'encrypt'],
  },
  examples: [
    'pictify-keys rotations',
    'pictify-keys rotations --open --account',
    'pictify-keys rotate 7f3a9c --resume',
    'pictify-keys rotate 7f3a9c --abort',
    'pictify-keys rotations keygen sign-key.pem',
    'pictify-keys rotations export --since 90d --sign-key sign-key.pem --out receipts.ndjson',
    'pictify-keys rotations verify receipts.ndjson --public-key sign-key.pub.pem',
  ],

  async run(context, inputs) {
    const { rotation: wanted, files, open, account } = inputs
    const allowed = actions[wanted ?? ''] ?? { flags: ['open', 'account'], files: 0 }
    refuseOthers(context, wanted, allowed, inputs)
    switch (wanted) {
      case 'export':
        return (await import('./rotations-export.ts')).exportReceipts(context, inputs)
      case 'verify':
        return (await import('./rotations-verify.ts')).verifyReceipts(context, inputs)
      case 'keygen': {
        const [file] = files
        return (await import('./rotations-keygen.ts')).makeSigningKey(context, { ...inputs, file })
      }
      case undefined:
        return list(context, open, account)
      default:
        return show(context, wanted)
    }
  },
})

interface Action {
  flags: readonly string[]
  /** How many files it takes at most. */
  files: number
}

/** No id of a rotation is one of these words: ids are hex. */
const actions: Readonly<Record<string, Action>> = {
  export: { flags: ofExport, files: 0 },
  verify: { flags: ofVerify, files: Infinity },
  keygen: { flags: ['encrypt'], files: 1 },
}

/** What an action does not take is not passed over: it was meant to do something. */
function refuseOthers(
  { env }: Context,
  action: string | undefined,
  { flags, files }: Action,
  inputs: Readonly<Record<string, unknown>> & { files: readonly string[] },
): void {
  const ofActions = ['open', 'account', ...ofExport, ...ofVerify, 'encrypt']
  const other = ofActions.find((key) => {
    const value = inputs[key]
    const isGiven = Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false
    return isGiven && !flags.includes(key) && !(key === 'signKey' && value === env[signKeyVariable])
  })
  const what = action !== undefined && action in actions ? `rotations ${action}` : 'a list of rotations'
  const hint = 'see pictify-keys rotations --help'
  if (other !== undefined) throw new KeysError('usage', `${what} takes no ${flagName(other)}`, { hint })
  if (inputs.files.length > files) {
    throw new KeysError('usage', `${what} takes ${files === 0 ? 'no file' : 'one file'}`, { hint })
  }
}

async function show(context: Context, wanted: string): Promise<void> {
  const receipt = (await readReceipts(context)).find(({ id }) => id === wanted)
  if (receipt === undefined) {
    throw new KeysError('rotation-not-found', `there is no rotation ${wanted} on this machine`, {
      hint: 'see pictify-keys rotations',
    })
  }
  context.out.result({ rotations: [receipt] }, ({ rotations: [safe = receipt] }) =>
    [outcomeSentence(safe), stepTimes(safe)].join('\n'),
  )
}

async function list(context: Context, open: boolean, account: boolean): Promise<void> {
  const { out, clock } = context
  const local = await readReceipts(context)
  const shown = open ? local.filter(({ state }) => !isOver(state)) : local
  const remote = account ? await readRemote(await context.api(), local) : []
  out.result({ rotations: [...shown, ...remote] }, ({ rotations: rows }) =>
    rows.length === 0
      ? 'no rotations'
      : rotationTable(rows, { width: out.width, paint: out.paint, now: clock.now() }),
  )
}

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

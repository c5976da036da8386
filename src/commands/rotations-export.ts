import type { SigningKey } from '../audit/envelope.ts'
import { chainOf, type ChainEnd } from '../audit/receipt-chain.ts'
import { checkExports, type ExportCheck } from '../audit/receipt-check.ts'
import { publicHalf } from '../audit/signing-key.ts'
import type { Context } from '../context.ts'
import { KeysError } from '../errors.ts'
import { receiptsOfKeys } from '../rotation/account-receipts.ts'
import { createJournals } from '../rotation/journal.ts'
import { isOver, receiptOf, type Receipt } from '../rotation/state.ts'
import { exportSentence, type ExportedReceipts } from '../ui/receipts.ts'
import { openExport } from './export-lines.ts'
import { parseInstant } from './instant.ts'
import { refuseExisting, writeNewFile } from './new-output.ts'
import { readPublicKeys, readSigningKey } from './signing-key-input.ts'

export interface ExportInputs {
  since: string | undefined
  until: string | undefined
  signKey: string | undefined
  after: string | undefined
  publicKey: readonly string[]
  out: string | undefined
  account: boolean
  all: boolean
}

/** Writes the receipts of a period, signed and chained: to a file, or to stdout. */
export async function exportReceipts(context: Context, inputs: ExportInputs): Promise<void> {
  const { out, cwd, clock } = context
  const file = inputs.out
  if (out.json && file === undefined) {
    throw new KeysError('usage', 'an export is a line a receipt, and --json is one document about it', {
      hint: 'name the file that the lines go to: --out receipts.ndjson',
    })
  }
  if (file !== undefined) await refuseExisting(cwd, file)
  const now = clock.now()
  const until = untilOf(inputs.until, now)
  const scope = await scopeOf(context, inputs)
  const key = await readSigningKey(context, inputs.signKey)
  const earlier =
    inputs.after === undefined
      ? undefined
      : await readEarlier(context, inputs.after, key, await readPublicKeys(context, inputs.publicKey))
  const since = sinceOf(inputs, earlier, now)
  if (since !== undefined && since >= until) {
    throw new KeysError('usage', 'the period ends before it begins', {
      hint: `it would be from ${iso(since)} until ${iso(until)}`,
    })
  }

  const read = await readReceipts(context, { since, until, earlier }, scope)
  const { receipts, open, unreadable, others } = read
  const period = { since: since === undefined ? null : iso(since), until: iso(until) }
  const { apiUrl, account } = scope
  const facts = { period, apiUrl, account, unreadable, exportedAt: iso(now) }
  const { lines, end } = chainOf(receipts, facts, key, earlier?.end)
  const exported: ExportedReceipts = {
    file: file ?? null,
    receipts: receipts.length,
    open,
    unreadable,
    others,
    apiUrl,
    account,
    period,
    head: end.digest,
    sequence: end.sequence,
    after: earlier?.end.digest ?? null,
    keyId: key.id,
  }
  if (file === undefined) {
    await out.lines(lines)
    return out.say(exportSentence(exported))
  }
  await writeNewFile(cwd, file, lines.map((line) => `${line}\n`).join(''))
  out.result({ export: exported }, (data) => exportSentence(data.export))
}

/** What is to come is not known yet: nobody signs for it. */
function untilOf(given: string | undefined, now: number): number {
  if (given === undefined) return now
  const until = parseInstant(given, now, '--until')
  if (until <= now) return until
  throw new KeysError('usage', `--until: ${given} is yet to come, and so may rotations be until then`, {
    hint: `leave it out: the period then ends now; what ends later goes on from it, with --after`,
  })
}

interface Scope {
  /** Null: of every API. */
  apiUrl: string | null
  account: boolean
  /** Undefined: whatever key. */
  keyIds: ReadonlySet<string> | undefined
}

/** Another API's rotations are another account's; at one API the account's own keys alone tell them apart. */
async function scopeOf(context: Context, { account, all }: ExportInputs): Promise<Scope> {
  if (account && all) {
    throw new KeysError('usage', '--account and --all exclude each other', { hint: 'give one of them' })
  }
  if (all) return { apiUrl: null, account, keyIds: undefined }
  if (!account) return { apiUrl: await context.apiUrl(), account, keyIds: undefined }
  const api = await context.api()
  const keyIds = new Set<string>()
  for await (const { id } of api.keys.list()) keyIds.add(id)
  return { apiUrl: api.baseUrl, account, keyIds }
}

interface Earlier {
  check: ExportCheck
  end: ChainEnd
  ids: ReadonlySet<string>
}

/** The export that this one goes on from, which must be proved itself. */
async function readEarlier(
  context: Context,
  name: string,
  key: SigningKey,
  others: readonly SigningKey[],
): Promise<Earlier> {
  const ids = new Set<string>()
  const { end, ...check } = await checkExports(
    [openExport(context, name)],
    [publicHalf(key), ...others],
    ({ id }) => ids.add(String(id)),
  )
  if (end !== undefined) return { check, end, ids }
  const [problem] = check.problems
  const where = problem === undefined ? name : `${name}, line ${problem.line}`
  throw new KeysError('receipts-altered', `${where}: ${problem?.message ?? 'it does not end with a head'}`, {
    hint: 'nothing goes on from what is not proved; where another key signed it, name that with --public-key',
  })
}

/** What goes on from an export has its period go on too: no gap is between them. */
function sinceOf(
  { since, after }: ExportInputs,
  earlier: Earlier | undefined,
  now: number,
): number | undefined {
  if (earlier === undefined) return since === undefined ? undefined : parseInstant(since, now, '--since')
  if (since !== undefined) {
    throw new KeysError('usage', '--since and --after exclude each other', {
      hint: `the period begins where that of ${after} ends`,
    })
  }
  return Date.parse(earlier.check.heads.at(-1)?.period.until ?? '')
}

interface Period {
  since: number | undefined
  until: number
  earlier: Earlier | undefined
}

/** The receipts of rotations that ended in the period, in that order; those of earlier that the export before lacks. */
async function readReceipts(context: Context, { since = -Infinity, until, earlier }: Period, scope: Scope) {
  const { all, unreadable } = await readAll(context)
  const own = inScope(all, scope)
  const begin = Date.parse(earlier?.check.heads[0]?.period.since ?? '')
  const isAsked = (receipt: Receipt) => {
    const at = endOf(receipt)
    // written while the export before was being made, or of what that left out
    const isLate = earlier !== undefined && at < since && !(at < begin) && !earlier.ids.has(receipt.id)
    return isOver(receipt.state) && (at >= since || isLate) && at < until
  }
  const receipts = own.filter(isAsked)
  receipts.sort((a, b) => endOf(a) - endOf(b) || a.id.localeCompare(b.id))
  const open = own.filter(({ state }) => !isOver(state)).length
  return { receipts, open, unreadable, others: all.filter(isAsked).length - receipts.length }
}

function inScope(all: readonly Receipt[], { apiUrl, keyIds }: Scope): Receipt[] {
  const ofApi = all.filter((receipt) => apiUrl === null || receipt.apiUrl === apiUrl)
  return keyIds === undefined ? ofApi : receiptsOfKeys(ofApi, keyIds)
}

async function readAll({ stateDir, out }: Context): Promise<{ all: Receipt[]; unreadable: number }> {
  const all: Receipt[] = []
  let unreadable = 0
  for (const entry of await createJournals(stateDir).list()) {
    if ('journal' in entry) {
      all.push(receiptOf(entry.journal))
      continue
    }
    unreadable += 1
    out.warn(`${entry.problem.message}: its receipt is not in the export`)
  }
  return { all, unreadable }
}

function endOf({ finishedAt, updatedAt }: Receipt): number {
  return Date.parse(finishedAt ?? updatedAt)
}

function iso(at: number): string {
  return new Date(at).toISOString()
}

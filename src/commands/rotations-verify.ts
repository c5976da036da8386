import { checkExports, mostProblems, type ExportCheck } from '../audit/receipt-check.ts'
import type { Context } from '../context.ts'
import { KeysError } from '../errors.ts'
import { plain } from '../ui/paint.ts'
import { verificationText, type ProvedRotation, type Verification } from '../ui/receipts.ts'
import { openExport } from './export-lines.ts'
import { formatFor } from './formats.ts'
import { readPublicKeys } from './signing-key-input.ts'

export interface VerifyInputs {
  files: readonly string[]
  publicKey: readonly string[]
  head: string | undefined
  show: boolean
  format: 'table' | 'csv' | undefined
}

/** Proves exports against public keys; asks nothing of anybody. Throws `receipts-altered`. */
export async function verifyReceipts(context: Context, inputs: VerifyInputs): Promise<void> {
  const { files, publicKey, head, format } = inputs
  refuseLacking(inputs)
  const printed = formatFor(format, context.out)
  const keys = await readPublicKeys(context, publicKey)
  const proved: ProvedRotation[] = []
  const isShown = inputs.show || format !== undefined
  const { end: _, ...check } = await checkExports(
    files.map((name) => openExport(context, name)),
    keys,
    (receipt) => isShown && proved.push(provedRotation(receipt)),
  )
  const isThere = head === undefined || check.heads.some(({ digest }) => digest === head)
  const verification: Verification = {
    ...check,
    valid: check.valid && isThere,
    headFound: head ? isThere : null,
    ...(isShown && { rotations: proved }),
  }
  await print(context, verification, printed)
  refuseProblems(check)
  if (!isThere) {
    throw new KeysError('receipts-altered', 'the head that was noted is not among those of these files', {
      hint: 'all that is there is as it was signed, but it is another export, or its end is missing',
    })
  }
}

function refuseLacking({ files, publicKey, head }: VerifyInputs): void {
  if (files.length === 0) {
    throw new KeysError('usage', 'there is no export to verify', {
      hint: 'name the files, oldest first; - is stdin',
    })
  }
  if (publicKey.length === 0) {
    throw new KeysError('usage', 'there is no key to verify with', {
      hint: 'give the public key of whoever signed: --public-key sign-key.pub.pem',
    })
  }
  if (head !== undefined && !/^[0-9a-f]{64}$/.test(head)) {
    throw new KeysError('usage', `--head: "${head}" is no head`, {
      hint: 'give the 64 hex characters that rotations export printed as its head',
    })
  }
}

/** As CSV stdout has the rotations alone, and what is proved of them is said beside it. */
async function print({ out }: Context, verification: Verification, format: string): Promise<void> {
  if (format !== 'csv') {
    return out.result({ verification }, (data) => verificationText(data.verification, out))
  }
  const { provedCsv } = await import('../ui/receipt-csv.ts')
  await out.lines(provedCsv(verification.rotations ?? []))
  const said = verificationText({ ...verification, rotations: undefined }, { paint: plain, width: out.width })
  out.say(...said.split('\n'))
}

function refuseProblems({ problems, receipts, heads }: ExportCheck): void {
  const [first] = problems
  if (first === undefined) return
  const isNone = receipts === 0 && heads.length === 0
  if (isNone && problems.every(({ kind }) => kind === 'key')) {
    throw new KeysError('receipts-altered', 'nothing of it is signed with the public key that was given', {
      hint: 'it is probably the wrong one: ask whoever signed for theirs, by a way of its own',
    })
  }
  if (isNone && problems.every(({ kind }) => kind === 'no-export')) {
    throw new KeysError('receipts-altered', `${first.file} is no export of receipts`, {
      hint: 'give the file that rotations export wrote',
    })
  }
  const count = problems.length
  const isCut = count >= mostProblems
  throw new KeysError(
    'receipts-altered',
    `not as it was signed: ${count} thing${count === 1 ? '' : 's'} wrong${isCut ? ', and it was not read on' : ''}`,
    { hint: 'compare with another copy; from the machine that rotated, the export can be made anew' },
  )
}

/** What a receipt says that its signer signed; of a field of another form nothing. */
function provedRotation({ oldKey, newKey, ...rest }: Record<string, unknown>): ProvedRotation {
  const [from, to] = [oldKey, newKey].map((key) => (key ?? {}) as Record<string, unknown>)
  return {
    id: textOf(rest['id']) ?? '',
    state: textOf(rest['state']) ?? '',
    oldKey: { id: textOf(from?.['id']) ?? '', name: textOf(from?.['name']) ?? '' },
    newKeyId: textOf(to?.['id']),
    compromised: rest['compromised'] === true,
    startedAt: textOf(rest['startedAt']),
    finishedAt: textOf(rest['finishedAt']) ?? textOf(rest['updatedAt']),
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

import { checkExports } from '../audit/receipt-check.ts'
import type { Context } from '../context.ts'
import { KeysError } from '../errors.ts'
import { verificationText, type Verification } from '../ui/receipts.ts'
import { openExport } from './export-lines.ts'
import { readPublicKeys } from './signing-key-input.ts'

export interface VerifyInputs {
  files: readonly string[]
  publicKey: readonly string[]
  head: string | undefined
}

/** Proves exports against public keys; asks nothing of anybody. Throws `receipts-altered`. */
export async function verifyReceipts(
  context: Context,
  { files, publicKey, head }: VerifyInputs,
): Promise<void> {
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
  const keys = await readPublicKeys(context, publicKey)
  const { end: _, ...check } = await checkExports(
    files.map((name) => openExport(context, name)),
    keys,
  )
  const isThere = head === undefined || check.heads.some(({ digest }) => digest === head)
  const verification: Verification = {
    ...check,
    valid: check.valid && isThere,
    headFound: head ? isThere : null,
  }
  context.out.result({ verification }, (data) => verificationText(data.verification, context.out))
  if (check.problems.length > 0) {
    const count = check.problems.length
    throw new KeysError(
      'receipts-altered',
      `not as it was signed: ${count} thing${count === 1 ? '' : 's'} wrong`,
      {
        hint: 'compare with another copy; from the machine that rotated, the export can be made anew',
      },
    )
  }
  if (!isThere) {
    throw new KeysError('receipts-altered', 'the head that was noted is not among those of these files', {
      hint: 'all that is there is as it was signed, but it is another export, or its end is missing',
    })
  }
}

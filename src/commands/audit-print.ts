import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { AuditReport } from '../audit/report.ts'
import type { Survey } from '../audit/survey.ts'
import type { Context } from '../context.ts'
import { receiptsOfKeys } from '../rotation/account-receipts.ts'
import { createJournals } from '../rotation/journal.ts'
import { receiptOf, type Receipt } from '../rotation/state.ts'
import { auditOutputs, auditSummary } from '../ui/audit/summary.ts'
import { totalSentence, type AuditSubject } from '../ui/audit/subject.ts'
import { auditTable } from '../ui/audit/table.ts'
import { plain } from '../ui/paint.ts'
import { cleaned, toJson } from '../ui/text.ts'
import { formatFor, formatOfFile } from './formats.ts'
import { proveOut, writeOut } from './out-file.ts'

export const auditFormats = ['table', 'json', 'csv', 'markdown', 'sarif', 'html'] as const
type AuditFormat = (typeof auditFormats)[number]

/** Whether a report of this format is made to be read on other machines. */
export function isForOthers(format: AuditFormat | undefined): boolean {
  return format === 'markdown' || format === 'sarif' || format === 'html'
}

export interface Printing {
  format: AuditFormat | undefined
  /** `--out`. */
  file: string | undefined
}

/** Refuses what cannot be printed, before anything is read. Throws `usage` or `output-file`. */
export async function checkPrinting(context: Context, { format, file }: Printing): Promise<void> {
  if (file === undefined) formatFor(format, context.out)
  else await proveOut(context, file)
}

/** Prints a report as it is asked for, or writes it to a file; tells the CI this runs in. */
export async function printAudit(
  context: Context,
  report: AuditReport,
  survey: Survey,
  { format, file }: Printing,
): Promise<void> {
  const { out } = context
  out.outputs(auditOutputs(report))
  out.summary(auditSummary(report))
  if (file !== undefined) {
    const told = format ?? formatOfFile(file, auditFormats) ?? (out.json ? 'json' : 'table')
    const drawn = await draw(context, report, survey, told)
    await writeOut(context, file, drawn)
    if (out.json) out.result(report, () => '')
    else out.say(`${totalSentence(report.summary)}; the report is in ${file}`)
    return
  }
  const printed = formatFor(format, out)
  if (printed === 'table' || out.json) return out.result(report, (safe) => auditTable({ report: safe }, out))
  await out.lines((await draw(context, report, survey, printed)).replace(/\n$/, '').split('\n'))
}

async function draw(
  context: Context,
  report: AuditReport,
  survey: Survey,
  format: AuditFormat,
): Promise<string> {
  const { cwd, version } = context
  const subject: AuditSubject = {
    report,
    survey,
    receipts: [],
    version,
    cwd,
    root: await repositoryRoot(cwd),
  }
  switch (format) {
    case 'table':
      return auditTable({ report: cleaned(report) }, { paint: plain })
    case 'json':
      return toJson(report, 2)
    case 'csv':
      return (await import('../ui/audit/csv.ts')).auditCsv(subject)
    case 'markdown':
      return (await import('../ui/audit/markdown.ts')).auditMarkdown(subject)
    case 'sarif':
      return (await import('../ui/audit/sarif.ts')).auditSarif(subject)
    case 'html': {
      const receipts = await readReceipts(context, survey)
      return (await import('../ui/audit/html.ts')).auditHtml({ ...subject, receipts })
    }
  }
}

/** Of the account's rotations, as far as this machine has them. */
async function readReceipts({ stateDir }: Context, { apiUrl, keys }: Survey): Promise<Receipt[]> {
  const entries = await createJournals(stateDir).list()
  const receipts = entries
    .flatMap((entry) => ('journal' in entry ? [receiptOf(entry.journal)] : []))
    .filter((receipt) => receipt.apiUrl === apiUrl)
  return receiptsOfKeys(
    receipts,
    keys.map(({ id }) => id),
  )
}

/** Where git has its own, as git finds that; the folder itself where it is in no repository. */
async function repositoryRoot(folder: string): Promise<string> {
  for (let at = folder; ; at = path.dirname(at)) {
    const isRoot = await stat(path.join(at, '.git')).then(
      () => true,
      () => false,
    )
    if (isRoot) return at
    if (at === path.dirname(at)) return folder
  }
}

import type { Client, Key } from '../api/contract.ts'
import type { IncidentReport, MatchedBy } from '../audit/incident-report.ts'
import type { Incident } from '../audit/incident.ts'
import type { Context } from '../context.ts'
import { hasCode, KeysError } from '../errors.ts'
import { defineCommand } from './command.ts'
import { formatFor, formatOfFile } from './formats.ts'
import { matchSecret, readLeakedSecret } from './incident-secret.ts'
import { readIncident, readJournals } from './incident-reading.ts'
import { nextSteps } from './incident-steps.ts'
import { parseInstant } from './instant.ts'
import { configFlag, readKeysFile } from './keys-file.ts'
import { refuseExisting, writeNewFile } from './new-output.ts'
import { proveOut } from './out-file.ts'

const formats = ['text', 'json', 'markdown', 'html'] as const
type Format = (typeof formats)[number]

/** Of the keys that an admin key may have created so many are named. */
const mostKeys = 50

export const incident = defineCommand({
  name: 'incident',
  summary: 'what a leaked key did, what is unlike its past, and what to do next',
  args: [{ name: 'key', summary: 'key id or name; also one that is revoked or deleted', optional: true }],
  flags: {
    secretStdin: {
      type: 'boolean',
      summary: 'the leaked secret comes on stdin (asked for at a terminal); its key is looked up',
    },
    since: {
      type: 'string',
      value: 'when',
      default: '7d',
      summary: 'when it leaked: how long ago, or an instant; what came after is held against what was before',
    },
    baseline: {
      type: 'duration',
      default: '30d',
      summary: 'how much of the time before is read, to know what is usual',
    },
    format: { type: 'choice', choices: formats, summary: 'how it is printed; text unless --json is given' },
    out: { type: 'string', value: 'file', summary: 'write the report to this file, which is not there yet' },
    config: configFlag,
  },
  examples: [
    'pictify-keys incident "Production Server"',
    'pictify-keys incident --secret-stdin < leaked.txt',
    'pictify-keys incident key_abc123 --since 2026-03-01T02:00:00Z --format html --out incident.html',
  ],

  async run(context, { key: named, secretStdin, since, baseline, format, out: file, config }) {
    const { out } = context
    refuseContradictions(named, secretStdin)
    const printed =
      file === undefined
        ? formatFor(format, out)
        : (format ?? formatOfFile(file, formats) ?? (out.json ? 'json' : 'text'))
    if (file !== undefined) await proveNew(context, file)
    const fleet = await readKeysFile(context, config)
    const secret = secretStdin ? await readLeakedSecret(context) : undefined
    const api = await context.api()
    const begunAt = context.clock.now()
    const matched = secret && (await matchSecret(context, api, secret))
    const subject = await findSubject(context, api, matched?.keyId ?? named ?? '')
    if (matched !== undefined) tellMatch(context, subject, matched.by)
    const sinceAt = parseInstant(since, api.now(), '--since')
    if (sinceAt > api.now()) {
      throw new KeysError('usage', `--since: ${since} has not come yet`, { hint: 'give when it leaked' })
    }
    const found = await readIncident(context, api, subject.keyId, {
      key: subject.key,
      since: sinceAt,
      baselineMs: baseline,
      // the API's clock is known to the second, and that only now
      ownSince: matched && api.now() - (context.clock.now() - begunAt) - 1_000,
    })
    if (isNothingKnown(found)) throw subject.notFound ?? new KeysError('api-key-not-found', 'no such key')
    warnOfGaps(context, found)
    const report: IncidentReport = {
      incident: found,
      matchedBy: matched?.by ?? null,
      ...(await createdSince(context, api, subject.key, sinceAt)),
      next: await nextSteps(context, api, {
        incident: found,
        fleet,
        isToKeep: file === undefined,
      }),
    }
    await print(context, report, printed === 'table' ? 'text' : printed, file)
  },
})

function refuseContradictions(named: string | undefined, secretStdin: boolean): void {
  if (named !== undefined && secretStdin) {
    throw new KeysError('usage', 'a key and --secret-stdin exclude each other', {
      hint: 'name the key, or give its secret on stdin',
    })
  }
  if (named === undefined && !secretStdin) {
    throw new KeysError('needs-answer', 'which key leaked?', {
      hint: 'name it: pictify-keys incident <key>; or give its secret: pictify-keys incident --secret-stdin < leaked.txt',
    })
  }
}

/** A report is evidence: what is there is not replaced. */
async function proveNew(context: Context, file: string): Promise<void> {
  await proveOut(context, file)
  await refuseExisting(context.cwd, file)
}

interface Subject {
  keyId: string
  /** Undefined where the account does not have it any more; then why is in `notFound`. */
  key: Key | undefined
  notFound?: KeysError
}

/** Also a key that is deleted: by its id, or by the name that a rotation of this machine knew it by. */
async function findSubject(context: Context, api: Client, wanted: string): Promise<Subject> {
  try {
    const key = await api.keys.find(wanted, { signal: context.signal })
    return { keyId: key.id, key }
  } catch (error) {
    if (!hasCode(error, 'api-key-not-found')) throw error
    const isId = /^key_[\w-]+$/.test(wanted)
    const known = isId
      ? undefined
      : (await readJournals(context, api)).find(({ oldKey }) => oldKey.name === wanted)
    const keyId = isId ? wanted : known?.oldKey.id
    if (keyId === undefined) throw error
    return { keyId, key: undefined, notFound: error }
  }
}

/** A key that was never there looks like one that is deleted, but for what it did. */
function isNothingKnown({ key, usage, audit }: Incident): boolean {
  return key === null && usage === null && (audit === null || audit.events === 0)
}

const evidence: Readonly<Record<MatchedBy, string>> = {
  'audit-log': 'by a request that the audit log shows under it',
  'last-use': 'by its last use, which moved with the secret',
  rotation: 'by the fingerprint that the rotation of it left',
}

function tellMatch({ out }: Context, { keyId, key }: Subject, by: MatchedBy): void {
  const name = key === undefined ? keyId : `${key.name} (${keyId})`
  out.event({ event: 'secret-matched', keyId, by }, `the secret is of ${name}, ${evidence[by]}`)
}

function warnOfGaps({ out }: Context, { audit, usage }: Incident): void {
  if (audit === null) out.warn('the API keeps no audit log: what the key did is not known')
  if (usage === null) out.warn('there are no figures of usage for this key')
}

/** An admin key can create keys, which go on working when it is gone. */
async function createdSince(
  { signal }: Context,
  api: Client,
  key: Key | undefined,
  since: number,
): Promise<Pick<IncidentReport, 'keysSince' | 'keysSinceLeftOut'>> {
  if (key?.access !== 'admin') return { keysSince: null, keysSinceLeftOut: 0 }
  const created: Key[] = []
  for await (const each of api.keys.list({}, { signal, patient: true })) {
    // newest first
    if (Date.parse(each.createdAt) < since) break
    if (each.id !== key.id) created.push(each)
  }
  const keysSince = created
    .slice(0, mostKeys)
    .map(({ id, name, type, status, createdAt }) => ({ id, name, type, status, createdAt }))
  return { keysSince, keysSinceLeftOut: created.length - keysSince.length }
}

async function print(
  context: Context,
  report: IncidentReport,
  format: Format,
  file: string | undefined,
): Promise<void> {
  const { out, version } = context
  if (file === undefined && format === 'text') {
    const { incidentReportText } = await import('../ui/incident/text.ts')
    return out.result(report, (safe) => incidentReportText(safe, out))
  }
  if (file === undefined && format === 'json' && out.json) return out.result(report, () => '')
  const { drawIncident } = await import('../ui/incident/formats.ts')
  const drawn = await drawIncident(report, format, version)
  if (file === undefined) return out.lines(drawn.replace(/\n$/, '').split('\n'))
  await writeNewFile(context.cwd, file, drawn)
  if (out.json) out.result(report, () => '')
  else out.say(`the report is in ${file}`)
}

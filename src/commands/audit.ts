import { judge, rulesInForce, type AuditReport } from '../audit/report.ts'
import type { Survey } from '../audit/survey.ts'
import type { Context } from '../context.ts'
import { exactDuration } from '../duration.ts'
import { KeysError } from '../errors.ts'
import type { AuditSettings, Fleet, Severity } from '../fleet/fleet.ts'
import { auditFormats, checkPrinting, isForOthers, printAudit } from './audit-print.ts'
import { chooseRules, printRules } from './audit-rules.ts'
import { surveyAll, type AuditScope } from './audit-survey.ts'
import { commandLine, quoted, whoseKeys } from '../command-line.ts'
import { defineCommand, type Inputs } from './command.ts'
import { parseInstant } from './instant.ts'
import { configFlag, readKeysFile } from './keys-file.ts'

const flags = {
  rule: { type: 'list', value: 'rule', summary: 'only this rule' },
  failOn: {
    type: 'choice',
    choices: ['error', 'warning', 'note', 'never'],
    summary: 'end with 10 where there is a finding as severe as this',
    default: 'error',
  },
  failOnSkipped: { type: 'boolean', summary: 'end with 10 also where a rule had to be skipped' },
  since: {
    type: 'string',
    value: 'when',
    summary: 'how far back the audit log is read: 30d, 2026-01-31, an instant',
    default: '30d',
  },
  recent: {
    type: 'duration',
    summary: 'how much of that is recent, and held against what was before: 7d without it, at most half',
  },
  probe: {
    type: 'boolean',
    summary: 'ask the API whether secrets found in files still work, which is a use of their keys',
  },
  config: configFlag,
  format: {
    type: 'choice',
    choices: auditFormats,
    summary: 'how it is printed; as --out ends, else table, or json with --json',
  },
  out: { type: 'string', value: 'file', summary: 'write it to this file and not to stdout' },
} as const

type AuditInputs = Inputs<[], typeof flags>

const usualRecentMs = 7 * 86_400_000
const severities: readonly Severity[] = ['note', 'warning', 'error']

export const audit = defineCommand({
  name: 'audit',
  summary: 'what is not in order with the keys, and the command that mends it',
  args: [
    { name: 'action', summary: 'rules: list what keys are held against', optional: true, choices: ['rules'] },
  ],
  flags,
  examples: [
    'pictify-keys audit',
    'pictify-keys audit --fail-on warning',
    'pictify-keys audit --rule key-age --rule unused --json',
    'pictify-keys audit --format html --out audit.html',
    'pictify-keys audit rules --rule key-age',
  ],

  async run(context, { action, ...inputs }) {
    const printing = { format: inputs.format, file: inputs.out }
    if (action === 'rules') return printRules(context, inputs.rule, printing)
    await checkPrinting(context, printing)
    const stretch = stretchOf(inputs, context.clock.now())
    const { report, survey } = await hold(context, inputs, stretch)
    await printAudit(context, report, survey, printing)
    warnOfSkipped(context, report)
    failOn(report, inputs)
  },
})

async function hold(
  context: Context,
  inputs: AuditInputs,
  stretch: Stretch,
): Promise<{ report: AuditReport; survey: Survey }> {
  const fleet = await readKeysFile(context, inputs.config)
  const chosen = chooseRules(inputs.rule)
  const settings = settingsFor(fleet, inputs.rule)
  const survey = await surveyAll(context, {
    rules: rulesInForce(chosen, settings),
    fleet,
    ...stretch,
    probe: inputs.probe,
  })
  const whose = await whoseKeys(context)
  const said = isForOthers(inputs.format) ? withoutPlaces(context) : context
  const report = judge(survey, chosen, settings, ([program = '', command = '', ...words]) =>
    program === 'pictify-keys'
      ? commandLine(said, command, words, {}, {}, whose)
      : [program, command, ...words].map(quoted).join(' '),
  )
  // of some rules alone nothing can be said of the whole
  return { report: inputs.rule.length > 0 ? { ...report, checklist: [] } : report, survey: judged(survey) }
}

/** Folders of this machine are nothing to who reads it elsewhere, and not for everybody. */
function withoutPlaces({ globals, env }: Context): Pick<Context, 'globals' | 'env'> {
  return { globals: { ...globals, stateDir: undefined, caFile: undefined }, env }
}

type Stretch = Pick<AuditScope, 'sinceMs' | 'recentMs'>

/** What is recent is held against at least as much before it. Throws `usage`. */
function stretchOf({ since, recent }: Pick<AuditInputs, 'since' | 'recent'>, now: number): Stretch {
  const refuse = (message: string, hint: string) => new KeysError('usage', message, { hint })
  const sinceMs = now - parseInstant(since, now, '--since')
  if (sinceMs < 0) throw refuse(`--since: ${since} has not come yet`, 'write how far back: 30d')
  if (sinceMs === 0) throw refuse('--since is nothing', 'write how far back: 30d')
  if (recent === 0)
    throw refuse('--recent is nothing', `write how much of it is recent: ${exactDuration(usualRecentMs)}`)
  if (recent !== undefined && recent > sinceMs / 2) {
    throw refuse(
      `--recent ${exactDuration(recent)} leaves less before it than it is itself, since ${since}`,
      `give --since ${exactDuration(recent * 2)} or longer ago, or less of --recent`,
    )
  }
  return { sinceMs, recentMs: recent ?? Math.min(usualRecentMs, sinceMs / 2) }
}

/** Without what took most room, and has been looked at: printing a large report needs it. */
function judged(survey: Survey): Survey {
  const { log } = survey
  return log.known ? { ...survey, log: { known: true, value: { ...log.value, keys: new Map() } } } : survey
}

/** What the file says; a rule that is asked for by name is held even where the file turns it off. */
function settingsFor(fleet: Fleet | undefined, asked: readonly string[]): AuditSettings {
  const { rules = {}, workingHours, accept = [] } = fleet?.audit ?? {}
  const own = Object.entries(rules).map(([id, rule]) =>
    asked.includes(id) && rule.severity === 'off' ? [id, { ...rule, severity: undefined }] : [id, rule],
  )
  return { rules: Object.fromEntries(own) as AuditSettings['rules'], workingHours, accept }
}

/** What the API does not have is no fault of the command line, and is said where it cannot be overlooked. */
function warnOfSkipped({ out }: Context, { skipped }: AuditReport): void {
  const whys = new Map<string, string[]>()
  for (const { rule, source, why } of skipped) {
    if (source === 'usage' || source === 'log') whys.set(why, [...(whys.get(why) ?? []), rule])
  }
  for (const [why, ids] of whys) out.warn(`${why}: nothing is known by ${ids.join(', ')}`)
}

/** Throws `audit-findings` or `audit-skipped` where the report is not as it was asked to be. */
function failOn({ summary, skipped }: AuditReport, inputs: AuditInputs): void {
  const least = severities.indexOf(inputs.failOn as Severity)
  const failing = severities.filter(
    (severity, index) => least >= 0 && index >= least && summary.findings[severity] > 0,
  )
  if (failing.length > 0) {
    const counts = failing.reverse().map((severity) => plural(summary.findings[severity], severity))
    throw new KeysError('audit-findings', `the audit found ${counts.join(', ')}`, {
      hint: 'mend them, or accept them with a reason in pictify-keys.yaml under audit: accept',
    })
  }
  if (inputs.failOnSkipped && skipped.length > 0) {
    throw new KeysError(
      'audit-skipped',
      `${plural(skipped.length, 'rule')} could not be held against the account`,
      {
        hint: 'the report says why; turn off in pictify-keys.yaml what is not wanted: audit: rules: <id>: off',
      },
    )
  }
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

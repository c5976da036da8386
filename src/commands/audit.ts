import { judge, rulesInForce, type AuditReport } from '../audit/report.ts'
import type { Rule } from '../audit/rule.ts'
import { rules as allRules } from '../audit/rules.ts'
import type { Survey } from '../audit/survey.ts'
import type { Context } from '../context.ts'
import { KeysError } from '../errors.ts'
import type { AuditSettings, Fleet, Severity } from '../fleet/fleet.ts'
import { nearest } from '../nearest.ts'
import { rulesText } from '../ui/audit/rules.ts'
import { auditFormats, checkPrinting, isForOthers, printAudit } from './audit-print.ts'
import { surveyAll } from './audit-survey.ts'
import { commandLine, quoted, whoseKeys } from '../command-line.ts'
import { defineCommand, type Inputs } from './command.ts'
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
  since: { type: 'duration', summary: 'how far back the audit log is read', default: '30d' },
  recent: {
    type: 'duration',
    summary: 'how much of that is recent, and held against what was before',
    default: '7d',
  },
  probe: { type: 'boolean', summary: 'ask the API whether secrets found in files still work' },
  config: configFlag,
  format: {
    type: 'choice',
    choices: auditFormats,
    summary: 'how it is printed; table unless --json is given',
  },
  out: { type: 'string', value: 'file', summary: 'write it to this file and not to stdout' },
} as const

type AuditInputs = Inputs<[], typeof flags>

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
    const { out } = context
    if (action === 'rules') {
      const listed = chooseRules(inputs.rule).map(({ id, severity, summary, help }) => ({
        id,
        severity,
        summary,
        help,
      }))
      return out.result({ rules: listed }, ({ rules }) => rulesText(rules, out))
    }
    const printing = { format: inputs.format, file: inputs.out }
    checkPrinting(context, printing)
    if (inputs.since === 0)
      throw new KeysError('usage', '--since is nothing', { hint: 'write how far back: 30d' })
    const { report, survey } = await hold(context, inputs)
    await printAudit(context, report, survey, printing)
    warnOfSkipped(context, report)
    failOn(report, inputs)
  },
})

async function hold(context: Context, inputs: AuditInputs): Promise<{ report: AuditReport; survey: Survey }> {
  const fleet = await readKeysFile(context, inputs.config)
  const chosen = chooseRules(inputs.rule)
  const settings = settingsFor(fleet, inputs.rule)
  const survey = await surveyAll(context, {
    rules: rulesInForce(chosen, settings),
    fleet,
    sinceMs: inputs.since,
    // what is recent is held against at least as much before it
    recentMs: Math.min(inputs.recent, inputs.since / 2),
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

/** Without what took most room, and has been looked at: printing a large report needs it. */
function judged(survey: Survey): Survey {
  const { log } = survey
  return log.known ? { ...survey, log: { known: true, value: { ...log.value, keys: new Map() } } } : survey
}

/** The rules that are asked for; all of them where none is named. Throws `usage`. */
function chooseRules(ids: readonly string[]): readonly Rule[] {
  for (const id of ids) {
    if (allRules.some((rule) => rule.id === id)) continue
    const known = allRules.map((rule) => rule.id)
    const [meant] = nearest(id, known)
    throw new KeysError('usage', `there is no rule ${id}`, {
      hint: meant === undefined ? 'pictify-keys audit rules lists them' : `did you mean ${meant}?`,
    })
  }
  return ids.length === 0 ? allRules : allRules.filter(({ id }) => ids.includes(id))
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

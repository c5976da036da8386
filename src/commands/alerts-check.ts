// Rules of this file:
// - one check at a time: what it finds is written down before anybody is told, and who was told as soon as it was;
// - what could not be looked at changes nothing: the incidents of a check that failed stay as they were.
import { randomBytes } from 'node:crypto'
import path from 'node:path'
import type { Client } from '../api/contract.ts'
import { attempted, dueMessages, plan, type Message } from '../alerts/delivery.ts'
import { evaluate, sourcesOf, type AlertSurvey, type KeyMatch } from '../alerts/evaluation.ts'
import { advance, type AlertIncident } from '../alerts/incident.ts'
import { deliver, type OpenNotifier, type Outcome } from '../alerts/notifier.ts'
import { reportOf, type AlertsReport, type Sent } from '../alerts/report.ts'
import { createStateFile, type AlertScope, type AlertState, type StateFile } from '../alerts/state-file.ts'
import type { Judgement } from '../alerts/verdict.ts'
import type { Context } from '../context.ts'
import type { AlertRule, Fleet } from '../fleet/fleet.ts'
import { openStateFolder } from '../rotation/state-folder.ts'
import { letterOf } from '../ui/alerts/letter.ts'
import { withAlertsLock } from './alerts-lock.ts'
import { readLog } from './alerts-log.ts'
import { nextSteps } from './alerts-steps.ts'
import { notesOf, type Note } from './alerts-warnings.ts'
import { openNotifiers } from './alerts-notifiers.ts'
import { surveyAll } from './audit-survey.ts'
import { whoseKeys } from '../command-line.ts'
import { loadNameGlobs } from './name-glob.ts'

export interface CheckOptions {
  /** How far back the audit log is read, and how much of that is recent. */
  sinceMs: number
  recentMs: number
  /** What one notifier may take, all its messages together. */
  limitMs: number
  /** How long the API may put off one request. */
  maxWaitMs: number
}

export interface Checked {
  report: AlertsReport
  notes: readonly Note[]
}

/** Looks, writes down, and tells. Throws `alerts-locked` while another check is under way. */
export async function check(context: Context, fleet: Fleet, options: CheckOptions): Promise<Checked> {
  return withAlertsLock(context, await openState(context, fleet), async (file) => {
    const { state, keepLog, checkedBy } = await look(context, fleet, options, file)
    await file.save(state)
    await keepLog()
    return checkedBy(await tell(context, fleet, file, state, options.limitMs))
  })
}

/** Looks, tells nobody, and writes nothing. */
export async function tryCheck(context: Context, fleet: Fleet, options: CheckOptions): Promise<Checked> {
  const file = await openState(context, fleet, { readOnly: true })
  const { state, checkedBy } = await look(context, fleet, { ...options, readOnly: true }, file)
  const due = dueMessages(state.incidents, fleet.alerts)
  const names = [...new Set(due.map(({ notifier }) => notifier))]
  const would = due.length === 0 ? '' : ` of ${due.length} for ${names.join(', ')}`
  context.out.say(`nothing is written, and no message${would} is sent (--dry-run)`)
  return checkedBy({ sent: [], incidents: state.incidents })
}

interface Looked {
  /** For the next check. */
  state: AlertState
  keepLog: () => Promise<void>
  /** What is reported, once it is known who was told. */
  checkedBy: (told: Told) => Checked
}

async function look(
  context: Context,
  fleet: Fleet,
  options: CheckOptions & { readOnly?: boolean },
  file: StateFile,
): Promise<Looked> {
  const before = await file.read()
  const { account, judgements, keepLog } = await hold(context, fleet, options, file, before)
  const advanced = advance({
    incidents: before.incidents,
    judgements,
    keys: account.keys,
    at: account.at,
    newId: () => newId('alert'),
  })
  const incidents = plan({
    incidents: advanced,
    rules: fleet.alerts,
    notifiers: fleet.notify.map(({ name }) => name),
    at: account.at,
    newId: () => newId('msg'),
  })
  const notes = notesOf(judgements, before.warned)
  const state = {
    checkedAt: new Date(account.at).toISOString(),
    incidents,
    warned: notes.map(({ text }) => text),
    reaches: judgements.map(({ reach }) => reach),
  }
  const facts = {
    survey: { at: account.at, apiUrl: account.apiUrl },
    judgements,
    before: before.incidents,
    after: advanced,
    notifiers: fleet.notify,
  }
  return { state, keepLog, checkedBy: (told) => ({ report: reportOf({ ...facts, ...told }), notes }) }
}

interface Held {
  /** Without what took most room: of a large account, usage and log are given up before anything is made of the verdicts. */
  account: Pick<AlertSurvey, 'at' | 'apiUrl' | 'keys'>
  judgements: Judgement[]
  keepLog: () => Promise<void>
}

/** Holds the rules against the account as it is. */
async function hold(
  context: Context,
  fleet: Fleet,
  options: CheckOptions & { readOnly?: boolean },
  file: StateFile,
  before: AlertState,
): Promise<Held> {
  const { survey, keepLog } = await surveyFor(context, fleet, options, file, before)
  const judgements = evaluate(survey, fleet.alerts, await matcher(fleet.alerts))
  const { at, apiUrl, keys } = survey
  return { account: { at, apiUrl, keys }, judgements, keepLog }
}

/** What the rules look at, and how to keep what was read of the log, which is for when the check is whole. */
async function surveyFor(
  context: Context,
  fleet: Fleet,
  options: CheckOptions & { readOnly?: boolean },
  file: StateFile,
  before: AlertState,
): Promise<{ survey: AlertSurvey; keepLog: () => Promise<void> }> {
  const needs = fleet.alerts.flatMap(({ condition }) => sourcesOf(condition))
  const account = await surveyAll(context, {
    rules: [{ needs: needs.filter((source) => source !== 'log') }],
    fleet,
    sinceMs: options.sinceMs,
    recentMs: options.recentMs,
    probe: false,
    forgets: options.readOnly,
    patient: options.maxWaitMs,
  })
  if (!needs.includes('log')) return { survey: account, keepLog: async () => {} }
  const { log, keep } = await readLog(context, fleet, account, options, file, before)
  return { survey: { ...account, log }, keepLog: keep }
}

/** The file that these alerts are kept in, whose folder is there; or may not be, where it is only read. */
export async function openState(
  context: Context,
  fleet: Fleet,
  { readOnly = false } = {},
): Promise<StateFile> {
  const { stateDir } = context
  const folder = readOnly ? path.join(stateDir, 'alerts') : await openStateFolder(stateDir, 'alerts')
  const { profile } = await whoseKeys(context)
  const scope: AlertScope = { apiUrl: await context.apiUrl(), profile, file: fleet.path }
  return createStateFile(folder, scope)
}

function newId(prefix: string): string {
  return `${prefix}_${randomBytes(12).toString('hex')}`
}

async function matcher(rules: readonly AlertRule[]): Promise<KeyMatch> {
  if (rules.every(({ keys }) => keys === undefined)) return () => true
  const globOf = await loadNameGlobs()
  const globs = new Map(rules.map(({ name, keys }) => [name, keys === undefined ? undefined : globOf(keys)]))
  return (rule, name) => globs.get(rule.name)?.(name) ?? true
}

interface Told {
  sent: readonly Sent[]
  incidents: readonly AlertIncident[]
}

/** Sends what is due, and writes down what was sent as it is. */
async function tell(
  context: Context,
  fleet: Fleet,
  file: StateFile,
  state: AlertState,
  limitMs: number,
): Promise<Told> {
  const due = dueMessages(state.incidents, fleet.alerts)
  const sent: Sent[] = []
  let { incidents } = state
  if (due.length === 0) return { sent, incidents }
  const api = await context.api()
  const names = new Set(due.map(({ notifier }) => notifier))
  const opened = await openNotifiers(
    context,
    fleet.notify.filter(({ name }) => names.has(name)),
  )
  try {
    const postings = await postingsOf(context, fleet, opened.notifiers, due)
    await deliver(
      postings,
      { clock: context.clock, limitMs, signal: context.signal },
      async (notifier, letter, delivered) => {
        const outcome = byClockOf(api, delivered)
        incidents = attempted(incidents, letter, outcome)
        const about = due.find(({ id }) => id === letter.id)?.about ?? 'firing'
        sent.push({ notifier: notifier.name, about, messageId: letter.id, ...outcome })
        if (outcome.sentAt !== null) await file.save({ ...state, incidents })
      },
    )
  } finally {
    await opened.close()
    // why an attempt failed, and what is over and was told
    await file.save({ ...state, incidents: incidents.filter(isOpen) })
  }
  return { sent, incidents }
}

/** As all instants of an incident: when a reminder is due is told by that, and a machine's own clock may be hours off. */
function byClockOf(api: Pick<Client, 'now'>, outcome: Outcome): Outcome {
  return outcome.sentAt === null ? outcome : { ...outcome, sentAt: new Date(api.now()).toISOString() }
}

async function postingsOf(
  context: Context,
  fleet: Fleet,
  notifiers: readonly OpenNotifier[],
  due: readonly Message[],
) {
  const steps = await nextSteps(context, fleet)
  const apiUrl = await context.apiUrl()
  const facts = { at: context.clock.now(), apiUrl, commandsFor: steps }
  return notifiers.map((notifier) => ({
    notifier,
    letters: due.filter((each) => each.notifier === notifier.name).map((each) => letterOf(each, facts)),
  }))
}

function isOpen({ state, deliveries }: AlertIncident): boolean {
  return state !== 'recovered' || deliveries.some(({ sentAt }) => sentAt === null)
}

import type { Context } from '../context.ts'
import { KeysError, ToldError } from '../errors.ts'
import type { Fleet } from '../fleet/fleet.ts'
import { check, tryCheck, type Checked } from './alerts-check.ts'
import { list } from './alerts-list.ts'
import { sendTest } from './alerts-test.ts'
import { warn } from './alerts-warnings.ts'
import { watch } from './alerts-watch.ts'
import { defineCommand, type Inputs } from './command.ts'
import { configFlag, readKeysFile } from './keys-file.ts'

const flags = {
  watch: { type: 'duration', bare: '5m', summary: 'check: go on, so far apart, until Ctrl-C' },
  dryRun: { type: 'boolean', summary: 'check: hold the rules, tell nobody, write nothing' },
  failOnSkipped: {
    type: 'boolean',
    summary: 'check: end with 10 also where a rule had to be skipped, or can tell nothing of a key',
  },
  since: { type: 'duration', default: '30d', summary: 'check: how far back the audit log is read' },
  recent: {
    type: 'duration',
    default: '7d',
    summary: 'check: how much of that is recent, and held against what was before',
  },
  maxWait: {
    type: 'duration',
    default: '5m',
    summary: 'check: how long the API may put off one request, for its rate limit say',
  },
  notifyTimeout: { type: 'duration', default: '30s', summary: 'how long one notifier may take' },
  config: configFlag,
} as const

type AlertsInputs = Inputs<[], typeof flags>

export const alerts = defineCommand({
  name: 'alerts',
  summary: 'tell people when a key does what the keys file says it should not',
  args: [
    {
      name: 'action',
      summary:
        'check: look once, and tell what is new; list: rules and what is open; test: send a test message',
      choices: ['check', 'list', 'test'],
    },
    { name: 'notifier', summary: 'test: only this one', optional: true },
  ],
  flags,
  examples: [
    'pictify-keys alerts check',
    'pictify-keys alerts check --watch 2m',
    'pictify-keys alerts list --json',
    'pictify-keys alerts test team-slack',
  ],

  async run(context, { action, notifier, ...inputs }) {
    if (notifier !== undefined && action !== 'test') {
      throw new KeysError('usage', `alerts ${action} takes no name`, {
        hint: `the keys of a rule are chosen in the file: keys: "${notifier}"`,
      })
    }
    if (inputs.dryRun && (action !== 'check' || inputs.watch !== undefined)) {
      throw new KeysError('usage', '--dry-run is for one alerts check', {
        hint: 'pictify-keys alerts check --dry-run',
      })
    }
    if (inputs.watch !== undefined && action !== 'check') {
      throw new KeysError('usage', '--watch is for alerts check', {
        hint: 'pictify-keys alerts check --watch',
      })
    }
    const fleet = await fileOf(context, inputs)
    if (action === 'list') return list(context, fleet)
    if (action === 'test') return sendTest(context, fleet, notifier, inputs.notifyTimeout)
    const options = {
      sinceMs: inputs.since,
      // as an audit has it: what is recent is held against at least as much before it
      recentMs: Math.min(inputs.recent, inputs.since / 2),
      limitMs: inputs.notifyTimeout,
      maxWaitMs: inputs.maxWait,
    }
    if (inputs.watch !== undefined) return watch(context, fleet, options, inputs.watch)
    const checked = await (inputs.dryRun ? tryCheck : check)(context, fleet, options)
    const { report, notes } = checked
    const { checkText } = await import('../ui/alerts/table.ts')
    context.out.result(report, (safe) => checkText(safe, context.out))
    warn(context, notes, report.notifiers)
    failOn(context, checked, inputs)
  },
})

/** Of keys of which rules can tell nothing; a key of two rules counts twice. */
function unknownText(count: number): string {
  return count === 1 ? '1 key is unknown to a rule' : `${count} keys are unknown to a rule`
}

async function fileOf(context: Context, { config }: AlertsInputs): Promise<Fleet> {
  const fleet = await readKeysFile(context, config)
  if (fleet === undefined) {
    throw new KeysError(
      'usage',
      'there is no pictify-keys.yaml here, nor in the folders above in the repository',
      {
        hint: 'name it with --config, or write one with alerts: and notify: (docs/alerts.md)',
      },
    )
  }
  if (fleet.alerts.length === 0) {
    throw new KeysError('usage', `${fleet.file} has no alerts`, {
      hint: 'write what is to be told under alerts: (docs/alerts.md)',
    })
  }
  return fleet
}

/**
 * Throws `alerts-untold` where nobody could be told, `alerts-firing` where a rule fires, `alerts-skipped` if asked for. With
 * --quiet what an earlier check has told already decides the exit alone, so that cron has nothing to mail.
 */
function failOn(
  { out, globals }: Context,
  { report: { summary }, notes }: Checked,
  { failOnSkipped }: AlertsInputs,
): void {
  const { rules, skipped, unknown, firing, fired, untold } = summary
  const firingText = `${firing} ${firing === 1 ? 'alert fires' : 'alerts fire'}`
  if (untold > 0) {
    const what = firing > 0 ? firingText : 'alerts are over'
    const untoldText =
      untold < firing
        ? `; of ${untold} of the incidents no notifier could be told`
        : ', and no notifier could be told'
    throw new KeysError('alerts-untold', `${what}${untoldText}`, {
      hint: 'mend the notifiers (pictify-keys alerts test tries them); the next check tells what is still untold',
    })
  }
  const isSilent = globals.quiet && !out.json && fired === 0 && !notes.some(({ isNew }) => isNew)
  const Failure = isSilent ? ToldError : KeysError
  if (firing > 0) {
    throw new Failure('alerts-firing', firingText, { hint: 'pictify-keys alerts list shows what is open' })
  }
  if (failOnSkipped && skipped + unknown > 0) {
    const what = [
      ...(skipped > 0 ? [`${skipped} of ${rules} rules could not be held against the account`] : []),
      ...(unknown > 0 ? [unknownText(unknown)] : []),
    ]
    throw new Failure('alerts-skipped', what.join(', and '), {
      hint: 'the report says why; take out of the file what cannot be known here',
    })
  }
}

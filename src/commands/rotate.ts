import type { Context } from '../context.ts'
import { hasCode, KeysError } from '../errors.ts'
import { createJournals } from '../rotation/journal.ts'
import type { Outcome } from '../rotation/drive.ts'
import { abortRotation, rotate as rotateKey } from '../rotation/rotate.ts'
import type { RotationOptions, RotationServices } from '../rotation/run.ts'
import { isOver, type Journal } from '../rotation/state.ts'
import { formatDuration } from '../duration.ts'
import { createProgress, outcomeSentence } from '../ui/rotation.ts'
import { defineCommand, type Inputs } from './command.ts'
import { createVerify } from './rotate-verify.ts'
import { rotationTargets } from './rotate-targets.ts'
import { readSecretFrom } from './secret-input.ts'

const args = [
  { name: 'key', summary: 'key id or name, or the id of an open rotation', optional: true },
] as const

const flags = {
  to: { type: 'list', value: '<target>', summary: 'where the application finds its key; repeatable' },
  verify: {
    type: 'string',
    value: '<command>',
    summary: 'says whether the successor works (PICTIFY_API_KEY is set)',
  },
  verifyTimeout: { type: 'duration', default: '2m', summary: 'how long the verify command may take' },
  settle: {
    type: 'duration',
    default: '30s',
    summary: 'how long a new key may take to be accepted everywhere',
  },
  probes: { type: 'count', value: '<n>', default: 3, summary: 'how often in a row it must be accepted' },
  overlap: { type: 'duration', default: '0s', summary: 'how long both keys stay valid at least' },
  idle: { type: 'duration', default: '5m', summary: 'how long the old key must have been quiet' },
  usageLag: { type: 'duration', default: '5m', summary: 'how late usage data may be' },
  wait: {
    type: 'duration',
    default: '15m',
    summary: 'how long to wait for the evidence before ending with 5',
  },
  noEvidence: { type: 'boolean', summary: 'revoke without evidence that the old key is quiet' },
  delete: { type: 'boolean', summary: 'delete the old key too, once it is revoked' },
  ifOlderThan: { type: 'duration', summary: 'do nothing while the key is younger than this' },
  self: { type: 'boolean', summary: 'the key is the admin key in use: its successor becomes the credential' },
  compromised: { type: 'boolean', summary: 'the key has leaked: no overlap, and a report of what it did' },
  revokeFirst: { type: 'boolean', summary: 'with --compromised: revoke before anything else' },
  oldSecretStdin: {
    type: 'boolean',
    summary: 'read the secret being replaced from stdin, so that every target can be undone',
  },
  takeOver: { type: 'boolean', summary: 'go on with a rotation whose run is known to be dead' },
  resume: { type: 'boolean', summary: 'go on with an open rotation, with its own targets' },
  abort: { type: 'boolean', summary: 'undo an open rotation' },
} as const

type RotateInputs = Inputs<typeof args, typeof flags>

export const rotate = defineCommand({
  name: 'rotate',
  summary: 'replace a key without downtime: create, deliver, verify, revoke',
  args,
  flags,
  examples: [
    'pictify-keys rotate "Production Server" --to env:.env#PICTIFY_API_KEY',
    'pictify-keys rotate key_abc123 --to file:/run/secrets/pictify --verify ./smoke-test.sh --overlap 1h',
    'pictify-keys rotate key_abc123 --to env:.env --if-older-than 90d',
    'pictify-keys rotate --resume',
  ],

  async run(context, inputs) {
    refuseContradictions(inputs)
    const journals = createJournals(context.stateDir)
    const open = inputs.resume || inputs.abort ? await openRotation(context, inputs.key) : undefined
    const wanted = open?.oldKey.id ?? inputs.key ?? (await chooseKey(context))
    const api = await context.api()
    const { secret: credential, source } = await context.credential()
    const interruption = listen(context)
    try {
      const oldSecret = inputs.oldSecretStdin
        ? await readSecretFrom(context.stdin, 'the old secret on stdin')
        : undefined
      const services: RotationServices = {
        api,
        credential,
        journals,
        processes: context.processes,
        stateDir: context.stateDir,
        clock: context.clock,
        report: createProgress(context.out),
        stop: interruption.stop,
        undo: interruption.undo,
      }
      if (open === undefined && (await isYoungerThan(context, services, wanted, inputs.ifOlderThan))) return
      const options = await optionsOf(context, inputs, open, oldSecret, credential, source)
      const outcome = inputs.abort
        ? await abortRotation(services, wanted, options)
        : await rotateKey(services, wanted, options)
      await show(context, inputs, outcome, api)
    } finally {
      interruption.end()
    }
  },
})

/** Prints the receipt as far as it goes, then lets the error decide the exit. */
async function show(
  context: Context,
  inputs: RotateInputs,
  { receipt, error }: Outcome,
  api: RotationServices['api'],
): Promise<void> {
  const rotation = { rotation: receipt }
  if (inputs.compromised && receipt.state === 'done') {
    const { investigate, incidentSentence } = await import('../audit/incident.ts')
    const incident = await investigate(api, receipt.oldKey.id)
    context.out.result(
      { ...rotation, incident },
      () => `${outcomeSentence(receipt)}\n\n${incidentSentence(incident)}`,
    )
  } else if (error === undefined || context.out.json) {
    context.out.result(rotation, () => outcomeSentence(receipt))
  }
  if (error !== undefined) throw error
}

function refuseContradictions(inputs: RotateInputs): void {
  const refuse = (message: string, hint: string) => {
    throw new KeysError('usage', message, { hint })
  }
  if (inputs.resume && inputs.abort) refuse('--resume and --abort exclude each other', 'choose one')
  if (inputs.revokeFirst && !inputs.compromised) {
    refuse('--revoke-first takes the application down and is for a leaked key only', 'add --compromised')
  }
  if (inputs.revokeFirst && inputs.self) {
    refuse(
      '--revoke-first cannot be used with --self: without its admin key nothing more could be done',
      'leave it away',
    )
  }
  if (inputs.compromised && inputs.overlap > 0) {
    refuse('--compromised has no overlap', 'leave --overlap or --compromised away')
  }
  if (inputs.probes < 1) refuse('--probes 0 would prove nothing', 'give 1 or more')
  if (inputs.to.length > 0 && (inputs.resume || inputs.abort)) {
    refuse(
      '--resume and --abort go by the rotation’s own targets',
      'leave --to away, or run the same line again without the flag',
    )
  }
}

async function optionsOf(
  context: Context,
  inputs: RotateInputs,
  open: Journal | undefined,
  oldSecret: RotationOptions['oldSecret'],
  credential: RotationServices['credential'],
  source: Awaited<ReturnType<Context['credential']>>['source'],
): Promise<RotationOptions> {
  const self = inputs.self || (open?.self ?? false)
  const specs = open?.targets.map(({ name }) => name) ?? inputs.to
  const secrets = [credential, ...(oldSecret ? [oldSecret] : [])]
  const command = inputs.verify ?? open?.verify
  const cwd = open?.cwd ?? context.cwd
  return {
    targets: await rotationTargets(context, specs, { cwd, self, source, secrets }),
    cwd,
    verify:
      command === undefined ? undefined : await createVerify(context, command, inputs.verifyTimeout, secrets),
    settleMs: inputs.settle,
    probes: inputs.probes,
    overlapMs: inputs.overlap,
    idleMs: inputs.idle,
    usageLagMs: inputs.usageLag,
    waitMs: inputs.wait,
    evidence: !inputs.noEvidence,
    deleteOld: inputs.delete,
    compromised: inputs.compromised
      ? inputs.revokeFirst
        ? 'revoke-first'
        : 'no-overlap'
      : open?.compromised,
    self,
    takeOver: inputs.takeOver,
    oldSecret,
  }
}

/** The open rotation of this machine that is meant: by its id, its key, or as the only one. */
async function openRotation(context: Context, wanted: string | undefined): Promise<Journal> {
  const entries = await createJournals(context.stateDir).list()
  const open = entries.flatMap((entry) =>
    'journal' in entry && !isOver(entry.journal.state) ? [entry.journal] : [],
  )
  const fits = ({ id, oldKey, newKey }: Journal) => [id, oldKey.id, oldKey.name, newKey?.id].includes(wanted)
  const meant = wanted === undefined ? open : open.filter(fits)
  const [only] = meant
  if (only !== undefined && meant.length === 1) return only
  if (meant.length === 0) {
    throw new KeysError('rotation-not-found', 'there is no such open rotation on this machine', {
      hint: 'see pictify-keys rotations; one that another machine began goes on when its own line is run again',
    })
  }
  throw new KeysError('usage', `several rotations are open: ${meant.map(({ id }) => id).join(', ')}`, {
    hint: 'name one: pictify-keys rotate --resume <rotation>',
  })
}

async function chooseKey(context: Context): Promise<string> {
  if (!context.out.interactive) {
    throw new KeysError('needs-answer', 'which key is to be rotated?', {
      hint: 'name it: pictify-keys rotate <key id or name> --to <target>',
    })
  }
  const choices: { name: string; value: string }[] = []
  for await (const key of (await context.api()).keys.list({ status: 'active' })) {
    choices.push({ name: `${key.name} (${key.id}, ${key.type})`, value: key.id })
  }
  return context.prompt.select('Which key is to be rotated?', choices, '<key>')
}

/** The gate of `--if-older-than`. A rotation that is under way is gone on with, whatever the age. */
async function isYoungerThan(
  context: Context,
  { api, journals }: RotationServices,
  wanted: string,
  ageMs: number | undefined,
): Promise<boolean> {
  if (ageMs === undefined) return false
  const entries = await journals.list()
  const isUnderWay = entries.some(
    (entry) =>
      'journal' in entry &&
      !isOver(entry.journal.state) &&
      [entry.journal.oldKey.id, entry.journal.oldKey.name, entry.journal.newKey?.id].includes(wanted),
  )
  if (isUnderWay) return false
  const key = await api.keys.find(wanted).catch((error: unknown) => {
    if (hasCode(error, 'api-key-not-found')) return undefined
    throw error
  })
  if (key === undefined || key.status !== 'active' || key.name.includes(' (rotating ')) return false
  const age = api.now() - Date.parse(key.createdAt)
  if (!(age < ageMs)) return false
  const skipped = { key: { id: key.id, name: key.name, createdAt: key.createdAt }, reason: 'younger' }
  context.out.result(
    { rotation: null, skipped },
    () =>
      `${key.name} (${key.id}) is ${formatDuration(age)} old, younger than ${formatDuration(ageMs)}: nothing to do`,
  )
  return true
}

/** The first interruption stops at the next safe point, the second undoes as well, the third is the system's. */
function listen(context: Context): { stop: AbortSignal; undo: AbortSignal; end: () => void } {
  const stop = new AbortController()
  const undo = new AbortController()
  const unlisten = context.onInterrupt((_signal, count) => {
    if (count === 1) {
      const sentence = 'stopping at the next safe point; once more to undo the rotation'
      context.out.event({ event: 'interrupted', then: 'stop' }, sentence)
      stop.abort()
    } else {
      context.out.event({ event: 'interrupted', then: 'undo' }, 'undoing the rotation')
      undo.abort()
    }
  })
  return { stop: stop.signal, undo: undo.signal, end: unlisten }
}

import type { Context } from '../context.ts'
import { formatDuration } from '../duration.ts'
import { hasCode, KeysError } from '../errors.ts'
import type { CredentialSource } from '../credentials/credential.ts'
import { createJournals, type JournalEntry } from '../rotation/journal.ts'
import type { Outcome } from '../rotation/drive.ts'
import { abortRotation, rotate as rotateKey } from '../rotation/rotate.ts'
import type { RotationOptions, RotationServices } from '../rotation/run.ts'
import { isOver, type Journal } from '../rotation/state.ts'
import type { Secret } from '../secret.ts'
import { rotationOutputs, rotationSummary } from '../ui/rotation-summary.ts'
import { createProgress, outcomeSentence } from '../ui/rotation.ts'
import { defineCommand } from './command.ts'
import { args, flags, groups, optionsOf, refuseContradictions } from './rotate-flags.ts'
import { readSecretFrom } from './secret-input.ts'

export const rotate = defineCommand({
  name: 'rotate',
  summary: 'replace a key without downtime: create, deliver, verify, revoke',
  args,
  flags,
  groups,
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
    const wanted =
      open?.oldKey.id ?? inputs.key ?? (await (inputs.self ? ownKey(context) : chooseKey(context)))
    const api = await context.api()
    if (open !== undefined) refuseOtherApi(open, api.baseUrl)
    const credential = await context.credential()
    const interruption = listen(context)
    try {
      const oldSecret = inputs.oldSecretStdin
        ? await readSecretFrom(context, 'the old secret on stdin')
        : undefined
      // Grows with what the rotation learns: all of them are masked, and kept from children.
      const secrets = [credential.secret]
      const learn = (secret: Secret) => {
        secrets.push(secret)
        context.out.conceal(secret)
      }
      if (oldSecret) learn(oldSecret)
      const services: RotationServices = {
        api,
        credential: credential.secret,
        journals,
        processes: context.processes,
        stateDir: context.stateDir,
        clock: context.clock,
        report: createProgress(context.out),
        learn,
        stop: interruption.stop,
        undo: interruption.undo,
      }
      const begun = open ?? (await findBegun(services, wanted))
      if (begun === undefined && (await isYoungerThan(context, services, wanted, inputs.ifOlderThan))) return
      const options = await optionsOf(context, inputs, open, begun, credential, secrets, oldSecret)
      const outcome = inputs.abort
        ? await abortRotation(services, wanted, options)
        : await rotateKey(services, wanted, options)
      await show(context, options, outcome)
      warnOfDeadCredential(context, options, credential.source, outcome)
    } finally {
      interruption.end()
    }
  },
})

/** Prints the receipt as far as it goes, then lets the error decide the exit. */
async function show(
  context: Context,
  options: RotationOptions,
  { receipt, api, error }: Outcome,
): Promise<void> {
  const { out } = context
  const rotation = { rotation: receipt }
  out.outputs(rotationOutputs(receipt))
  out.summary(rotationSummary(receipt, error?.message))
  if (options.compromised !== undefined && receipt.state === 'done') {
    const { investigate, incidentSentence } = await import('../audit/incident.ts')
    const incident = await investigate(api, receipt.oldKey.id).catch((failure: unknown) => {
      if (!(failure instanceof KeysError)) throw failure
      // The rotation is done whatever becomes of the report.
      out.warn(`what ${receipt.oldKey.id} did is not known: ${failure.message}`)
      return null
    })
    out.result({ ...rotation, incident }, (safe) =>
      [outcomeSentence(safe.rotation), ...(safe.incident ? [incidentSentence(safe.incident)] : [])].join(
        '\n\n',
      ),
    )
  } else if (error === undefined || out.json) {
    out.result(rotation, (safe) => outcomeSentence(safe.rotation))
  }
  if (error !== undefined) throw error
}

/** The shell goes on with the admin key that was just revoked, and whoever reads only the receipt would not know. */
function warnOfDeadCredential(
  { out }: Context,
  { self, targets }: RotationOptions,
  source: CredentialSource,
  { receipt }: Outcome,
): void {
  if (!self || receipt.state !== 'done' || source.kind !== 'environment') return
  const places = targets.map(({ name }) => name).join(', ')
  out.warn(
    `${source.variable} of this shell is the old admin key, which is revoked; set it anew from ${places}`,
  )
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
  if (meant.length === 0) throw noneMeant(entries, wanted)
  throw new KeysError('usage', `several rotations are open: ${meant.map(({ id }) => id).join(', ')}`, {
    hint: 'name one: pictify-keys rotate --resume <rotation>',
  })
}

/** What cannot be read may be the one that is meant: that is said, and not that there is none. */
function noneMeant(entries: readonly JournalEntry[], wanted: string | undefined): KeysError {
  const problems = entries.flatMap((entry) => ('problem' in entry ? [entry] : []))
  const isMeant = ({ oldKeyId, rotationId }: JournalEntry) =>
    wanted === undefined || [oldKeyId, rotationId].includes(wanted)
  const meant = problems.find(isMeant)?.problem
  if (meant !== undefined) return meant
  const others = problems.map(({ problem }) => `it may be in what cannot be read: ${problem.message}`)
  const hint = `see pictify-keys rotations; one that another machine began goes on when its own line is run again`
  return new KeysError('rotation-not-found', 'there is no such open rotation on this machine', {
    hint: [...others, hint].join('; '),
  })
}

/** The key of the credential in use, or of the rotation of it that is under way. */
async function ownKey(context: Context): Promise<string> {
  const [open] = (await createJournals(context.stateDir).list()).flatMap((entry) =>
    'journal' in entry && entry.journal.self && !isOver(entry.journal.state) ? [entry.journal] : [],
  )
  if (open !== undefined) return open.oldKey.id
  const api = await context.api()
  const { secret } = await context.credential()
  const own = await api.whose(secret, { signal: context.signal })
  if (own !== undefined) return own
  throw new KeysError('usage', 'the API does not tell which key is the admin key in use', {
    hint: 'name it: pictify-keys rotate <key id or name> --self',
  })
}

function refuseOtherApi({ id, apiUrl }: Journal, baseUrl: string): void {
  if (apiUrl === baseUrl) return
  throw new KeysError('usage', `rotation ${id} is about keys of ${apiUrl}, and this is ${baseUrl}`, {
    hint: `add --api-url ${apiUrl}, with an admin key of that account`,
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

/** The unfinished rotation of this machine that the line goes on with; undefined where there is none. */
async function findBegun({ api, journals }: RotationServices, wanted: string): Promise<Journal | undefined> {
  const open = (await journals.list()).flatMap((entry) =>
    'journal' in entry && !isOver(entry.journal.state) ? [entry.journal] : [],
  )
  return open.find(
    ({ apiUrl, oldKey, newKey }) =>
      apiUrl === api.baseUrl && [oldKey.id, oldKey.name, newKey?.id].includes(wanted),
  )
}

/** The gate of `--if-older-than`. A rotation that is under way is gone on with, whatever the age. */
async function isYoungerThan(
  context: Context,
  { api }: RotationServices,
  wanted: string,
  ageMs: number | undefined,
): Promise<boolean> {
  if (ageMs === undefined) return false
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
    ({ skipped: { key: safe } }) =>
      `${safe.name} (${safe.id}) is ${formatDuration(age)} old, younger than ${formatDuration(ageMs)}: nothing to do`,
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

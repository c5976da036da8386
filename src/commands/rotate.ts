import type { Client } from '../api/contract.ts'
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
import type { Mark } from '../ui/board.ts'
import type { Ways } from '../ui/progress-sentences.ts'
import { outcomeSentence } from '../ui/rotation.ts'
import { commandLine } from '../command-line.ts'
import { defineCommand } from './command.ts'
import { ownKeyId } from './own-key.ts'
import { args, flags, groups, optionsOf, refuseContradictions, type RotateInputs } from './rotate-flags.ts'
import { listen } from './rotate-interruption.ts'
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

  async run(context, given) {
    refuseContradictions(given)
    const guided = isOpenToQuestions(context, given)
      ? await (await import('./rotate-guide.ts')).guide(context, given)
      : undefined
    const inputs = guided?.inputs ?? given
    const journals = createJournals(context.stateDir)
    const open = inputs.resume || inputs.abort ? await openRotation(context, inputs.key) : undefined
    const wanted = open?.oldKey.id ?? inputs.key ?? (await ownKey(context, inputs.self))
    const api = await context.api()
    if (open !== undefined) refuseOtherApi(open, api.baseUrl)
    const credential = await context.credential()
    const waysOf = (id: string) => ({
      resume: commandLine(context, 'rotate', [id], flags, { resume: true }),
      abort: commandLine(context, 'rotate', [id], flags, { abort: true }),
    })
    const { createProgress } = await import('../ui/progress.ts')
    const progress = await createProgress(context.out, context.clock, waysOf)
    const interruption = listen(context, progress.interrupted)
    const unlisten = context.onWait(progress.waits)
    let isLeftOpen = false
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
        report: progress.report,
        watched: context.out.live !== undefined,
        learn,
        stop: interruption.stop,
        undo: interruption.undo,
      }
      const begun = open ?? (await findBegun(services, wanted))
      if (begun === undefined && (await isYoungerThan(context, services, wanted, inputs.ifOlderThan))) return
      const options = await optionsOf(context, inputs, open, begun, credential, secrets, oldSecret)
      if (guided === undefined && begun === undefined) await tellBefore(context, api, wanted, options)
      const came = inputs.abort
        ? await abortRotation(services, wanted, options)
        : await rotateKey(services, wanted, options)
      const ways = waysOf(came.receipt.id)
      const outcome = { ...came, error: inWholeLines(came, ways) }
      isLeftOpen = hasCode(outcome.error, 'interrupted') && outcome.error.hint?.includes(ways.resume) === true
      progress.end(markOf(outcome))
      // from here on nothing is under way that an interruption would have to end
      interruption.end()
      unlisten()
      await show(context, options, outcome)
      warnOfDeadCredential(context, options, credential.source, outcome)
    } finally {
      progress.end('failed')
      interruption.end()
      unlisten()
      // of two lines only the one that goes on is told: the error has it
      if (!isLeftOpen) guided?.tellLine()
    }
  },
})

/** What the line leaves open, a person at a terminal is asked for. */
function isOpenToQuestions({ out }: Context, { key, to, self, resume, abort }: RotateInputs): boolean {
  return out.interactive && !self && !resume && !abort && (key === undefined || to.length === 0)
}

/** What may be meant otherwise: a file that is made, and who is cut off. */
async function tellBefore(
  { out, signal }: Context,
  api: Client,
  wanted: string,
  { targets, compromised }: RotationOptions,
): Promise<void> {
  const { warnOfNewFiles } = await import('./new-files.ts')
  await warnOfNewFiles(out, targets)
  if (compromised !== 'revoke-first' || !out.interactive) return
  const { lastUses } = await import('./last-use.ts')
  out.show(...(await lastUses(api, [await api.keys.find(wanted, { signal })], signal)))
}

/** What became of the step that was under way at the end. */
function markOf({ receipt, error }: Outcome): Mark {
  if (isOver(receipt.state)) return 'done'
  return hasCode(error, 'rotation-waiting', 'interrupted') ? 'left' : 'failed'
}

/** The core names the commands that go on bare: a line to be copied says also which account and folder are meant. */
function inWholeLines({ receipt: { id }, error }: Outcome, ways: Ways): KeysError | undefined {
  if (error === undefined) return undefined
  const hint = error.hint
    ?.replaceAll(`pictify-keys rotate ${id} --resume`, ways.resume)
    .replaceAll(`pictify-keys rotate ${id} --abort`, ways.abort)
  if (hint === error.hint) return error
  const { code, message, status, retryAfterMs, exit, maybeDone } = error
  return new KeysError(code, message, { hint, status, retryAfterMs, exit, maybeDone, cause: error })
}

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
    const { showWithIncident } = await import('./rotate-incident.ts')
    await showWithIncident(context, api, receipt)
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
async function ownKey(context: Context, self: boolean): Promise<string> {
  if (!self) {
    throw new KeysError('needs-answer', 'which key is to be rotated?', {
      hint: 'name it: pictify-keys rotate <key id or name> --to <target>',
    })
  }
  const [open] = (await createJournals(context.stateDir).list()).flatMap((entry) =>
    'journal' in entry && entry.journal.self && !isOver(entry.journal.state) ? [entry.journal] : [],
  )
  if (open !== undefined) return open.oldKey.id
  const api = await context.api()
  const own = await ownKeyId(context, api)
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

import type { Context } from '../context.ts'
import type { CredentialSource } from '../credentials/credential.ts'
import { KeysError } from '../errors.ts'
import type { RotationOptions } from '../rotation/run.ts'
import { defaultWaits, type Journal, type Waits } from '../rotation/state.ts'
import { createVerifyCommand } from '../rotation/verify-command.ts'
import type { Secret } from '../secret.ts'
import { parseRestarts } from '../targets/restart.ts'
import type { Inputs } from './command.ts'
import { rotationTargets } from './rotate-targets.ts'
import { targetDeps } from './target-deps.ts'

export const args = [
  {
    name: 'key',
    summary: 'key id or name, or the id of an open rotation (with --self: the admin key in use)',
    optional: true,
  },
] as const

export const flags = {
  to: {
    type: 'list',
    value: '<target>',
    summary:
      'where the application finds its key: env:<file>#<variable>, file:<path>, aws-sm:, gcp-sm:, vault:, k8s:, github:, github-org:, exec:<command>, manual:<label> (docs/targets.md)',
  },
  restart: {
    type: 'list',
    value: '<workload>',
    summary: 'with k8s: what is started anew once every target holds it: deployment/<name>',
  },
  createTarget: { type: 'boolean', summary: 'make a place in a store that is not there yet' },
  verify: {
    type: 'string',
    value: '<command>',
    summary: 'says whether the successor works (PICTIFY_API_KEY is set)',
  },
  verifyTimeout: { type: 'duration', summary: 'how long the verify command may take (default 2m)' },
  settle: {
    type: 'duration',
    summary: 'how long a new key may take to be accepted everywhere (default 30s)',
  },
  probes: { type: 'count', value: '<n>', summary: 'how often in a row it must be accepted (default 3)' },
  overlap: { type: 'duration', summary: 'how long both keys stay valid at least (default 0s)' },
  idle: { type: 'duration', summary: 'how long the old key must have been quiet (default 5m)' },
  usageLag: { type: 'duration', summary: 'how late usage data may be (default 5m)' },
  wait: {
    type: 'duration',
    summary: 'how long to wait for the evidence before ending with 5 (default 15m)',
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

/** The headings in help. */
export const groups = {
  Places: ['to', 'restart', 'createTarget', 'oldSecretStdin'],
  Proof: ['verify', 'verifyTimeout', 'settle', 'probes'],
  'The old key': ['overlap', 'idle', 'usageLag', 'wait', 'noEvidence', 'delete', 'ifOlderThan', 'self'],
  'A leaked key': ['compromised', 'revokeFirst'],
  'An unfinished rotation': ['takeOver', 'resume', 'abort'],
} as const satisfies Record<string, readonly (keyof typeof flags)[]>

export type RotateInputs = Inputs<typeof args, typeof flags>

/** What the line says, else with `--resume` the journal, else the defaults. */
export function waitsOf(inputs: RotateInputs, open: Journal | undefined): Waits {
  const before = open?.waits ?? defaultWaits
  return {
    settleMs: inputs.settle ?? before.settleMs,
    probes: inputs.probes ?? before.probes,
    overlapMs: inputs.overlap ?? before.overlapMs,
    idleMs: inputs.idle ?? before.idleMs,
    usageLagMs: inputs.usageLag ?? before.usageLagMs,
    waitMs: inputs.wait ?? before.waitMs,
    verifyTimeoutMs: inputs.verifyTimeout ?? (before.verifyTimeoutMs || defaultWaits.verifyTimeoutMs),
  }
}

/**
 * What was asked for; with `--resume` and `--abort` (`open`) as the rotation was asked for. What the line leaves away that
 * an unfinished one was begun with (`begun`) is not taken back: its verify command, its restarts.
 */
export async function optionsOf(
  context: Context,
  inputs: RotateInputs,
  open: Journal | undefined,
  begun: Journal | undefined,
  credential: { secret: Secret; source: CredentialSource },
  secrets: Secret[],
  oldSecret: Secret | undefined,
): Promise<RotationOptions> {
  const self = inputs.self || (open?.self ?? false)
  const specs = open?.targets.map(({ name }) => name) ?? inputs.to
  const command = inputs.verify ?? begun?.verify
  const cwd = open?.cwd ?? context.cwd
  const { verifyTimeoutMs, ...waits } = waitsOf(inputs, open)
  const createTarget = inputs.createTarget || (begun?.createTarget ?? false)
  const deps = targetDeps(context, { secrets, createTarget, cwd })
  const targets = await rotationTargets(context, specs, deps, { self, source: credential.source })
  return {
    ...waits,
    targets,
    cwd,
    createTarget,
    restarts: await parseRestarts([...(begun?.restarts ?? []), ...inputs.restart], targets, deps),
    verify:
      command === undefined
        ? undefined
        : await createVerifyCommand({
            command,
            cwd: inputs.verify ? cwd : (begun?.cwd ?? cwd),
            timeoutMs: verifyTimeoutMs,
            env: context.env,
            apiUrl: await context.apiUrl(),
            secrets,
            onLine: (line) => context.out.event({ event: 'verify-output', line }, `  ${line}`),
          }),
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

/** Throws `usage` for flags that exclude each other. */
export function refuseContradictions(inputs: RotateInputs): void {
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
  if (inputs.compromised && (inputs.overlap ?? 0) > 0) {
    refuse('--compromised has no overlap', 'leave --overlap or --compromised away')
  }
  if (inputs.probes === 0) refuse('--probes 0 would prove nothing', 'give 1 or more')
  if (inputs.to.length > 0 && (inputs.resume || inputs.abort)) {
    refuse(
      '--resume and --abort go by the rotation’s own targets',
      'leave --to away, or run the same line again without the flag',
    )
  }
}

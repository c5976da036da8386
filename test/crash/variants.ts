import type { SandboxKey } from '../../src/sandbox/server.ts'
import { secretIn } from './files.ts'

/** A place where the application finds its key: a file in the home. */
export interface Place {
  file: string
  /** What it holds before the rotation, of a key of that API. */
  holding: (secret: string, apiUrl: string) => string
  /** Finds the secret in it. */
  find: (text: string) => string | undefined
}

/** One way to rotate, and how it ends. */
export interface Variant {
  name: string
  /** The command line; `old` is the key that is rotated. */
  line(old: SandboxKey): string[]
  /** What it is given on stdin. */
  input?(old: SandboxKey): string
  places: readonly Place[]
  /** Scripts it needs, by name. */
  scripts?: Readonly<Record<string, string>>
  /** The documented exit: done (0), or undone (6). */
  exit: 0 | 6
  deletesOld?: boolean
  /** The key is the credential itself, kept in the profile file. */
  self?: boolean
  /** How long a new key spreads; without it, 120 ms: less than what the line says, and more than a hasty run takes. */
  propagationMs?: number
  /** The target cannot be read back. */
  isOneWay?: boolean
  /** How often the application calls; without it, every 8 ms. */
  callsEveryMs?: number
  /** Revokes without waiting for evidence. */
  waived?: boolean
}

const waits = ['--settle', '150ms', '--idle', '50ms', '--usage-lag', '0s', '--wait', '30s', '--json']

const dotEnv: Place = {
  file: '.env',
  holding: (secret) => `# keys\r\nexport PICTIFY_API_KEY="${secret}" # live\r\nPORT=80`,
  find: secretIn,
}
const plainFile: Place = { file: 'secret.txt', holding: (secret) => secret, find: (text) => text }
const vault: Place = { file: 'vault', holding: (secret) => secret, find: (text) => text }
export const profile: Place = {
  file: 'config/pictify-keys/config.json',
  holding: (adminKey, apiUrl) => JSON.stringify({ profiles: { default: { apiUrl, adminKey } } }),
  find: (text) => /"adminKey": ?"([^"]*)"/.exec(text)?.[1],
}

/** Puts what it reads into the vault in one step, as a well-behaved command does. */
const store = '#!/bin/sh\ncat >vault.$$ && mv vault.$$ vault\n'
const smoke = '#!/bin/sh\ntest -n "$PICTIFY_API_KEY"\n'

/** By id, into a `.env`. */
export const plain: Variant = {
  name: 'one target',
  line: (old) => ['rotate', old.id, '--to', 'env:.env', ...waits],
  places: [dotEnv],
  exit: 0,
}

export const twoTargets: Variant = {
  name: 'two targets, --verify, --delete',
  line: ({ id }) => {
    const targets = ['--to', 'env:.env', '--to', 'file:secret.txt']
    return ['rotate', id, ...targets, '--verify', './smoke.sh', '--delete', ...waits, '--settle', '500ms']
  },
  // So long that who delivers too early is seen on a slow machine too.
  propagationMs: 450,
  places: [dotEnv, plainFile],
  scripts: { 'smoke.sh': smoke },
  exit: 0,
  deletesOld: true,
}

export const undone: Variant = {
  name: 'a failing --verify',
  line: ({ name }) => ['rotate', name, '--to', 'env:.env', '--verify', './smoke.sh', ...waits],
  places: [dotEnv],
  scripts: { 'smoke.sh': '#!/bin/sh\nexit 1\n' },
  exit: 6,
}

/** As that, where the old secret is given: a machine that finds the successor in the target can undo it too. */
export const undoneElsewhere: Variant = {
  ...undone,
  name: 'a failing --verify, --old-secret-stdin',
  line: (old) => [...undone.line(old), '--old-secret-stdin'],
  input: (old) => old.secret.reveal(),
}

/** Cannot be read back: the application's own use of the successor is the evidence. */
export const writeOnly: Variant = {
  name: 'write-only, --old-secret-stdin',
  line: ({ id }) => ['rotate', id, '--to', 'exec:./store.sh', '--old-secret-stdin', ...waits],
  input: (old) => old.secret.reveal(),
  isOneWay: true,
  places: [vault],
  scripts: { 'store.sh': store },
  exit: 0,
}

export const self: Variant = {
  name: '--self, profile file',
  line: ({ id }) => ['rotate', id, '--self', ...waits],
  places: [profile],
  exit: 0,
  self: true,
}

export const compromised: Variant = {
  name: '--compromised',
  line: ({ name }) => ['rotate', name, '--to', 'env:.env', '--compromised', ...waits],
  places: [dotEnv],
  exit: 0,
  waived: true,
}

import type { Command } from './command.ts'

/** A command as the table knows it before it is loaded; name and summary are those of the command itself. */
export interface CommandEntry {
  name: string
  summary: string
  /** The heading it stands under in help. */
  group: 'Account' | 'Keys' | 'Rotation' | 'Rehearsal' | 'Help'
  load: () => Promise<Command>
}

/** Every command, in the order of the help text. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'login',
    summary: 'prove an admin key against the API, and keep it',
    group: 'Account',
    load: async () => (await import('./login.ts')).login,
  },
  {
    name: 'logout',
    summary: 'forget the kept admin key; the key itself goes on working',
    group: 'Account',
    load: async () => (await import('./logout.ts')).logout,
  },
  {
    name: 'profile',
    summary: 'profiles for several teams: list them, use one by default, delete one',
    group: 'Account',
    load: async () => (await import('./profile.ts')).profile,
  },
  {
    name: 'status',
    summary: 'is everything in order? credential, API, plan, open rotations',
    group: 'Account',
    load: async () => (await import('./status.ts')).status,
  },
  {
    name: 'list',
    summary: 'list keys, filtered and sorted',
    group: 'Keys',
    load: async () => (await import('./list.ts')).list,
  },
  {
    name: 'show',
    summary: 'show one key',
    group: 'Keys',
    load: async () => (await import('./show.ts')).show,
  },
  {
    name: 'create',
    summary: 'create a key; its secret is shown once, or delivered',
    group: 'Keys',
    load: async () => (await import('./create.ts')).create,
  },
  {
    name: 'rename',
    summary: 'give a key another name',
    group: 'Keys',
    load: async () => (await import('./rename.ts')).rename,
  },
  {
    name: 'revoke',
    summary: 'stop keys from working, at once and for good',
    group: 'Keys',
    load: async () => (await import('./revoke.ts')).revoke,
  },
  {
    name: 'delete',
    summary: 'remove revoked keys from the account',
    group: 'Keys',
    load: async () => (await import('./delete.ts')).deleteKeys,
  },
  {
    name: 'usage',
    summary: 'what keys do: requests, errors, latency, and share of the rate limit',
    group: 'Keys',
    load: async () => (await import('./usage.ts')).usage,
  },
  {
    name: 'logs',
    summary: 'the audit log: every request, newest first',
    group: 'Keys',
    load: async () => (await import('./logs.ts')).logs,
  },
  {
    name: 'audit',
    summary: 'what is not in order with the keys, and the command that mends it',
    group: 'Keys',
    load: async () => (await import('./audit.ts')).audit,
  },
  {
    name: 'alerts',
    summary: 'tell people when a key does what the keys file says it should not',
    group: 'Keys',
    load: async () => (await import('./alerts.ts')).alerts,
  },
  {
    name: 'incident',
    summary: 'what a leaked key did, what is unlike its past, and what to do next',
    group: 'Keys',
    load: async () => (await import('./incident.ts')).incident,
  },
  {
    name: 'rotate',
    summary: 'replace a key without downtime: create, deliver, verify, revoke',
    group: 'Rotation',
    load: async () => (await import('./rotate.ts')).rotate,
  },
  {
    name: 'rotations',
    summary: 'rotations of this machine: what is open, and what was done',
    group: 'Rotation',
    load: async () => (await import('./rotations.ts')).rotations,
  },
  {
    name: 'sandbox',
    summary: 'run a local Pictify to rehearse on',
    group: 'Rehearsal',
    load: async () => (await import('./sandbox.ts')).sandbox,
  },
  {
    name: 'explain',
    summary: 'what an error code means, or a rule of audit, and what to do',
    group: 'Help',
    load: async () => (await import('./explain.ts')).explain,
  },
  {
    name: 'completion',
    summary: 'print the script that lets a shell complete commands, flags and keys',
    group: 'Help',
    load: async () => (await import('./completion.ts')).completion,
  },
]

/** Asked by programs, and shown to nobody. */
export const hiddenCommands: readonly CommandEntry[] = [
  {
    name: '__complete',
    summary: 'what a command line can go on with, for the scripts of `completion`',
    group: 'Help',
    load: async () => (await import('./complete.ts')).complete,
  },
]

/** `pictify-keys.yaml` as types alone: the keys a team runs, and how they are watched. Durations are milliseconds. */
import type { KeyType } from '../api/contract.ts'

/** What the file says, with defaults filled in. */
export interface Fleet {
  /** Absolute. */
  path: string
  /** What it is called to people: from the working directory, or as it was named. */
  file: string
  keys: readonly FleetKey[]
  audit: AuditSettings
  alerts: readonly AlertRule[]
  notify: readonly NotifierSettings[]
}

export interface FleetKey {
  /** Id or exact name, as it stands in the file. */
  key: string
  /** Where it stands, counted from 1. */
  line: number
  type: KeyType | undefined
  /** From when on it is due for rotation, and its age a finding. */
  maxAgeMs: number | undefined
  overlapMs: number | undefined
  /** `scheme:place#field`, as `--to` takes it. */
  to: readonly string[]
  verify: string | undefined
}

/** SARIF's words. */
export type Severity = 'error' | 'warning' | 'note'

export interface AuditSettings {
  /** By rule id: another severity than the rule's own, or off; and from when on. */
  rules: Readonly<Record<string, RuleSettings>>
  workingHours: WorkingHours | undefined
  accept: readonly Acceptance[]
}

export interface RuleSettings {
  severity?: Severity | 'off' | undefined
  warnAfterMs?: number | undefined
  errorAfterMs?: number | undefined
  /** From more than this on: a share (0 to 1), how many times what is usual, or a number of keys; the rule says which. */
  warnAbove?: number | undefined
  errorAbove?: number | undefined
  /** What is of fewer requests is no finding. */
  minRequests?: number | undefined
  /** What is meant to be there: user agents, networks, countries or files; the rule says which. */
  ignore?: readonly string[] | undefined
}

/** How each setting may be written; a rule that goes by it says which of them. */
export interface SettingKinds {
  warnAfterMs: 'duration'
  errorAfterMs: 'duration'
  warnAbove: 'share' | 'times' | 'keys'
  errorAbove: 'share' | 'times' | 'keys'
  minRequests: 'requests'
  /** Programs: user agents, and networks they run in. */
  ignore: 'programs' | 'networks' | 'countries' | 'files'
}

/** Local times of day at which keys are expected to be used. */
export interface WorkingHours {
  /** 1 (Monday) to 7. */
  days: readonly number[]
  /** Minutes from midnight; `to` before `from` goes over midnight. */
  from: number
  to: number
  /** IANA: `Europe/Berlin`. */
  timeZone: string
}

/** A finding that is known and meant. */
export interface Acceptance {
  line: number
  rule: string
  /** Id or name; of every key without one. */
  key: string | undefined
  reason: string
  /** Unix ms; for good without one. */
  until: number | undefined
}

export type UsageSpan = '24h' | '7d' | '30d'

/** What fires, of which keys. */
export interface AlertRule {
  /** Unique in the file. */
  name: string
  line: number
  /** Glob over names; every active key without one. */
  keys: string | undefined
  condition: AlertCondition
  /** How long it must be so before it fires, and how long over before that is believed; 0 without. */
  forMs: number
  keepFiringForMs: number
  /** How long after the last message it is told again while it fires; never without. */
  remindAfterMs: number | undefined
  /** Names of notifiers; all without. */
  notify: readonly string[] | undefined
}

export type AlertCondition =
  | { kind: 'requests'; over: number; in: UsageSpan }
  /** `over` is a share, 0 to 1. Of fewer requests than `minRequests` nothing is made. */
  | { kind: 'error-rate'; over: number; in: UsageSpan; minRequests: number }
  | { kind: 'p95'; overMs: number; in: UsageSpan; minRequests: number }
  /** Today's requests against the key's own days. */
  | { kind: 'spike' }
  | { kind: 'new-country' }
  | { kind: 'new-network' }
  | { kind: 'outside-hours' }
  | { kind: 'too-old'; afterMs: number }
  | { kind: 'unused'; forMs: number }

/** Where an alert goes. URLs that let in whoever has them, and secrets, stand in the environment under the names given here. */
export type NotifierSettings = { name: string; line: number } & (
  | { kind: 'slack'; urlEnv: string }
  | { kind: 'webhook'; urlEnv: string; secretEnv: string | undefined }
  | {
      kind: 'email'
      /** `smtp://host:587`, `smtps://host:465`; without user and password. */
      server: string
      from: string
      to: readonly string[]
      userEnv: string | undefined
      passwordEnv: string | undefined
    }
)

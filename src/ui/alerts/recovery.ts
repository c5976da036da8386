import type { AlertIncident, Recovery } from '../../alerts/incident.ts'

const recoveries: Readonly<Record<Recovery, string>> = {
  quiet: 'it is as it is to be',
  'no-longer-new': 'it is no longer new; the key is still used from there',
  'key-revoked': 'the key is revoked',
  'key-gone': 'the key is not in the account any more',
  'key-not-covered': 'the rule is not about the key any more',
  'rule-gone': 'the rule is not in the file any more',
}

/** Why an incident is over. */
export function recoveryText({ recovery }: Pick<AlertIncident, 'recovery'>): string {
  return recoveries[recovery ?? 'quiet']
}

/** With what it was about, whose figures are of when it fired. */
export function overText(incident: Pick<AlertIncident, 'recovery' | 'measured'>): string {
  return `${recoveryText(incident)}; it was: ${incident.measured.message}`
}

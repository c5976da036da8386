// Rules of this file:
// - what is the same finding has the same fingerprint in every run: of its rule and its key or secret, not of what was measured;
// - paths are from the repository's root; none of this machine is in the log;
// - what comes from the server is no link and no placeholder of a message.
import { createHash } from 'node:crypto'
import path from 'node:path'
import type { AuditReport, ReportedFinding } from '../../audit/report.ts'
import type { Severity } from '../../fleet/fleet.ts'
import { oneLine, toJson } from '../text.ts'
import { evidenceLine } from './evidence.ts'
import { aboutOf, acceptanceOf, counted, type AuditSubject } from './subject.ts'

const schema = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json'
const fleetFile = 'pictify-keys.yaml'
/** As code scanning sorts by: 9 and above is critical, 7 high, 4 medium, below low. */
const weights: Readonly<Record<Severity, string>> = { error: '8.0', warning: '5.0', note: '2.0' }

/** The report as SARIF 2.1.0. */
export function auditSarif(subject: AuditSubject): string {
  const { report, version } = subject
  const fingerprints = createFingerprints(subject)
  const index = new Map(report.rules.map(({ id }, at) => [id, at]))
  const results = [...report.findings, ...report.accepted].map((finding) => ({
    ruleId: finding.rule,
    ...(index.has(finding.rule) && { ruleIndex: index.get(finding.rule) }),
    level: finding.severity,
    message: { text: message(sentenceOf(finding)) },
    locations: [locationOf(finding, subject)],
    partialFingerprints: fingerprints(finding),
    ...('reason' in finding && {
      suppressions: [
        { kind: 'external', status: 'accepted', justification: message(String(finding.reason)) },
      ],
    }),
    properties: { evidence: finding.evidence, ...(finding.mend !== null && { mend: finding.mend }) },
  }))
  const log = {
    $schema: schema,
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'pictify-keys',
            version,
            semanticVersion: version,
            informationUri: 'https://pictify.io',
            rules: report.rules.map(ruleOf),
          },
        },
        automationDetails: { id: 'pictify-keys/audit/' },
        invocations: [
          {
            executionSuccessful: true,
            endTimeUtc: report.at,
            toolConfigurationNotifications: notificationsOf(report).map(({ id, rule, level, text }) => ({
              descriptor: { id },
              associatedRule: { id: rule, ...(index.has(rule) && { index: index.get(rule) }) },
              level,
              message: { text: message(text) },
            })),
          },
        ],
        columnKind: 'utf16CodeUnits',
        results,
        properties: { apiUrl: report.apiUrl, summary: report.summary, checklist: report.checklist },
      },
    ],
  }
  return toJson(log, 2)
}

function ruleOf({ id, severity, summary, help }: AuditReport['rules'][number]) {
  return {
    id,
    name: id.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    shortDescription: { text: message(summary) },
    fullDescription: { text: message(help) },
    help: { text: message(help) },
    defaultConfiguration: { level: severity },
    properties: { tags: ['security', 'api-keys'], precision: 'high', 'security-severity': weights[severity] },
  }
}

/** What the report does not know, and what the keys file accepts in vain. */
function notificationsOf({ skipped, leftOut, idleAcceptances }: AuditReport) {
  return [
    ...skipped.map(({ rule, why }) => ({
      id: 'rule-skipped',
      rule,
      level: 'warning',
      text: `${rule} was skipped, it neither passed nor failed: ${why}`,
    })),
    ...leftOut.map(({ rule, keys, why }) => ({
      id: 'keys-left-out',
      rule,
      level: 'note',
      text: `${rule} knows nothing of ${counted(keys, 'key')}: ${why}`,
    })),
    ...idleAcceptances.map((each) => ({
      id: 'acceptance-idle',
      rule: each.rule,
      level: 'note',
      text: `${acceptanceOf(each)}: ${each.why}`,
    })),
  ]
}

function sentenceOf(finding: ReportedFinding): string {
  const evidence = evidenceLine(finding.evidence)
  const mend = finding.mend === null ? '' : ` What mends it: ${finding.mend}`
  return `${aboutOf(finding)}: ${finding.message}.${evidence === '' ? '' : ` Evidence: ${evidence}.`}${mend}`
}

/** A plain text message: what would be a link or a placeholder in it is broken by a blank, so that it can still be read. */
function message(text: string): string {
  return oneLine(text)
    .replaceAll('](', '] (')
    .replaceAll(/\{(?=\d+\})/g, '{ ')
}

/** Code scanning wants a line of a file: a key's is that of the keys file that names it, and its first where none does. */
function locationOf({ key, place }: ReportedFinding, { survey, cwd, root }: AuditSubject) {
  const fleet = survey.fleet.known ? survey.fleet.value : undefined
  const named = fleet?.keys.find((each) => key !== null && (each.key === key.id || each.key === key.name))
  const file = fleet?.path ?? path.join(root, fleetFile)
  return {
    physicalLocation: {
      artifactLocation: {
        uri: place === null ? uriOf(file, root) : placeUri(place, { cwd, root }),
        uriBaseId: '%SRCROOT%',
      },
      region: { startLine: place?.line ?? named?.line ?? 1 },
    },
    ...(key !== null && {
      logicalLocations: [{ name: oneLine(key.name), fullyQualifiedName: key.id, kind: 'resource' }],
    }),
  }
}

function placeUri(
  { file }: NonNullable<ReportedFinding['place']>,
  { cwd, root }: Pick<AuditSubject, 'cwd' | 'root'>,
): string {
  return uriOf(path.resolve(cwd, file), root)
}

/** From the root; of a file outside of it its name alone. */
function uriOf(file: string, root: string): string {
  const relative = path.relative(root, file)
  const isInside = relative !== '' && !relative.startsWith('..') && !path.isAbsolute(relative)
  const segments = isInside ? relative.split(path.sep) : [path.basename(file)]
  return segments.map((segment) => encodeURIComponent(segment)).join('/')
}

/**
 * Tells findings of a rule and a key apart by their order alone. Without a fingerprint of that name code scanning makes one
 * of the line's text, and takes all that is found of one line for the same.
 */
function createFingerprints(subject: AuditSubject) {
  const seen = new Map<string, number>()
  return ({ rule, key, place, evidence }: ReportedFinding) => {
    const { secret, wanted, type } = evidence
    const own = String(secret ?? wanted ?? type ?? '')
    const which =
      key === null || secret !== undefined
        ? `${place === null ? '' : placeUri(place, subject)}\n${own}`
        : key.id
    const hash = createHash('sha256').update(`${rule}\n${which}`).digest('hex').slice(0, 16)
    const count = (seen.get(hash) ?? 0) + 1
    seen.set(hash, count)
    return { primaryLocationLineHash: `${hash}:${count}`, 'pictifyKeysFinding/v1': `${hash}:${count}` }
  }
}

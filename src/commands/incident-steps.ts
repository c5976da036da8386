import type { Client, Key } from '../api/contract.ts'
import { entryOf } from '../audit/fleet-keys.ts'
import type { Incident } from '../audit/incident.ts'
import type { NextStep } from '../audit/incident-report.ts'
import type { Context } from '../context.ts'
import { rotateWords } from '../audit/rotate-line.ts'
import type { Fleet, FleetKey } from '../fleet/fleet.ts'
import { commandLine, whoseKeys } from '../command-line.ts'
import { readJournals } from './incident-reading.ts'
import { lastPlaces } from './last-places.ts'
import { ownKeyIdAmong } from './own-key.ts'

/** So many networks are named in a line. */
const mostNetworks = 5

/** A whole line of this program. */
type Line = (name: string, ...words: string[]) => string

interface Known {
  incident: Incident
  fleet: Fleet | undefined
  /** Whether the report is not yet in a file that can be kept. */
  isToKeep: boolean
}

/** What to do next, first what stops it: each a line that means the same account when it is pasted elsewhere. */
export async function nextSteps(
  context: Context,
  api: Client,
  { incident, fleet, isToKeep }: Known,
): Promise<NextStep[]> {
  const whose = await whoseKeys(context)
  const line: Line = (name, ...words) => commandLine(context, name, words, {}, {}, whose)
  const { keyId, key } = incident
  const since = incident.since.replace(/\.\d+Z$/, 'Z')
  const steps: NextStep[] = []

  if (key?.status === 'active') steps.push(...(await stoppingSteps(context, api, incident, fleet, line)))
  if (incident.audit !== null && incident.audit.since > 0) {
    const file = `${fileName(keyId)}.ndjson`
    const from = networksOf(incident).flatMap((network) => ['--ip', network])
    steps.push({
      what:
        from.length > 0
          ? 'keep every request from the networks never seen before'
          : 'keep every request since',
      command: line('logs', keyId, '--since', since, ...from, '--format', 'ndjson', '--out', file),
    })
  }
  if (key?.access === 'admin') {
    steps.push({
      what: 'look for keys that are none of yours: an admin key can create them',
      command: line('list', '--sort', 'created', '--limit', '20'),
    })
  }
  steps.push({
    what: 'see whether it lies in the repository, from its folder',
    command: line('audit', '--rule', 'secret-in-tree', '--probe'),
  })
  if (isToKeep) {
    steps.push({
      what:
        incident.audit === null ? 'keep this report' : 'keep this report: the audit log is not kept for ever',
      command: line(
        'incident',
        keyId,
        '--since',
        since,
        '--format',
        'html',
        '--out',
        `${fileName(keyId)}.html`,
      ),
    })
  }
  return steps
}

/** What ends the use of a key that still works, and gives applications another one. */
async function stoppingSteps(
  context: Context,
  api: Client,
  incident: Incident,
  fleet: Fleet | undefined,
  line: Line,
): Promise<NextStep[]> {
  const { keyId, key, strangers, spent } = incident
  const places = await placesOf(context, api, incident, fleet)
  const rotate = (...flags: string[]) => {
    const [name = '', ...words] = rotateWords(keyId, places, flags)
    return line(name, ...words)
  }
  const isOwn = key?.access === 'admin' ? await isOwnKey(context, api, keyId) : false
  const itself = {
    what: 'replace the admin key in use, without losing it',
    command: rotate('--self', '--compromised'),
  }
  if (isOwn === true) return [itself]
  if (isOwn === 'unknown') {
    return [
      { ...itself, what: 'replace it, if it is the admin key in use: the API does not tell' },
      {
        what: 'or, if it is another admin key, with its secret on stdin, which tells the two apart',
        command: `${rotate('--compromised', '--old-secret-stdin')} < leaked.txt`,
      },
    ]
  }
  const stop = {
    what: 'stop it now; applications are refused until they have the new key',
    command: rotate('--compromised', '--revoke-first'),
  }
  const swap = {
    what: 'replace it without a refused request; it works until the new one is proved',
    command: rotate('--compromised'),
  }
  // downtime is advised on more than novelty: machines move, and programs change
  const [first, second] = strangers === true ? [stop, swap] : [swap, stop]
  const isNew = (spent.unseen?.requests ?? 0) > 0
  return [
    { ...first, what: `${first.what}${isNew ? ' (there are callers not seen before)' : ''}` },
    { ...second, what: `or ${second.what}` },
    { what: 'or, with no time for either, one request', command: line('revoke', keyId) },
  ]
}

/** Whether an admin key is the one in use; without an audit log it is where there is no other. */
async function isOwnKey(context: Context, api: Client, keyId: string): Promise<boolean | 'unknown'> {
  const keys: Key[] = []
  for await (const page of api.keys.listByPage({}, { signal: context.signal, patient: true }))
    keys.push(...page)
  const own = await ownKeyIdAmong(context, api, keys)
  return own === undefined ? 'unknown' : own === keyId
}

/** Where the key is kept: as pictify-keys.yaml says, or where the rotation of this machine that made it put it. */
async function placesOf(
  context: Context,
  api: Client,
  { keyId, key }: Incident,
  fleet: Fleet | undefined,
): Promise<Partial<Pick<FleetKey, 'to' | 'verify'>>> {
  const known = fleet && entryOf({ id: keyId, name: key?.name ?? '' }, fleet)
  if (known !== undefined && known.to.length > 0) return known
  return { to: lastPlaces(await readJournals(context, api), keyId, context)?.to }
}

/** As `--ip` takes them: `203.0.113.0/24`. */
function networksOf({ unlike }: Incident): string[] {
  return unlike
    .filter(({ kind }) => kind === 'network')
    .slice(0, mostNetworks)
    .map(({ value }) => value)
}

function fileName(keyId: string): string {
  return `incident-${keyId.replaceAll(/[^\w-]/g, '_')}`
}

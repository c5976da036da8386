import type { Client } from '../api/contract.ts'
import type { Incident } from '../audit/incident.ts'
import type { NextStep } from '../audit/incident-report.ts'
import type { Context } from '../context.ts'
import type { Fleet } from '../fleet/fleet.ts'
import { commandLine, whoseKeys } from '../command-line.ts'
import { readJournals } from './incident-reading.ts'
import { lastPlaces } from './last-places.ts'
import { ownKeyId } from './own-key.ts'

/** So many networks are named in a line. */
const mostNetworks = 5

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
  const line = (name: string, ...words: string[]) => commandLine(context, name, words, {}, {}, whose)
  const { keyId, key } = incident
  const since = incident.since.replace(/\.\d+Z$/, 'Z')
  const isUsed = (incident.spent.unseen?.requests ?? 0) > 0
  const steps: NextStep[] = []

  if (key?.status === 'active') {
    const isOwn = key.access === 'admin' && (await ownKeyId(context, api)) === keyId
    const places = await placesOf(context, api, incident, fleet)
    const rotate = isOwn ? ['--self', '--compromised'] : [keyId, '--compromised']
    if (isOwn) {
      steps.push({
        what: 'replace the admin key in use, without losing it',
        command: line('rotate', ...rotate, ...places),
      })
    } else {
      const stop = {
        what: 'stop it now; applications are refused until they have the new key',
        words: [...rotate, '--revoke-first', ...places],
      }
      const swap = {
        what: 'replace it without a refused request; it works until the new one is proved',
        words: [...rotate, ...places],
      }
      const [first, second] = isUsed ? [stop, swap] : [swap, stop]
      steps.push(
        {
          what: `${first.what}${isUsed ? ' (somebody else uses it)' : ''}`,
          command: line('rotate', ...first.words),
        },
        { what: `or ${second.what}`, command: line('rotate', ...second.words) },
        { what: 'or, with no time for either, one request', command: line('revoke', keyId) },
      )
    }
  }
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
      what: 'keep this report: the audit log is not kept for ever',
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

/** Where the key is kept: as pictify-keys.yaml says, or where the rotation of this machine that made it put it. */
async function placesOf(
  context: Context,
  api: Client,
  { keyId, key }: Incident,
  fleet: Fleet | undefined,
): Promise<string[]> {
  const known =
    fleet?.keys.find((each) => each.key === keyId) ?? fleet?.keys.find((each) => each.key === key?.name)
  const verify = known?.verify === undefined ? [] : ['--verify', known.verify]
  if (known !== undefined && known.to.length > 0)
    return [...known.to.flatMap((place) => ['--to', place]), ...verify]
  const last = lastPlaces(await readJournals(context, api), keyId, context)
  return (last?.to ?? []).flatMap((place) => ['--to', place])
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

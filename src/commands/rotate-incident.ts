import type { Client } from '../api/contract.ts'
import { commandLine, whoseKeys } from '../command-line.ts'
import type { Context } from '../context.ts'
import type { Receipt } from '../rotation/state.ts'
import { incidentDigest } from '../ui/incident/text.ts'
import { outcomeSentence } from '../ui/rotation.ts'
import { incidentOfRotated } from './incident-reading.ts'

/**
 * The receipt of a rotation of a leaked key, and below it what that key did. Reading that may take minutes: for people the
 * receipt is printed before; one JSON document has both, and its receipt also where the reading is interrupted, of which
 * the process dies when all is printed.
 */
export async function showWithIncident(context: Context, api: Client, receipt: Receipt): Promise<void> {
  const { out } = context
  const { id } = receipt.oldKey
  const rotation = { rotation: receipt }
  if (!out.json) out.result(rotation, (safe) => outcomeSentence(safe.rotation))
  const incident = await incidentOfRotated(context, api, id)
  const whole = commandLine(context, 'incident', [id], {}, {}, await whoseKeys(context))
  if (out.json) out.result({ ...rotation, incident }, () => '')
  else if (incident === null) out.say(`what it did: ${whole}`)
  else out.result(incident, (safe) => `\n${incidentDigest(safe, whole, out)}`)
}

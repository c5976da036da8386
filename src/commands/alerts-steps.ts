import type { Context } from '../context.ts'
import type { AlertCondition } from '../fleet/fleet.ts'
import { commandLine, whoseKeys } from '../command-line.ts'

/** The command lines that whoever is told goes on with. */
export async function nextSteps(
  context: Context,
): Promise<(kind: AlertCondition['kind'] | undefined, keyId: string) => string[]> {
  const whose = await whoseKeys(context)
  const line = (command: string, ...words: string[]) => commandLine(context, command, words, {}, {}, whose)
  return (kind, id) => {
    switch (kind) {
      case 'too-old':
        return [line('rotate', id)]
      case 'unused':
        return [line('show', id), line('revoke', id)]
      case 'error-rate':
      case 'p95':
        return [line('usage', id), line('incident', id)]
      case 'requests':
      case 'spike':
      case 'new-country':
      case 'new-network':
      case 'outside-hours':
      case undefined:
        return [line('incident', id), line('rotate', id, '--compromised')]
    }
  }
}

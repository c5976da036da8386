import type { Context } from '../context.ts'
import type { Key } from '../api/contract.ts'
import { entryOf } from '../audit/fleet-keys.ts'
import { rotateWords } from '../audit/rotate-line.ts'
import type { AlertCondition, Fleet } from '../fleet/fleet.ts'
import { commandLine, whoseKeys } from '../command-line.ts'
import { ownKeyId } from './own-key.ts'

/** The command lines that whoever is told goes on with. */
export async function nextSteps(
  context: Context,
  fleet: Fleet,
): Promise<(kind: AlertCondition['kind'] | undefined, key: Pick<Key, 'id' | 'name'>) => string[]> {
  const whose = await whoseKeys(context)
  const own = await ownKeyId(context, await context.api())
  const line = (command: string, ...words: string[]) => commandLine(context, command, words, {}, {}, whose)
  return (kind, key) => {
    const { id } = key
    const rotate = (...flags: string[]) => {
      const self = id === own ? ['--self'] : []
      const [name = '', ...words] = rotateWords(id, entryOf(key, fleet), [...self, ...flags])
      return line(name, ...words)
    }
    switch (kind) {
      case 'too-old':
        return [rotate()]
      case 'unused':
        // the key that the check is made with would lock out who pastes it
        return [line('show', id), ...(id === own ? [] : [line('revoke', id)])]
      case 'error-rate':
      case 'p95':
        return [line('usage', id), line('incident', id)]
      case 'requests':
      case 'spike':
      case 'new-country':
      case 'new-network':
      case 'outside-hours':
      case undefined:
        return [line('incident', id), rotate('--compromised')]
    }
  }
}

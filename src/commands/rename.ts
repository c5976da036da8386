import { KeysError } from '../errors.ts'
import { parseMark } from '../rotation/marked-name.ts'
import { oneKey } from './chosen-keys.ts'
import { defineCommand } from './command.ts'
import { missingArgument } from '../flags.ts'
import { keyName } from './key-names.ts'
import { warnOfNamesakes } from './namesakes.ts'

const args = [
  { name: 'key', summary: 'key id or name; asked for at a terminal', optional: true },
  { name: 'name', summary: 'its new name, 1 to 100 characters; asked for at a terminal', optional: true },
] as const

export const rename = defineCommand({
  name: 'rename',
  summary: 'give a key another name',
  args,
  examples: ['pictify-keys rename "Key 1" "Production Server"', 'pictify-keys rename'],

  async run(context, { key, name: typed }) {
    const { out, signal } = context
    if (typed !== undefined) await keyName(context, typed, '')
    else if (!out.interactive) throw missingArgument('rename', args, key === undefined ? 'key' : 'name')
    const api = await context.api()
    const { key: found, active } = await oneKey(context, api, key, 'Which key gets another name?')
    if (parseMark(found.name)) {
      throw new KeysError(
        'usage',
        `${found.id} is being put in the place of another key, and its name says so`,
        {
          hint: 'finish that rotation first: pictify-keys rotations',
        },
      )
    }
    const name = typed ?? (await keyName(context, undefined, 'What is its new name?', found.name))
    await warnOfNamesakes(context, api, name, { own: found.id, active })
    const apiKey = await api.keys.rename(found.id, name, { signal })
    out.result({ apiKey }, (data) => `renamed ${data.apiKey.id} to "${data.apiKey.name}"`)
  },
})

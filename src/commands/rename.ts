import { checkName } from '../api/name.ts'
import { KeysError } from '../errors.ts'
import { parseMark } from '../rotation/marked-name.ts'
import { defineCommand } from './command.ts'

export const rename = defineCommand({
  name: 'rename',
  summary: 'give a key another name',
  args: [
    { name: 'key', summary: 'key id or name' },
    { name: 'name', summary: 'its new name, 1 to 100 characters' },
  ],
  examples: ['pictify-keys rename "Key 1" "Production Server"'],

  async run({ api, out, signal }, { key, name }) {
    checkName(name)
    const { keys } = await api()
    const found = await keys.find(key, { signal })
    if (parseMark(found.name)) {
      throw new KeysError(
        'usage',
        `${found.id} is being put in the place of another key, and its name says so`,
        {
          hint: 'finish that rotation first: pictify-keys rotations',
        },
      )
    }
    if (parseMark(name)) {
      throw new KeysError('invalid-name', 'the name is of the form that marks a rotation', {
        hint: 'choose another',
      })
    }
    const apiKey = await keys.rename(found.id, name, { signal })
    out.result({ apiKey }, (data) => `renamed ${data.apiKey.id} to "${data.apiKey.name}"`)
  },
})

import { expect, test } from 'vitest'
import { colours } from '../../src/ui/colours.ts'
import { plain } from '../../src/ui/paint.ts'
import { renderTable } from '../../src/ui/table.ts'
import { inWholeWords } from '../../src/ui/whole-words.ts'
import { fc } from '../property.ts'

const rows = (line: string, columns = 40) => inWholeWords(line, columns).split('\n')

test.each([
  ['a line that fits is as it is', '  created  key_1', ['  created  key_1']],
  [
    'what is below the first row stands in',
    'error: 2 keys have the name "Test", and which is meant is not guessed',
    ['error: 2 keys have the name "Test", and', '  which is meant is not guessed'],
  ],
  [
    'or where the line begins',
    '    a key that has been created just now, and is new',
    ['    a key that has been created just', '    now, and is new'],
  ],
  [
    'or below the text of a label',
    '  old key   key_4f8s2k1n9d0q is revoked, and gone for good',
    ['  old key   key_4f8s2k1n9d0q is revoked,', '            and gone for good'],
  ],
  [
    'but not in half of the terminal',
    'warning  a wide label  and what there is to be said of it',
    ['warning  a wide label  and what there is', '  to be said of it'],
  ],
  [
    'wide characters take two places',
    '日本語 の キー が ここ に あり ます から 何か を',
    ['日本語 の キー が ここ に あり ます から', '  何か を'],
  ],
])('%s', (_, line, expected) => {
  expect(rows(line)).toEqual(expected)
})

test.each([
  ['see https://api.pictify.example/a/path/that/is/longer/than/a/row for it', /^ {2}https:\S+row$/],
  ['its secret: pk_live_0123456789abcdefghijklmnopqrstuvwxyz0123', /^ {2}pk_live_\w+$/],
  [
    "  pictify-keys rotate 'Production Server' --to 'env:.env#PICTIFY_API_KEY' --verify ./smoke-test.sh",
    /^ {2}pictify-keys .*smoke-test\.sh$/,
  ],
  [
    'go on later: pictify-keys rotate Server --resume --wait 10m --verify "a b"',
    /^ {2}pictify-keys .*"a b"$/,
  ],
  ['    $ pictify-keys rotate "Production Server" --to env:.env --overlap 1h', /^ {4}\$ pictify-keys .*1h$/],
  ['or replace it with pictify-keys rotate key_abc --self, which is long', / {2}pictify-keys .*--self,$/],
  ['there is one: pictify-keys profile use production; or else name one', / {2}pictify-keys .*production;$/],
])('what is to be copied is whole: %s', (line, expected) => {
  expect(rows(line)).toContainEqual(expect.stringMatching(expected))
})

test('prose that begins with a command is prose', () => {
  expect(rows('  pictify-keys list shows the ids and names of all keys')).toEqual([
    '  pictify-keys list shows the ids and',
    '  names of all keys',
  ])
})

test('colours take no place', () => {
  const line = colours.dim('a line of just about forty characters') + colours.red(' so.')
  expect(rows(line, 41)).toEqual([line])
})

test('a row of a table, which fits, is not broken, whatever it is written in', () => {
  const sign = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 1 }),
    fc.constantFrom(' ', '👨‍👩‍👧', '👍🏽', '🇩🇪', '1️⃣', '한', 'ไ', 'é', 'ｱ', '﷽'),
  )
  const names = fc.array(sign, { maxLength: 60 }).map((signs) => signs.join(''))
  fc.assert(
    fc.property(fc.array(names, { minLength: 1, maxLength: 5 }), (rowsOf) => {
      const columns = [
        { head: 'NAME', value: (name: string) => name, flexible: true },
        { head: 'TYPE', value: () => 'live' },
      ]
      const table = renderTable(columns, rowsOf, { width: 40, paint: plain })
      for (const line of table.split('\n')) expect(rows(line)).toEqual([line])
    }),
    { numRuns: 500 },
  )
})

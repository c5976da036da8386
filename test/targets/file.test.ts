import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseTarget } from '../../src/targets/index.ts'
import { failure, old, successor } from './contract.ts'
import { testDeps } from './deps.ts'
import { describeFileTarget, temporaryFolder } from './file-contract.ts'

describeFileTarget({
  spec: 'file:key.txt',
  file: 'key.txt',
  holding: {
    'the value alone': old.reveal(),
    'the value and a newline': `${old.reveal()}\n`,
    'the value and a Windows newline': `${old.reveal()}\r\n`,
  },
  absent: { 'no file': undefined },
})

describe('what it holds', () => {
  const folder = temporaryFolder()
  const target = () => parseTarget('file:key.txt', testDeps(folder()))
  const put = (text: string) => writeFile(join(folder(), 'key.txt'), text, 'latin1')

  test('an empty file holds an empty value, which comes back', async () => {
    await put('')
    const held = await target().read()
    expect(held?.value.reveal()).toBe('')
    await target().write(successor, held)
    await target().restore(held, successor)
    expect((await target().read())?.value.reveal()).toBe('')
  })

  test('a space is a part of it', async () => {
    await put(' x \n')
    expect((await target().read())?.value.reveal()).toBe(' x ')
  })

  test.each([
    ['A=1\nPICTIFY_API_KEY=x\n', 'use env:<path>#A'],
    ['export PICTIFY_API_KEY=x', 'use env:<path>#PICTIFY_API_KEY'],
    ['one\ntwo\n', 'name a file that holds the key and nothing else'],
    ['x\n\n', 'name a file that holds the key and nothing else'],
    ['\xff', 'name a file that holds the key and nothing else'],
    ['x'.repeat(300_000), 'see whether it is the file you meant'],
  ])('%#: what is no key file is refused, so that it is not lost', async (text, hint) => {
    await put(text)
    const calls = [() => target().check(), () => target().read(), () => target().write(successor, undefined)]
    for (const call of calls) {
      expect(await failure(call())).toMatchObject({ code: 'target-refused', hint })
    }
  })
})

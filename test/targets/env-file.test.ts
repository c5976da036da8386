import dotenv from 'dotenv'
import { describe, expect, test } from 'vitest'
import { KeysError } from '../../src/errors.ts'
import { Secret } from '../../src/secret.ts'
import { getVariable, putBackVariable, removeVariable, setVariable } from '../../src/targets/env-file.ts'

const name = 'PICTIFY_API_KEY'
const old = 'pk_live_OldOldOldOldOld1'
const successor = new Secret('pk_live_NewNewNewNewNew2')

const bytes = (text: string) => Buffer.from(text)
const get = (text: string) => getVariable(bytes(text), name)?.value.reveal()
const set = (text: string, secret = successor) => setVariable(bytes(text), name, secret).toString()

function refused(work: () => unknown): KeysError {
  try {
    work()
  } catch (error) {
    expect(error).toBeInstanceOf(KeysError)
    expect(error).toMatchObject({ code: 'target-refused' })
    expect((error as KeysError).hint).toBeTruthy()
    return error as KeysError
  }
  throw new Error('it was not refused')
}

describe('keeps every other byte', () => {
  test.each([
    ['plain', `${name}=OLD\n`],
    ['no final newline', `A=1\n${name}=OLD`],
    ['export', `export ${name}=OLD\n`],
    ['indented export', `  export   ${name}=OLD\n`],
    ['spaces around =', `${name} =  OLD  \n`],
    ['a colon', `${name}: OLD\n`],
    ['double quotes', `${name}="OLD"\n`],
    ['single quotes', `${name}='OLD'\n`],
    ['backticks', `${name}=\`OLD\`\n`],
    ['a comment behind it', `${name}=OLD # the key\n`],
    ['a comment behind quotes', `${name}="OLD"   # the "key"\n`],
    ['CRLF', `A=1\r\n${name}=OLD\r\nB=2\r\n`],
    ['CR alone', `A=1\r${name}=OLD\rB=2\r`],
    ['mixed line ends', `A=1\r\n${name}=OLD\nB=2\r\n\n`],
    ['a BOM', `\ufeff${name}=OLD\n`],
    ['a BOM and a comment', `\ufeff# é\n${name}=OLD\n`],
    ['comments that name it', `# ${name}=x\n#${name}=y\n${name}=OLD\n # ${name}="z\n`],
    ['longer and shorter names', `X_${name}=1\n${name}_2=2\n${name}=OLD\nPICTIFY=3\n`],
    ['several lines in another value', `A="one\n${name}=not this\ntwo"\n${name}='OLD'\nB=\`x\ny\`\n`],
    ['CRLF within another value', `A="one\r\ntwo"\r\n${name}=OLD\r\n`],
    ['the same value elsewhere', `A=OLD\n${name}=OLD\nB=OLD\n`],
    ['lines that are no assignments', `hello\n= 5\n\t\n${name}=OLD\nset -e\n`],
    ['an unterminated quote behind it', `${name}=OLD\nA="x\n`],
    ['wide characters', `A=é€😀\u2028\n${name}=OLD # 😀\nB=日本\n`],
  ])('%s', (_what, template) => {
    const before = template.replaceAll('OLD', old)
    // Where the old value stands more than once only one of them is ours.
    const place = /PICTIFY_API_KEY[ =:"'`]*OLD/.exec(template)
    const start = (place?.index ?? 0) + (place?.[0].length ?? 3) - 3
    const head = template.slice(0, start).replaceAll('OLD', old)
    const tail = template.slice(start + 3).replaceAll('OLD', old)

    const held = getVariable(bytes(before), name)
    expect(held?.value.reveal()).toBe(old)
    expect(dotenv.parse(before)[name]).toBe(old)
    const after = setVariable(bytes(before), name, successor)
    expect(after.toString()).toBe(head + successor.reveal() + tail)
    expect(dotenv.parse(after)[name]).toBe(successor.reveal())
    expect(held && putBackVariable(after, name, held).toString()).toBe(before)
  })

  test('bytes that are not UTF-8', () => {
    const before = Buffer.concat([
      Buffer.from('A=\xff\xfe\xc3(\xf0\x90\x80 \xe2\x80\n# \xa0\x85\n', 'latin1'),
      bytes(`${name}='${old}'\n`),
      Buffer.from('B="\x80\xc0\xaf"\n', 'latin1'),
    ])
    const after = setVariable(before, name, successor)
    const expected = before.toString('latin1').replace(old, successor.reveal())
    expect(after.toString('latin1')).toBe(expected)
  })
})

describe('an empty value', () => {
  test.each([
    [`${name}=`, `${name}=NEW`],
    [`${name}=\nA=1\n`, `${name}=NEW\nA=1\n`],
    [`${name}=  # fill in\n`, `${name}=NEW  # fill in\n`],
    [`${name}=""\n`, `${name}="NEW"\n`],
    [`A=1\n${name} =\r\nB=2`, `A=1\n${name} =NEW\r\nB=2`],
  ])('%j is held, filled and emptied again', (before, after) => {
    const held = getVariable(bytes(before), name)
    expect(held?.value.reveal()).toBe('')
    expect(set(before)).toBe(after.replace('NEW', successor.reveal()))
    expect(held && putBackVariable(bytes(set(before)), name, held).toString()).toBe(before)
  })
})

describe('a variable that is not there', () => {
  test.each([
    ['', `${name}=NEW`],
    ['A=1\n', `A=1\n${name}=NEW\n`],
    ['A=1', `A=1\n${name}=NEW`],
    ['A=1\r\nB=2\r\n', `A=1\r\nB=2\r\n${name}=NEW\r\n`],
    ['A=1\r\nB=2', `A=1\r\nB=2\r\n${name}=NEW`],
    ['\n', `\n${name}=NEW\n`],
    ['\ufeff', `\ufeff\n${name}=NEW`],
    [`#${name}=x\n`, `#${name}=x\n${name}=NEW\n`],
    [`A="x\n${name}=inside\n"\n`, `A="x\n${name}=inside\n"\n${name}=NEW\n`],
  ])('%j is appended to, and restored', (before, after) => {
    expect(get(before)).toBeUndefined()
    expect(set(before)).toBe(after.replace('NEW', successor.reveal()))
    expect(removeVariable(bytes(set(before)), name).toString()).toBe(before)
    expect(removeVariable(bytes(before), name).toString()).toBe(before)
  })

  test('a line that was edited since is not removed', () => {
    for (const line of [`export ${name}=x`, `${name}=x # mine`, ` ${name}=x`]) {
      expect(refused(() => removeVariable(bytes(`A=1\n${line}\n`), name)).message).toBe(
        'line 2 was edited after it was added',
      )
    }
  })
})

describe('refuses', () => {
  test.each([
    [`A=1\n\n${name}=a\n#\n${name}=b`, `holds ${name} twice, on lines 3 and 5`],
    [`${name}=a\n${name}=a\nexport ${name}=a`, `holds ${name} 3 times, on lines 1, 2 and 3`],
    [`${name}="abc\n`, 'the quote opened on line 1 is never closed'],
    [`A='x\nB=1\n${name}=abc\n`, 'the quote opened on line 1 is never closed'],
    [`B=1\nA="x\n`, 'the quote opened on line 2 is never closed'],
    [`${name}="a" b\n`, `the value of ${name} on line 1 goes on after its closing quote`],
    [`${name}="a"b"\n`, `the value of ${name} on line 1 goes on after its closing quote`],
    [`${name}="a\nb"\n`, `the value of ${name} on line 1 has several lines`],
    [`${name}=\n"a"\n`, `the value of ${name} on line 1 begins on the next line`],
    [`${name}=\n  "a"\n`, `the value of ${name} on line 1 begins on the next line`],
    [`${name}=$OTHER\n`, `the value of ${name} on line 1 refers to other variables by $`],
    [`${name}="\${OTHER}"\n`, `the value of ${name} on line 1 refers to other variables by $`],
    [
      `${name}="a\\nb"\n`,
      `the value of ${name} on line 1 has backslash escapes, which programs read differently`,
    ],
    [
      `${name}=abc#def\n`,
      `the value of ${name} on line 1 has a # right behind it, which some programs read as a part of it`,
    ],
    [
      `${name}=abc#def`,
      `the value of ${name} on line 1 has a # right behind it, which some programs read as a part of it`,
    ],
    [
      `${name}=#def\n`,
      `the value of ${name} on line 1 has a # right behind it, which some programs read as a part of it`,
    ],
    [`A="\n${name}=x\0`, 'it is not UTF-8 text'],
  ])('%j', (text, message) => {
    expect(refused(() => getVariable(bytes(text), name)).message).toBe(message)
    refused(() => setVariable(bytes(text), name, successor))
  })

  test('UTF-16, and a value that is not UTF-8', () => {
    refused(() => getVariable(Buffer.from(`\ufeffA=1\n`, 'utf16le'), name))
    expect(refused(() => getVariable(Buffer.from(`${name}=a\xff`, 'latin1'), name)).message).toMatch(
      /is not UTF-8 text$/,
    )
  })

  test('all of it at once', () => {
    const { message, hint } = refused(() => getVariable(bytes(`A="x\n${name}=a\n${name}=b\n`), name))
    expect(message).toBe(`holds ${name} twice, on lines 2 and 3; the quote opened on line 1 is never closed`)
    expect(hint).toBe('keep one of its lines and remove the others; close it')
  })

  test('a secret that no quoting can hold, without showing it', () => {
    const { message } = refused(() => set(`${name}=a`, new Secret(`a"b'c$d`)))
    expect(message).toBe(`the new value of ${name} cannot be written on one line of it`)
    for (const value of ['', 'a\nb', 'a\\b', 'a\u0007']) refused(() => set('', new Secret(value)))
  })
})

test.each([
  [`${name}=a`, 'a#b', `${name}="a#b"`],
  [`${name}=a`, 'a"b', `${name}='a"b'`],
  [`${name}=a`, 'a$b', `${name}='a$b'`],
  [`${name}="a"`, 'a"b', `${name}='a"b'`],
  [`${name}='a'`, "a'b", `${name}="a'b"`],
  [`${name}=\`a\``, 'a`b', `${name}='a\`b'`],
  [`${name}="a"`, 'a b', `${name}="a b"`],
])('%j with %j: the quoting changes only where it must, and back again', (before, value, after) => {
  const held = getVariable(bytes(before), name)
  const edited = setVariable(bytes(before), name, new Secret(value))
  expect(edited.toString()).toBe(after)
  expect(dotenv.parse(edited)[name]).toBe(value)
  expect(held && putBackVariable(edited, name, held).toString()).toBe(before)
})

test('a value that comes without a note is quoted as the line is', () => {
  expect(putBackVariable(bytes(`${name}='x' # c`), name, { value: new Secret(old) }).toString()).toBe(
    `${name}='${old}' # c`,
  )
  refused(() => putBackVariable(bytes('A=1'), name, { value: new Secret(old) }))
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { KeysError } from '../../src/errors.ts'
import { parseJsonFields, refuseObject } from '../../src/targets/json-field.ts'

const fields = (text: string) => parseJsonFields(text, 'gcp-sm:x')
function refused(work: () => unknown): KeysError {
  try {
    work()
  } catch (error) {
    expect(error).toBeInstanceOf(KeysError)
    return error as KeysError
  }
  throw new Error('it was not refused')
}

const spaced = `\r\n{ "a" : 1e3,\n\t"nested": {"key": "inner", "list": [1, "}", {"key": 2}]},\n\t"key" :  "old\\u00e9\\n"\n}\n`

describe('a field', () => {
  test('is found at the top alone', () => {
    expect(fields(spaced).get('key')).toBe('oldé\n')
    expect(fields(spaced).names).toEqual(['a', 'nested', 'key'])
    expect(fields('{"nested":{"key":"inner"}}').get('key')).toBeUndefined()
    expect(fields('{}').get('toString')).toBeUndefined()
    expect(fields('{"__proto__":"x"}').get('__proto__')).toBe('x')
    expect(fields('{"k\\u0065y":"x"}').get('key')).toBe('x')
  })

  test('of any kind is given as it is written', () => {
    expect(fields(spaced).text('a')).toBe('1e3')
    expect(fields(spaced).text('nested')).toBe('{"key": "inner", "list": [1, "}", {"key": 2}]}')
    expect(fields('{"n" : 12345678901234567890 }').text('n')).toBe('12345678901234567890')
    expect(fields('{}').text('n')).toBeUndefined()
  })

  test('is changed where it stands, and nothing else is', () => {
    expect(fields(spaced).set('key', 'a"b\\')).toBe(spaced.replace('"old\\u00e9\\n"', '"a\\"b\\\\"'))
    expect(fields('{"a":{"b":[]},"key":"","z":null}').set('key', 'new')).toBe(
      '{"a":{"b":[]},"key":"new","z":null}',
    )
  })

  test('that is new stands last, set as the one before it', () => {
    expect(fields('{}').set('key', 'v')).toBe('{"key":"v"}')
    expect(fields('{ }').set('key', 'v')).toBe('{"key":"v" }')
    expect(fields('{"a": 1}').set('key', 'v')).toBe('{"a": 1,"key": "v"}')
    expect(fields('{\n  "a": 1\n}\n').set('key', 'v')).toBe('{\n  "a": 1,\n  "key": "v"\n}\n')
  })

  test.each([
    ['{"key":"v"}', '{}'],
    ['{ "key" : "v" }', '{  }'],
    ['{"key":"v", "b":2}', '{"b":2}'],
    ['{"a":1, "key":"v", "b":2}', '{"a":1, "b":2}'],
    ['{"a":1}', '{"a":1}'],
  ])('is removed from %s', (before, after) => {
    expect(fields(before).remove('key')).toBe(after)
  })

  test('of any object: changed it is JSON as before but for that; made and removed it is the same text', () => {
    const spacing = fc.constantFrom(undefined, 1, 2, '\t')
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        spacing,
        fc.string(),
        (object, space, value) => {
          const text = JSON.stringify(object, undefined, space)
          const changed = fields(text).set('the key', value)
          expect(JSON.parse(changed)).toEqual({ ...(JSON.parse(text) as object), 'the key': value })
          expect(fields(changed).get('the key')).toBe(value)
          if (!Object.hasOwn(object, 'the key')) expect(fields(changed).remove('the key')).toBe(text)
          for (const name of fields(text).names) {
            const rest = Object.entries(JSON.parse(text) as object).filter(([each]) => each !== name)
            expect(JSON.parse(fields(text).remove(name))).toEqual(Object.fromEntries(rest))
          }
        },
      ),
    )
  })
})

describe('refused', () => {
  test.each(['', 'pk_live_x', '"text"', '[{"key":"v"}]', 'null', '12', '{"key":"v"', '\ufeff{"key":"v"}'])(
    'what is not a JSON object: %j',
    (text) => {
      const error = refused(() => fields(text))
      expect(error.code).toBe('target-refused')
      expect(error.message).toBe('gcp-sm:x: what is there is not a JSON object, so it has no fields')
    },
  )

  test('a name that stands there twice, however it is written', () => {
    for (const text of ['{"key":"a","key":"b"}', '{"key":"a","b":1,"k\\u0065y":"b"}']) {
      const error = refused(() => fields(text))
      expect(error.message).toContain('the field key stands there twice')
    }
    // what lies deeper is nobody's affair
    expect(fields('{"a":{"key":1,"key":2},"key":"v"}').get('key')).toBe('v')
  })

  test.each(['1', 'null', 'true', '{"x":"y"}', '["v"]'])('a field that holds %s', (value) => {
    expect(refused(() => fields(`{"key":${value}}`).get('key')).message).toContain('key is not a string')
  })

  test('an object where a place is to hold the key alone', () => {
    const error = refused(() => refuseObject('{"user":"u","password":"hunter2hunter2"}', 'gcp-sm:x'))
    expect(error.message).toContain('a JSON object (user, password)')
    expect(error.hint).toContain('gcp-sm:x#user')
    expect(`${error.message}${error.hint}`).not.toContain('hunter2')
    for (const text of ['pk_live_x', '"text"', '', '[1]']) refuseObject(text, 'gcp-sm:x')
  })
})

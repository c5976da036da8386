import { describe, expect, test } from 'vitest'
import { KeysError } from '../../src/errors.ts'
import { Secret } from '../../src/secret.ts'
import { colours } from '../../src/ui/colours.ts'
import { ReaderGone } from '../../src/ui/output.ts'
import { plain } from '../../src/ui/paint.ts'
import { at, open, stamped } from './sink.ts'

const secret = 'pk_live_abcdefghijklmnop'

describe('streams', () => {
  test('data goes to stdout, talk to stderr', async () => {
    const { out, stdout, stderr } = open()
    out.say('about to')
    out.result({ a: 1 }, ({ a }) => `a is ${a}`)
    await out.line('a line')
    out.event({ event: 'x' }, 'a sentence')
    out.event({ event: 'silent' })
    out.warn('careful')
    out.debug('not shown')
    await out.flush()
    expect(stdout.text).toBe('a is 1\na line\n')
    expect(stderr.text).toBe(stamped('about to\na sentence\nwarning: careful\n'))
  })

  test('with json: one document, and one object a line', async () => {
    const { out, stdout, stderr } = open({ json: true, debug: true })
    const docs = 'docs/errors.md#rate-limit'
    out.say('nothing')
    out.event({ event: 'minted', keyId: 'k' }, 'a sentence')
    out.warn('careful')
    out.debug('a request')
    out.result({ name: 'a\u202eb' }, () => 'never')
    out.error(new KeysError('rate-limit', 'too many', { hint: 'wait', status: 429 }))
    await out.flush()
    expect(stdout.text).toBe('{"name":"a\\u202eb"}\n')
    expect(
      stderr.text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      { event: 'minted', at, keyId: 'k' },
      { event: 'warning', at, message: 'careful' },
      { event: 'debug', at, message: 'a request' },
      { error: { code: 'rate-limit', message: 'too many', hint: 'wait', status: 429, docs } },
    ])
  })

  test('data that came before talk is written before it', async () => {
    const { out, stdout, stderr } = open({ tty: true })
    await out.line('export A=1')
    expect(stdout.text).toBe('')
    out.say('Ctrl-C stops it')
    expect(stdout.text).toBe('export A=1\n')
    await out.flush()
    expect(stderr.text).toBe('Ctrl-C stops it\n')
  })

  test('quiet keeps data, warnings and errors', async () => {
    const { out, stdout, stderr } = open({ quiet: true })
    out.say('x')
    out.event({ event: 'x' }, 'x')
    out.warn('w')
    out.error(new KeysError('usage', 'e', { hint: 'one\ntwo' }))
    out.result(1, String)
    await out.flush()
    expect(stdout.text).toBe('1\n')
    expect(stderr.text).toBe(stamped('warning: w\nerror: e\n  one\n  two\n'))
  })
})

describe('what it never shows', () => {
  test('a secret in a warning, an error, an event or a debug line', async () => {
    for (const json of [false, true]) {
      const { out, stderr } = open({ json, debug: true })
      out.warn(`w ${secret}`)
      out.debug(`d ${secret}`)
      out.event({ event: 'e', secret })
      out.error(new KeysError('internal', `m ${secret}`, { hint: `h ${secret}` }))
      await out.flush()
      expect(stderr.text).not.toContain(secret)
      expect(stderr.text).toContain('[secret]')
    }
  })

  test('a control character of the data, to a person', async () => {
    const { out, stdout, stderr } = open({ tty: true, paint: { stdout: colours, stderr: plain } })
    out.result({ name: 'a\u001b[31mb' }, ({ name }) => colours.bold(name))
    // nor one that a command forgot to clean, but for colours
    out.result({}, () => 'x\u001b]52;c;x\u0007\u001b[2Ky\u009bz\u202e')
    await out.line('c\u001b[2Jd')
    out.say('e\u0007f\u202eg')
    await out.flush()
    expect(stdout.text).toBe('\u001b[1ma[31mb\u001b[22m\nx]52;c;x[2Kyz\nc[2Jd\n')
    expect(stderr.text).toBe('efg\n')
  })

  test('a line that begins with what came from outside', async () => {
    const { out, stderr } = open({ debug: true })
    const name = 'x\nerror: forged\r\n::warning::forged'
    out.say(name, 'another line')
    out.warn(name)
    out.event({ event: 'e' }, name)
    out.debug(name)
    out.error(new KeysError('internal', name, { hint: name }))
    await out.flush()
    expect(stderr.text).toBe(
      stamped(
        'x error: forged ::warning::forged\nanother line\n' +
          'warning: x error: forged ::warning::forged\n' +
          'x error: forged ::warning::forged\n' +
          'x\n  error: forged\n  ::warning::forged\n' +
          'error: x\n  error: forged\n  ::warning::forged\n' +
          '  x\n  error: forged\n  ::warning::forged\n',
      ),
    )
  })

  test('a secret that it was told of, in part or encoded, in any talk', async () => {
    const body = 'zY8xW7vU6tS5rQ4pO3nM2lK1'
    const base64 = Buffer.from(body).toString('base64')
    for (const json of [false, true]) {
      const { out, stderr } = open({ json, debug: true })
      out.conceal(new Secret(body))
      for (const text of [body, `"${body.slice(2, 12)}`, base64, [...body].join('\u200b')]) {
        out.warn(text)
        out.debug(text)
        out.event({ event: 'e', [text]: [text] }, text)
        out.error(new KeysError('internal', text, { hint: text }))
      }
      await out.flush()
      for (const part of [body.slice(2, 10), body.slice(8, 16), base64.slice(0, 8)]) {
        expect(stderr.text).not.toContain(part)
      }
      if (json) for (const line of stderr.text.trimEnd().split('\n')) JSON.parse(line)
    }
  })

  test('but a line for a program is left as it is', async () => {
    const { out, stdout } = open()
    await out.line('a\u200bb')
    await out.flush()
    expect(stdout.text).toBe('a\u200bb\n')
  })
})

test('what a question is about is shown with --quiet too, but not with --json', async () => {
  for (const [options, text] of [
    [{ quiet: true, tty: true }, `put it there:\n  ${secret}\n`],
    [{ json: true }, ''],
  ] as const) {
    const { out, stderr } = open(options)
    out.show('put it there:', `  ${secret}`)
    await out.flush()
    expect(stderr.text).toBe(text)
  }
})

describe('lines', () => {
  test('are gathered, in order, and wait for a slow reader', async () => {
    const { out, stdout } = open()
    stdout.held = []
    const line = 'x'.repeat(1_000)
    let written = 0
    const writing = (async () => {
      for (; written < 1_000; written += 1) await out.line(`${written} ${line}`)
    })()
    await new Promise((resolve) => setTimeout(resolve, 20))
    const waitingAt = written
    expect(waitingAt).toBeGreaterThan(10)
    expect(waitingAt).toBeLessThan(300)
    const held = stdout.held
    stdout.held = undefined
    for (const done of held) done()
    await writing
    await out.flush()
    const numbers = stdout.text
      .trimEnd()
      .split('\n')
      .map((text) => Number(text.split(' ')[0]))
    expect(numbers).toEqual(Array.from({ length: 1_000 }, (_, index) => index))
  })

  test('come before a result that follows them', async () => {
    const { out, stdout } = open()
    await out.line('first')
    out.result('second', String)
    await out.flush()
    expect(stdout.text).toBe('first\nsecond\n')
  })

  test.each([
    ['EPIPE', ReaderGone],
    ['ENOSPC', KeysError],
  ])('%s stops whoever writes', async (code, kind) => {
    const { out, stdout } = open()
    stdout.failWith = Object.assign(new Error('write failed'), { code })
    out.result(1, String)
    await expect(out.flush()).rejects.toBeInstanceOf(kind)
    await expect(out.line('x')).rejects.toBeInstanceOf(kind)
  })
})

test.each([
  [{ tty: true }, true],
  [{ tty: false }, false],
  [{ tty: true, env: { CI: 'true' } }, false],
  [{ tty: true, json: true }, false],
])('a person can be asked: %j %j', (options, interactive) => {
  expect(open(options).out.interactive).toBe(interactive)
})

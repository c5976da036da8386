import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createPasteFilter, openInput } from '../../src/ui/question-input.ts'
import { fc } from '../property.ts'

const start = '\x1b[200~'
const end = '\x1b[201~'

describe('what is pasted', () => {
  test.each([
    ['keys alone', ['ab', '\r'], 'ab\r'],
    ['a line', [`${start}ab${end}`], 'ab'],
    ['a newline at its end', [`${start}ab\r\n${end}`], 'ab'],
    ['newlines within', [`${start}a\nb\r\nc\td${end}`], 'a b c d'],
    ['controls', [`${start}a\x1b[2Jb\x07${end}`], 'a[2Jb'],
    ['keys around it', [`x${start}ab\n${end}y\r`], 'xaby\r'],
    ['marks in pieces', ['x\x1b', '[20', '0~a', 'b\x1b[2', '01', '~y'], 'xaby'],
    ['an end mark cut at its Escape', [`${start}ab`, '\x1b', '[201~c'], 'abc'],
    ['two of them', [`${start}a${end}${start}b${end}`], 'ab'],
    ['other escapes', ['\x1b[A', '\x1b[2~', '\x1b'], '\x1b[A\x1b[2~\x1b'],
  ])('%s', (_, chunks, keys) => {
    const clean = createPasteFilter('taken')
    expect(chunks.map(clean).join('')).toBe(keys)
  })

  test('is left where each key means something', () => {
    const clean = createPasteFilter('left')
    expect(clean(`${start} a\n${end}y`)).toBe('y')
  })

  test('that never ends does not hold the keyboard: Ctrl-C goes through', () => {
    const clean = createPasteFilter('taken')
    expect([clean(`${start}ab`), clean('more'), clean('\x03')].join('')).toBe('\x03')
    expect(clean('x\r')).toBe('x\r')
  })

  test('comes to the same in whatever pieces it comes', () => {
    const piece = fc.constantFrom('a', 'é', ' ', '\n', '\r', '日', 'x1')
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 12 }),
        fc.array(fc.nat(9), { maxLength: 12 }),
        (pieces, cuts) => {
          const all = `x${start}${pieces.join('')}${end}y`
          const whole = createPasteFilter('taken')(all)
          const clean = createPasteFilter('taken')
          let rest = all
          let keys = ''
          for (const cut of cuts) {
            // a lone Escape is the key of that name, and is not cut off by a terminal
            const at = rest.slice(0, cut) === '\x1b' ? cut + 1 : cut
            if (at > 0) keys += clean(rest.slice(0, at))
            rest = rest.slice(at)
          }
          if (rest !== '') keys += clean(rest)
          expect(keys).toBe(whole)
          expect(whole).not.toMatch(/[\r\n]/)
        },
      ),
    )
  })
})

describe('what came before a question', () => {
  test('answers nothing, be there a gap in it', async () => {
    const terminal = Object.assign(new PassThrough(), { isTTY: true })
    const input = openInput(terminal, { pasting: 'taken', raw: true })
    let heard = ''
    input.stream.on('data', (text: string) => (heard += text))
    const settled = input.settle()
    terminal.write('one\ntwo\n')
    await delay(120)
    terminal.write('y\n')
    expect(await settled).toBe(false)
    terminal.write('x')
    await delay(0)
    expect(heard).toBe('x')
    input.close()
  })

  test('answers nothing, be it the second question', async () => {
    const terminal = Object.assign(new PassThrough(), { isTTY: true })
    openInput(terminal, { pasting: 'taken', raw: true }).close()
    terminal.write('y\n')
    const input = openInput(terminal, { pasting: 'taken', raw: true })
    expect(await input.settle()).toBe(false)
    let heard = ''
    // as the library does, once a question stands
    input.stream.on('data', (text: string) => (heard += text))
    terminal.write('x')
    while (!heard.includes('x')) await delay(1)
    expect(heard).toBe('x')
    input.close()
  })

  test('answers nothing, be the process held up by something else', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    const [person] = (await once(server, 'connection')) as [Socket]
    const input = openInput(Object.assign(socket, { isTTY: true }), { pasting: 'taken', raw: true })
    let heard = ''
    input.stream.on('data', (text: string) => (heard += text))
    const settled = input.settle()
    person.write('y\n')
    for (const until = performance.now() + 100; performance.now() < until;);
    await settled
    person.write('x')
    while (!heard.includes('x')) await delay(1)
    expect(heard).toBe('x')
    input.close()
    socket.destroy()
    server.close()
  })
})

import { dsse } from '@sigstore/core'
import { createPublicKey, verify } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { digestOf, sealLine } from '../../src/audit/envelope.ts'
import { chainOf, headType, receiptType } from '../../src/audit/receipt-chain.ts'
import { fc } from '../property.ts'
import { check, createPair, exported, facts, receiptsOf } from './exported.ts'

const pair = createPair()
const other = createPair()
const runs = { numRuns: 300 }

/** Exports of up to six receipts each. */
const counts = fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 3 })
const splitLines = (text: string) => text.trimEnd().split('\n')
const join = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('')

describe('what nobody touched', () => {
  it('is proved, whole and each going on from the one before, as files or as one', async () => {
    await fc.assert(
      fc.asyncProperty(counts, async (each) => {
        const files = exported(each, pair)
        const expected = {
          valid: true,
          problems: [],
          continues: null,
          receipts: each.reduce((sum, count) => sum + count, 0),
        }
        const checked = await check(files, pair)
        expect(checked).toMatchObject(expected)
        expect(checked.heads.map(({ receipts }) => receipts)).toEqual(each)
        expect(await check([files.join('')], pair)).toMatchObject(expected)
      }),
      { numRuns: 50 },
    )
  })

  it('is proved alone too, and says what it goes on from', async () => {
    const [first = '', second = ''] = exported([2, 3], pair)
    const head = digestOf(splitLines(first).at(-1) ?? '')
    const checked = await check([second], pair)
    expect(checked).toMatchObject({ valid: true, receipts: 3, continues: head })
    expect(checked.end).toEqual({ sequence: 7, digest: digestOf(splitLines(second).at(-1) ?? '') })
  })

  it('may be signed by one key and go on with another', async () => {
    const [first = ''] = exported([2], pair)
    const { end } = await check([first], pair)
    const second = join(chainOf(receiptsOf(1, 9), facts, other.signs, end).lines)
    expect((await check([first, second], pair, other)).valid).toBe(true)
    expect((await check([first, second], pair)).problems[0]).toMatchObject({
      file: '2.ndjson',
      line: 1,
      rotation: '000009',
      kind: 'key',
    })
  })

  it('is an envelope that another implementation of DSSE takes', () => {
    const [text = ''] = exported([1], pair)
    for (const line of splitLines(text)) {
      const { payload, payloadType, signatures } = JSON.parse(line) as {
        payload: string
        payloadType: string
        signatures: [{ sig: string }]
      }
      const bytes = dsse.preAuthEncoding(payloadType, Buffer.from(payload, 'base64'))
      const signature = Buffer.from(signatures[0].sig, 'base64')
      expect(verify(null, bytes, createPublicKey(pair.publicPem), signature)).toBe(true)
    }
  })
})

describe('what is found of an export', () => {
  const sizes = [0, 1, 2, 3, 6].map((count) => exported([count], pair)[0] ?? '')
  const file = fc.constantFrom(...sizes)

  it('any byte that is another one', async () => {
    await fc.assert(
      fc.asyncProperty(file, fc.nat(), fc.integer({ min: 1, max: 255 }), async (text, at, flip) => {
        const bytes = Buffer.from(text)
        const index = at % bytes.length
        bytes[index] = (bytes[index] ?? 0) ^ flip
        expect((await check([bytes.toString('latin1')], pair)).valid).toBe(false)
        expect((await check([bytes.toString('utf8')], pair)).valid).toBe(false)
      }),
      { numRuns: 1_500 },
    )
  })

  it('any end that was cut off', async () => {
    await fc.assert(
      fc.asyncProperty(file, fc.nat(), async (text, at) => {
        expect((await check([text.slice(0, at % text.length)], pair)).valid).toBe(false)
      }),
      runs,
    )
  })

  it('any bytes that were added', async () => {
    await fc.assert(
      fc.asyncProperty(file, fc.nat(), fc.string({ minLength: 1, maxLength: 3 }), async (text, at, added) => {
        const index = at % (text.length + 1)
        expect((await check([text.slice(0, index) + added + text.slice(index)], pair)).valid).toBe(false)
      }),
      runs,
    )
  })

  const chains = fc.tuple(counts, fc.nat(), fc.nat())

  it('any line that is missing, but for all of the last export', async () => {
    await fc.assert(
      fc.asyncProperty(chains, async ([each, at]) => {
        const lines = exported(each, pair).flatMap(splitLines)
        const index = at % lines.length
        const left = lines.toSpliced(index, 1)
        // of an export without receipts the head is all there was
        fc.pre(left.length > 0 && !(each.at(-1) === 0 && index === lines.length - 1))
        // and a first one, without receipts, is what the second says it goes on from
        fc.pre(!(each[0] === 0 && index === 0))
        expect((await check([join(left)], pair)).valid).toBe(false)
      }),
      runs,
    )
  })

  it('two lines that changed places', async () => {
    await fc.assert(
      fc.asyncProperty(chains, async ([each, a, b]) => {
        const lines = exported(each, pair).flatMap(splitLines)
        const [from, to] = [a % lines.length, b % lines.length]
        fc.pre(from !== to)
        const swapped = lines.with(from, lines[to] ?? '').with(to, lines[from] ?? '')
        expect((await check([join(swapped)], pair)).valid).toBe(false)
      }),
      runs,
    )
  })

  it('a line that is there twice, wherever', async () => {
    await fc.assert(
      fc.asyncProperty(chains, async ([each, a, b]) => {
        const lines = exported(each, pair).flatMap(splitLines)
        const doubled = lines.toSpliced(b % (lines.length + 1), 0, lines[a % lines.length] ?? '')
        expect((await check([join(doubled)], pair)).valid).toBe(false)
      }),
      runs,
    )
  })

  it('files in another order, and one in the middle that is missing', async () => {
    const [first = '', second = '', third = ''] = exported([1, 2, 1], pair)
    expect((await check([second, first, third], pair)).valid).toBe(false)
    expect((await check([first, third], pair)).problems[0]).toMatchObject({
      file: '2.ndjson',
      line: 1,
      kind: 'missing',
      message: '3 lines of the chain are missing before it: it is line 6',
    })
  })

  it('a line of another export by the same key', async () => {
    const [a = ''] = exported([3], pair)
    const foreign = sealLine(
      receiptType,
      { sequence: 2, previous: 'f'.repeat(64), receipt: { id: 'abcdef' } },
      pair.signs,
    )
    const lines = splitLines(a).with(1, foreign)
    expect((await check([join(lines)], pair)).problems).toMatchObject([
      { line: 2, rotation: 'abcdef', kind: 'order' },
      { line: 3, rotation: '000003', kind: 'order' },
    ])
  })
})

describe('what is said of it', () => {
  const [text = ''] = exported([4], pair)
  const lines = splitLines(text)
  const problems = async (changed: readonly string[]) => (await check([join(changed)], pair)).problems

  it('names the line and the receipt, once', async () => {
    const receipt = JSON.parse(lines[2] ?? '') as { payload: string }
    const payload = Buffer.from(receipt.payload, 'base64').toString().replace('"done"', '"DONE"')
    const changed = JSON.stringify({ ...receipt, payload: Buffer.from(payload).toString('base64') })
    expect(await problems(lines.with(2, changed))).toEqual([
      {
        file: '1.ndjson',
        line: 3,
        rotation: '000003',
        kind: 'signature',
        message: 'it is not as it was signed',
      },
    ])
    expect(await problems(lines.toSpliced(1, 1))).toMatchObject([
      {
        line: 2,
        rotation: '000003',
        kind: 'missing',
        message: 'line 2 of the chain is missing before it: it is line 3',
      },
    ])
    expect(await problems(lines.toSpliced(0, 1))).toMatchObject([{ line: 4, kind: 'missing' }])
    expect(await problems(lines.slice(0, -1))).toMatchObject([{ line: 4, kind: 'end' }])
    expect(await problems(lines.toSpliced(1, 0, lines[0] ?? ''))).toMatchObject([
      { line: 2, rotation: '000001', kind: 'order' },
    ])
    expect(await problems(lines.map((line) => `${line}\r`))).toHaveLength(5)
    expect((await problems(lines.map((line) => `${line}\r`)))[0]?.message).toContain('CRLF')
    expect((await check([''], pair)).problems).toMatchObject([
      { kind: 'end', message: 'there is nothing in it' },
    ])
  })

  it('a head that the key signed and that counts other receipts', async () => {
    const previous = digestOf(lines[1] ?? '')
    const head = { after: null, first: 1, receipts: 4, ...facts }
    const forged = sealLine(headType, { sequence: 3, previous, head }, pair.signs)
    expect(await problems([...lines.slice(0, 2), forged])).toMatchObject([
      { line: 3, kind: 'head', message: 'the head counts 4 receipts, and there are 2' },
    ])
  })

  it('what is signed, and is none of ours', async () => {
    const strange = sealLine('application/vnd.in-toto+json', { sequence: 1, previous: null }, pair.signs)
    expect(await problems([strange])).toMatchObject([{ line: 1, kind: 'signature' }])
  })
})

import { describe, expect, test } from 'vitest'
import { describeFlag, flagForm, withBareValues } from '../src/flags.ts'

const flags = {
  watch: { type: 'duration', bare: '30s', summary: 'again and again' },
  since: { type: 'duration', summary: 'from when' },
} as const

describe('a duration that may come without a value', () => {
  test.each([
    [['--watch'], ['--watch=30s']],
    [
      ['--watch', 'App'],
      ['--watch=30s', 'App'],
    ],
    [
      ['App', '--watch', '--json'],
      ['App', '--watch=30s', '--json'],
    ],
    [
      ['--watch', '5s', 'App'],
      ['--watch', '5s', 'App'],
    ],
    // a duration without its unit is a mistake to be told, and no key
    [
      ['--watch', '10'],
      ['--watch', '10'],
    ],
    [['--watch=2m'], ['--watch=2m']],
    [
      ['--', '--watch'],
      ['--', '--watch'],
    ],
    [['--since'], ['--since']],
  ])('%j is %j', (typed, read) => {
    expect(withBareValues(typed, flags)).toEqual(read)
  })

  test('says so in help', () => {
    expect(flagForm('watch', flags.watch)).toBe('--watch [duration]')
    expect(describeFlag(flags.watch)).toBe('again and again (30s without a value)')
    expect(flagForm('since', flags.since)).toBe('--since <duration>')
  })
})

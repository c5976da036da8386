import { describe, expect, test } from 'vitest'
import { auditMarkdown } from '../../../src/ui/audit/markdown.ts'
import { hostile, subject } from './subject-fixture.ts'

/** The text that a reader sees of a cell. */
const shown = (cell: string) =>
  cell.startsWith('`')
    ? cell.slice(1, -1)
    : cell
        .replaceAll(/\\([!-/:-@[-`{-~])/g, '$1')
        .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
        .replaceAll('&lt;', '<')
        .replaceAll('&gt;', '>')
        .replaceAll('&amp;', '&')

const text = auditMarkdown(subject())
const rows = text.split('\n').filter((line) => line.startsWith('| `'))
const cells = rows.map((row) => row.slice(2, -2).split(' | ').map(shown))

describe('an audit in Markdown', () => {
  test('has its figures in the heading, and a table for each severity and for what was skipped', () => {
    expect(text.split('\n')[0]).toBe('## Audit of the API keys: 2 errors, 2 warnings, 1 note')
    expect(text.match(/^### .*$/gm)).toEqual([
      '### Errors',
      '### Warnings',
      '### Notes',
      '### Skipped: neither passed nor failed',
      '### Security checklist',
    ])
    expect(rows).toHaveLength(7)
  })

  test('a finding is one row, and its command can be copied also from what is not rendered', () => {
    expect(rows[0]).toBe(
      '| `key-age` | Production Server (key_0000) | it is 412 days old, and may be 365 | age 412 d, created 2025-01-13 09:00 UTC, max age 365d | `pictify-keys rotate key_0000 --to env:.env#PICTIFY_API_KEY` |',
    )
  })

  test('what comes from outside has no mark-up, link, mention or cell of its own, and reads as it is', () => {
    const row = rows.find((each) => each.includes('vague-name')) ?? ''
    const texts = row.replaceAll(/`[^`]*`/g, '')
    expect(texts).not.toMatch(/[<>@]|:\/\/|(?<!\\)[`*[\]~]/)
    expect(row.slice(2, -2).split(' | ')).toHaveLength(5)
    const found = cells.find(([id]) => id === 'vague-name')
    // what no page shows is gone
    expect(found?.[1]).toBe(`${hostile.replaceAll(/[\u001b\u202e]/g, '')} (key_evil)`)
  })
})

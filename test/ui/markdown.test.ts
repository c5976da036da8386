import { marked } from 'marked'
import { describe, expect, test } from 'vitest'
import { markdownCode, markdownCodeCell, markdownText } from '../../src/ui/markdown.ts'

/** What a reader of GitHub's Markdown makes of a cell: the text, and whether anything but text is in it. */
function rendered(cell: string): { text: string; tags: string[] } {
  const html = marked.parse(`| a | b |\n| --- | --- |\n| ${cell} | end |`, { async: false })
  const inner = /<td>(.*)<\/td>\n<td>end<\/td>/s.exec(html)?.[1] ?? html
  const text = inner
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
  return { text, tags: inner.match(/<\w+/g) ?? [] }
}

const texts = [
  'key_bfye and _this_ or __that__, snake_case_name',
  '*a* **b** ~~c~~ `d` ``e``',
  '[x](https://evil.test) ![y](z) <b>bold</b> <https://evil.test>',
  'http://127.0.0.1:4000/a_b https://evil.test www.evil.test a|b \\| c\\',
  '#1 a#1 # head &lt; &amp; 5 > 3',
]

describe('text in Markdown', () => {
  test.each(texts)('reads as it is, and is nothing else: %s', (text) => {
    expect(rendered(markdownText(text))).toEqual({ text, tags: [] })
  })

  test('what needs no escape has none', () => {
    expect(markdownText('Production Server (key_bfye): 12:30, env:.env#KEY, 5 %')).toBe(
      'Production Server (key_bfye): 12:30, env:.env#KEY, 5 %',
    )
  })
})

describe('a command in Markdown', () => {
  test.each([
    'pictify-keys rotate key_bfye --api-url http://127.0.0.1:4000',
    "pictify-keys rename key_1 'a `b` ``c`` <i>*d*</i> [x](y) &amp; @all'",
    '`whole`',
    ...texts,
  ])('is copied as it is typed: %s', (text) => {
    expect(rendered(markdownCodeCell(text))).toEqual({ text, tags: ['<code'] })
  })

  test('stands there as it is typed, rendered or not', () => {
    const line = 'pictify-keys rotate key_bfye --api-url http://127.0.0.1:4000'
    expect(markdownCode(line)).toBe(`\`${line}\``)
    expect(markdownCode('')).toBe('')
  })
})

import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { html } from '../../../src/ui/html/markup.ts'
import { renderPage } from '../../../src/ui/html/page.ts'
import { htmlTable } from '../../../src/ui/html/table.ts'

const hostile = `</style><script>alert("1")</script>&'\u202e\u001b[31m`
const shown = '&lt;/style&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;[31m'

test('what a template takes in is text, cleaned and escaped, in lists and in what a template made', () => {
  expect(html`<p title="${hostile}">${hostile}</p>`.toString()).toBe(`<p title="${shown}">${shown}</p>`)
  expect(html`${[html`<b>${hostile}</b>`, hostile, 3, undefined, false]}`.toString()).toBe(
    `<b>${shown}</b>${shown}3`,
  )
})

test('a page lets in its own style and nothing else', () => {
  const page = renderPage({
    title: hostile,
    lead: hostile,
    facts: [[hostile, hostile]],
    sections: [],
    foot: hostile,
  })
  const style = /<style>([^]*?)<\/style>/.exec(page)?.[1] ?? ''
  const hash = createHash('sha256').update(style).digest('base64')
  expect(page).toContain(`default-src &#39;none&#39;; style-src &#39;sha256-${hash}&#39;`)
  expect(page.match(/<style/g)).toHaveLength(1)
  expect(page).not.toMatch(/<script|<link|<img|javascript:|url\(|@import|\sstyle=|\son\w+=/i)
  expect(page.indexOf('Content-Security-Policy')).toBeLessThan(page.indexOf('<title>'))
})

test('sections are named by their headings, and the contents lead to them', () => {
  const body = html`<p>text</p>`
  const page = renderPage({
    title: 'a',
    lead: '',
    facts: [],
    sections: [{ id: 'keys', title: 'Keys & use', body }],
    foot: '',
  })
  expect(page).toContain('<a href="#keys">Keys &amp; use</a>')
  expect(page).toContain('aria-labelledby="keys-title"')
  expect(page).toContain('<h2 id="keys-title">Keys &amp; use</h2>')
})

test('a table has its caption and the heads of columns and rows', () => {
  const columns = [
    { head: 'Key', value: (row: { name: string; count: number }) => row.name, heads: true },
    { head: 'Requests', value: (row: { name: string; count: number }) => row.count, number: true },
  ]
  const text = htmlTable('What keys did', columns, [{ name: hostile, count: 3 }]).toString()
  expect(text).toMatch(/<caption>\s*What keys did\s*<\/caption>/)
  expect(text).toContain('<th scope="col" class="number">Requests</th>')
  expect(text).toContain(`<th scope="row">${shown}</th>`)
  expect(text).toContain('<td class="number">3</td>')
})

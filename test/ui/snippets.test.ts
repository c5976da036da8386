import { describe, expect, test } from 'vitest'
import { createSnippet, snippetKinds } from '../../src/ui/snippets.ts'

describe.each(snippetKinds)('%s', (kind) => {
  const text = (apiUrl?: string, keyId?: string) => createSnippet(kind, { apiUrl, keyId }).text

  test('takes the key from the environment, and has none in it', () => {
    expect(text()).toContain('PICTIFY_API_KEY')
    expect(text()).not.toMatch(/pk_(live|test)_/)
  })

  test('names no other API where it is the vendor’s', () => {
    expect(text()).not.toMatch(/base_?url/i)
  })

  test('ends no string and begins no line by a URL or an id that is out to do that', () => {
    const plain = text('https://pictify.example/v1', 'key_1')
    const spiteful = text(`https://pictify.example/v1/'"\`\${x}#{y}\\\n$(id)`, `key_1\nrm -rf 'x' "y"`)
    expect(spiteful.split('\n').length).toBe(plain.split('\n').length)
    for (const quote of [`'`, '"', '`', '$', '#{', '\\']) {
      expect(spiteful.split(quote).length, quote).toBe(plain.split(quote).length)
    }
    expect(spiteful).not.toContain('rm -rf')
  })
})

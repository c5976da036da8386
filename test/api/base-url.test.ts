import { describe, expect, test } from 'vitest'
import { parseBaseUrl } from '../../src/api/base-url.ts'
import { KeysError } from '../../src/errors.ts'

function refusal(text: string): KeysError {
  try {
    parseBaseUrl(text)
  } catch (error) {
    if (error instanceof KeysError) return error
    throw error
  }
  throw new Error(`${text} was taken`)
}

describe('a base URL', () => {
  test.each([
    ['https://api.pictify.io', 'https://api.pictify.io'],
    ['https://api.pictify.io/', 'https://api.pictify.io'],
    ['https://api.pictify.io///', 'https://api.pictify.io'],
    ['https://api.pictify.io/v1', 'https://api.pictify.io/v1'],
    ['https://api.pictify.io/v1/', 'https://api.pictify.io/v1'],
    ['HTTPS://API.Pictify.io:443/v1', 'https://api.pictify.io/v1'],
    [' https://api.pictify.io\n', 'https://api.pictify.io'],
    ['http://localhost:3000/', 'http://localhost:3000'],
    ['http://pictify.localhost', 'http://pictify.localhost'],
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
    ['http://127.9.9.9', 'http://127.9.9.9'],
    ['http://[::1]:8080', 'http://[::1]:8080'],
  ])('%s is %s', (text, url) => {
    expect(parseBaseUrl(text)).toBe(url)
  })

  test.each([
    ['', 'is empty', 'https://api.pictify.io'],
    ['nonsense at all', 'does not start with https://', 'for example'],
    ['api.pictify.io/v1', 'does not start with https://', 'did you mean https://api.pictify.io/v1?'],
    ['localhost:3000', 'does not start with https://', 'did you mean http://localhost:3000?'],
    ['user:hunter2@api.pictify.io', 'does not start with https://', 'for example'],
    ['"https://api.pictify.io"', 'has quotes around it', 'without the quotes'],
    ["'https://api.pictify.io'", 'has quotes around it', 'without the quotes'],
    ['https://', 'is not a URL', 'for example'],
    ['https://api pictify.io', 'is not a URL', 'for example'],
    ['https://user:hunter2@api.pictify.io', 'has a user or a password in it', 'login'],
    ['ftp://api.pictify.io', 'has the scheme ftp, which is not https', 'for example'],
    ['https://api.pictify.io?team=1', 'has a query or a fragment', 'leave out'],
    ['https://api.pictify.io#top', 'has a query or a fragment', 'leave out'],
  ])('"%s" %s', (text, message, hint) => {
    const error = refusal(text)
    expect(error).toMatchObject({ code: 'invalid-url', exit: 2, message: `the base URL ${message}` })
    expect(error.hint).toContain(hint)
    expect(`${error.message}${error.hint}`).not.toContain('hunter2')
  })

  test.each([
    'http://api.pictify.io',
    'http://localhost.example.com',
    'http://127.0.0.1.example.com',
    'http://192.168.1.5:8080',
    'http://[::2]',
  ])('%s would send the key in clear', (text) => {
    const error = refusal(text)
    expect(error).toMatchObject({ code: 'insecure-url', exit: 2 })
    expect(error.hint).toContain('--insecure-http')
    expect(parseBaseUrl(text, { insecureHttp: true })).toBe(text)
  })
})

import { expect, test } from 'vitest'
import { proxyFor } from '../src/proxy.ts'

const proxy = 'http://proxy.example:3128'
test.each([
  ['https://api.example/v1', {}, undefined],
  ['https://api.example', { HTTPS_PROXY: proxy }, proxy],
  ['https://api.example', { https_proxy: proxy, HTTPS_PROXY: 'http://other' }, proxy],
  // as undici does it, https goes by the proxy for http where there is no other
  ['https://api.example', { HTTP_PROXY: proxy }, proxy],
  ['http://api.example', { HTTPS_PROXY: proxy }, undefined],
  ['https://api.example', { HTTPS_PROXY: 'http://me:secret@proxy.example:3128' }, proxy],
  ['https://api.example', { HTTPS_PROXY: 'secret@proxy' }, 'that is no address'],
  ['https://api.example', { HTTPS_PROXY: proxy, NO_PROXY: '*' }, undefined],
  ['https://api.example', { HTTPS_PROXY: proxy, NO_PROXY: 'x, .example' }, undefined],
  ['https://api.example', { HTTPS_PROXY: proxy, NO_PROXY: 'api.example:443' }, undefined],
  ['https://api.example', { HTTPS_PROXY: proxy, NO_PROXY: 'api.example:8443' }, proxy],
  ['https://notapi.example', { HTTPS_PROXY: proxy, NO_PROXY: 'api.example' }, proxy],
])('%s with %j: %s', (url, env, expected) => {
  expect(proxyFor(new URL(url), env)).toBe(expected)
})

import { expect, test } from 'vitest'
import { endpointOf, programOf } from '../../src/audit/event-names.ts'

test.each([
  ['pictify-node/1.4.2 (linux; x64)', 'pictify-node (linux; x64)'],
  ['curl/8.5.0', 'curl'],
  ['Mozilla/5.0 (X11) Gecko/20100101 Firefox/140.0', 'Mozilla (X11) Gecko Firefox'],
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64)', 'Mozilla (Windows NT; Win64; x64)'],
  ['worker/9f3c2ab', 'worker'],
  ['requests/2.31 Linux/5.15.0-91-generic', 'requests Linux'],
  ['job 6f1c1f0e-9d1b-4a53-8a5e-0c4b1d9b7e11', 'job'],
  ['pictify-keys/0.1.0 (0a1b2c3d4e5f6071)', 'pictify-keys'],
  ['pictify-keys/0.1.0 (linux) and more', 'pictify-keys (linux) and more'],
  ['my service', 'my service'],
  ['/1', '/1'],
  ['', ''],
])('the program of %s is %s', (userAgent, program) => {
  expect(programOf(userAgent)).toBe(program)
})

test.each([
  ['POST', '/image', 'POST /image'],
  ['GET', '/templates?limit=1', 'GET /templates'],
  ['GET', '/templates/tpl_Ab3dEf9h/render', 'GET /templates/{id}/render'],
  ['GET', '/api-keys/key_abcdefghijkl/usage', 'GET /api-keys/{id}/usage'],
  ['GET', '/images/6f1c1f0e-9d1b-4a53-8a5e-0c4b1d9b7e11', 'GET /images/{id}'],
  ['GET', '/jobs/42#log', 'GET /jobs/{id}'],
  ['POST', '/v1/image', 'POST /v1/image'],
  ['', '/webhook-subscriptions', '/webhook-subscriptions'],
])('%s %s is %s', (method, endpoint, called) => {
  expect(endpointOf(method, endpoint)).toBe(called)
})

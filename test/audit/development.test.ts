import { expect, test } from 'vitest'
import { developmentProgramOf } from '../../src/audit/development.ts'
import { programOf } from '../../src/audit/event-names.ts'

test.each([
  ['pictify-node/1.4.2 jest/29.7.0', 'jest'],
  ['node-fetch (jest; linux)', 'jest'],
  ['bruno-runtime/1.2', 'Bruno'],
  ['PostmanRuntime/7.36', 'Postman'],
  ['k6/0.49.0 (https://k6.io/)', 'k6'],
  ['Apache-JMeter/5.6', 'JMeter'],
  ['Mozilla/5.0 (X11; Linux) Chrome/118 Cypress/13.6', 'Cypress'],
  ['deploy (CI)', 'a CI job'],
  ['deploy (linux, CI job)', 'a CI job'],
  ['my-circleci-job/1', 'CircleCI'],
  ['curl/8.5.0', 'curl'],
  ['Mozilla/5.0 (Windows NT 10.0; en-US) WindowsPowerShell/5.1', 'PowerShell'],
])('%s is %s', (userAgent, name) => {
  expect(developmentProgramOf(programOf(userAgent))?.name).toBe(name)
})

test.each([
  'jest-image-service/2.1',
  'bruno-server/1.0',
  'ci-worker/3',
  'Dalvik/2.1.0 (Linux; U; Android 8.1.0; LG K6 Build/OPM1)',
  'playwright-pdf/1.0',
  'pycurl/7.45 curl/8.5.0',
  'curl-thumbnailer/1.0',
  'postman-proxy/1.0',
  'pictify-node/1.4.2',
  '',
])('%s is a program of production', (userAgent) => {
  expect(developmentProgramOf(programOf(userAgent))).toBeUndefined()
})

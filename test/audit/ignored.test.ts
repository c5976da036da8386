import { expect, test } from 'vitest'
import { createIgnored } from '../../src/audit/ignored.ts'

test.each([
  [[], 'curl', false],
  [['curl'], 'curl', true],
  [['CURL'], 'curl', true],
  [['curl'], 'curl-impersonate', false],
  [['curl*'], 'curl-impersonate', true],
  [['*(linux; x64)'], 'pictify-node (linux; x64)', true],
  [['a.b'], 'axb', false],
  [['a+'], 'aa', false],
  [['wget', '10.0.0.0/8'], '10.1.2.0/24', true],
  [['10.0.0.0/8'], '110.1.2.0/24', false],
  [['10.1.2.3'], '10.1.2.0/24', true],
  [['10.1.2.3'], '10.1.3.0/24', false],
  [['::1'], '::1/128', true],
  [['10.0.0.0/99'], '10.0.0.0/24', false],
  [['103.97.126.*'], '103.97.126.0/24', true],
])('%j over %s is %s', (patterns, value, ignored) => {
  expect(createIgnored(patterns)(value)).toBe(ignored)
})

import { expect, test } from 'vitest'
import { vagueName } from '../../../src/audit/rules/vague-name.ts'
import { surveyed } from '../survey-fixture.ts'
import { checked } from './checked.ts'

test.each([
  ...['Key 1', 'key', 'KEY_2', 'Key #3', 'apiKey', 'API key', 'Test', 'test 2', 'testKey2', 'TESTING'],
  ...['New key', 'My new key', 'my key', 'the key', 'temp', 'tmp-1', 'Temporary Key', 'asdf', 'asdfasdf'],
  ...[
    'qwerty',
    'qwerty123',
    'xxx',
    'aaaa',
    'abc',
    'abc123',
    'foo',
    'foo bar',
    'untitled',
    'undefined',
    'null',
  ],
  ...[
    'live',
    'Live Key',
    'pk_live_',
    'pk_test',
    'test key (old)',
    'v2',
    '1',
    '42',
    '2026-01-01',
    'a',
    '-',
    '🔑',
  ],
  ...[
    '3f2a9c81d04b',
    '550e8400-e29b-41d4-a716-446655440000',
    'key_abc123',
    'ＫＥＹ １',
    'default',
    'copy of key',
  ],
  ...['mykey', 'newkey', 'testkey', 'MyNewTestKey2', 'thetoken', 'key-one', 'Key Two', 'DO NOT DELETE'],
  ...['Prueba', 'Clave nueva', 'Clé test 2', 'テスト', 'テストキー', '测试密钥', '테스트', 'Тест'],
  ...['my_apikey_please_do_not_delete'],
])('%j says nothing of what uses it', (name) => {
  expect(checked(vagueName, [surveyed({ name })])).toHaveLength(1)
})

test.each([
  ...['Test Suite CI (staging)', 'Production Server', 'prod-api-server', 'ci-cd-pipeline', 'CI', 'staging'],
  ...[
    'Tester Portal',
    'Key service',
    'Newsletter',
    'NewRelic probe',
    'Templates',
    'Attempts',
    'Keycloak',
    'K8s',
  ],
  ...[
    'S3 uploader',
    'EC2',
    'Test key for Checkout',
    'Marketing site 2',
    'analytics-readonly',
    'Anna',
    'Ada 1815',
  ],
  ...[
    'Keyan',
    'Keystone',
    'Testament',
    'Monkey',
    'Turnkey',
    'Contest',
    'Tokenizer',
    'Latest offers',
    'Tome',
    'Keynote',
  ],
  ...[
    'Prueba del checkout',
    '본부',
    '生产服务器',
    'שרת ייצור',
    'Сервер',
    'Füllhorn',
    'Facade',
    'decade',
    'Property',
    'Powertools',
    'Stu',
  ],
])('%j says something', (name) => {
  expect(checked(vagueName, [surveyed({ name })])).toEqual([])
})

test('shows the words it went by, and how to rename the key', () => {
  expect(checked(vagueName, [surveyed({ name: 'My newKey 2' })])).toMatchObject([
    {
      severity: 'warning',
      message: 'has a name that does not say what uses it',
      evidence: { name: 'My newKey 2', wordsThatSayNothing: ['my', 'new', 'key', '2'] },
      mend: ['pictify-keys', 'rename', 'key_abc123'],
    },
  ])
})

test('the name of a revoked key is no matter, nor that of a successor, which has its old key’s', () => {
  expect(checked(vagueName, [surveyed({ name: 'Test', status: 'revoked' })])).toEqual([])
  const name = 'Test (rotating key_abc123 #7f3a9c-5d41c2-t8m2kq0001)'
  expect(checked(vagueName, [surveyed({ name })])).toEqual([])
})

test('a name of a million characters is judged at once', () => {
  expect(checked(vagueName, [surveyed({ name: 'ab'.repeat(500_000) })])).toEqual([])
})

import { describe, expect, test } from 'vitest'
import { secretsIn } from '../../src/audit/tree-secret.ts'
import { fc } from '../property.ts'

/** As a service draws them; the same in every run. */
const real = 'pk_live_' + 'T7qWz3LmN9' + 'xR2vBc8KpYd4Hs'
const found = (text: string) => secretsIn(text).map(({ secret }) => secret.reveal())

describe('a secret is found', () => {
  test.each([
    ['alone', real],
    ['in an environment file', `PICTIFY_API_KEY=${real}`],
    ['in quotes', `const key = "${real}";`],
    ['in JSON, behind an escaped newline', JSON.stringify(`A=1\n${real}\n`)],
    ['in a header', `curl -H 'Authorization: Bearer ${real}'`],
    ['escaped in a URL', `https://example.com/?k%3D${real}&x=1`],
    ['of the other type', real.replace('live', 'test')],
    ['in a minified line', `!function(){var a="x",b="${real}",c=1}();`],
    ['in UTF-16 without a mark', Buffer.from(`KEY=${real}\r\n`, 'utf16le').toString('latin1')],
    ['in UTF-16, the other way round', Buffer.from(`KEY=${real}\r\n`, 'utf16le').swap16().toString('latin1')],
    ['in XML', `<key>${real}</key>`],
    ['in base64, as Kubernetes keeps it', `  api-key: ${Buffer.from(`${real}\n`).toString('base64')}\n`],
  ])('%s', (_, text) => {
    expect(found(text).map((each) => each.slice(8))).toEqual([real.slice(8)])
  })

  test('and every one, where there are several in a line', () => {
    const other = `pk_test_${[...real.slice(8)].reverse().join('')}`
    expect(found(`${real},${other};${real}`)).toEqual([real, other, real])
  })

  test.each([
    [16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'],
    [24, 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'],
    [32, 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-'],
    [64, 'abcdefghijklmnopqrstuvwxyz0123456789'],
    [32, '0123456789abcdef'],
  ])('that is drawn as %d characters of %s', (length, characters) => {
    const unit = fc.constantFrom(...characters)
    const drawn = fc.sample(fc.string({ unit, minLength: length, maxLength: length }), 1_000)
    expect(drawn.filter((body) => found(`key: pk_live_${body}\n`)[0] !== `pk_live_${body}`)).toEqual([])
  })
})

describe('no secret is', () => {
  test.each([
    ...['pk_live_xxxxxxxxxxxxxxxxxxxxxxxx', 'pk_live_XXXXXXXXXXXXXXXX1234', 'pk_live_your_key_here_1234'],
    ...[
      'pk_live_YOUR_PRODUCTION_KEY_123',
      'pk_test_example1234567890abcdef',
      'pk_live_replace-me-with-yours-1',
    ],
    ...[
      'pk_live_abcdefghijklmnop12345678',
      'pk_live_a1b2c3d4e5f6g7h8i9j0',
      'pk_live_0123456789abcdef0123456789',
    ],
    ...['pk_live_abc123abc123abc123abc123', 'pk_live_1111111111111111', 'pk_live_12345678901234567890'],
    ...[
      'pk_live_production-server-of-2026',
      'pk_live_checkout_service_main_key',
      'pk_live_fake4Jt8Kq2Lw7Mz9',
    ],
    ...[
      'pk_live_T7qWz3LmN9',
      'pk_live_',
      'pk_live_...',
      'pk_live_…abcd',
      'pk_live_<secret>',
      'pk_live_${KEY}',
    ],
    ...[`${real.slice(0, 24)}...`, `${real.slice(0, 26)}…`, `${real.slice(0, 26)}****`, 'key_abc123'],
    ...['pk_prod_T7qWz3LmN9xR2vBc8KpYd4Hs', `pk_live_${'T7qWz3LmN9xR2vBc8KpYd4Hs'.repeat(9)}`],
  ])('%s', (text) => {
    expect(found(`key = ${text} `)).toEqual([])
    expect(found(`key = ${Buffer.from(text).toString('latin1')}`)).toEqual([])
  })

  test('what its line says to leave alone, and that line only', () => {
    expect(found(`a: ${real} # pictify-keys:ignore\nb: ${real}\n`)).toEqual([real])
    expect(found(`/* pictify-keys: ignore */ ${real}`)).toEqual([])
    expect(found(`# pictify-keys:ignore\n${real}`)).toEqual([real])
  })
})

describe('a key of another service', () => {
  const mayBeOf = (text: string) => secretsIn(text).map((each) => each.mayBeOf)
  // as long as Stripe's are, and drawn alike
  const stripe = 'pk_live_51' + `${real.slice(8)}x`.repeat(4).slice(0, 97)
  const clerk = `pk_test_${Buffer.from('neat-mongoose-42.clerk.accounts.dev$').toString('base64')}`
  const hexadecimal = 'pk_live_' + '3f9a1c7e2b8d4f60a5c1' + 'e9d7b3f2a8c46e0d1b95'

  test.each([
    [`STRIPE_KEY=${real}\n`, 'Stripe'],
    [`loadStripe( "${real}" )`, 'Stripe'],
    [`{"stripeKey":"${real}"}`, 'Stripe'],
    [JSON.stringify(JSON.stringify({ STRIPE_KEY: real })), 'Stripe'],
    [`run --stripe-key ${real}`, 'Stripe'],
    [`<string name="stripe_key">${real}</string>`, 'Stripe'],
    [`- name: STRIPE_KEY\n  value: ${real}\n`, 'Stripe'],
    [`{"name":"STRIPE_KEY","value":"${real}"}`, 'Stripe'],
    [`process.env.STRIPE_KEY||"${real}"`, 'Stripe'],
    [`!function(){a("${stripe}")}()`, 'Stripe'],
    [`k="${clerk}"`, 'Clerk'],
    [`NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY=${clerk}`, 'Clerk'],
    [`PAYSTACK_PUBLIC_KEY=${hexadecimal}`, 'Paystack'],
    [`PAYMONGO_PUBLIC_KEY=${real}`, 'PayMongo'],
    [`publishableKey: '${real}'`, 'another service'],
    [Buffer.from(`STRIPE_KEY=${real}`, 'utf16le').toString('latin1'), 'Stripe'],
  ])('is told by the name before it, or by its shape: %j', (text, service) => {
    expect(mayBeOf(text)).toEqual([service])
  })

  test.each([
    [`{"stripe":{"url":"x"},"pictify":{"key":"${real}"}}`],
    [`{"key":"${real}","stripe":true}`],
    [`{"name":"PICTIFY_KEY","value":"${real}"},{"name":"STRIPE_KEY"}`],
    [`# stripe and others\nKEY=${real}`],
    [`curl -H "Authorization: Bearer ${real}" https://stripe.example`],
    [`PICTIFY_PUBLISHABLE_KEY=${real}`],
    [`PICTIFY_KEY=${stripe}`],
    [`KEY=${hexadecimal}`],
    [`KEY=pk_live_51${real.slice(8)}`],
  ])('is none for what else its line names: %j', (text) => {
    expect(mayBeOf(text)).toEqual([undefined])
  })

  test('of several in a minified line each goes by its own name', () => {
    expect(mayBeOf(`{"a":1,"stripe":"${real}","pictify":"${real}","b":"${real}"}`)).toEqual([
      'Stripe',
      undefined,
      undefined,
    ])
  })
})

test.each([
  [`A=1\nPICTIFY_API_KEY=${real}\n`, 'PICTIFY_API_KEY'],
  [`export KEY="${real}"`, 'KEY'],
  [`  KEY_2='${real}'`, 'KEY_2'],
  [`key: ${real}`, undefined],
  [`# KEY=${real}`, undefined],
  [`KEY=http://${real}`, undefined],
])('the variable of %j is %s', (text, variable) => {
  expect(secretsIn(text).map((each) => each.variable)).toEqual([variable])
})

test('only what begins within bounds is found', () => {
  const text = `${real} ${real}`
  expect(secretsIn(text, 1).map(({ at }) => at)).toEqual([real.length + 1])
  expect(secretsIn(text, 0, real.length + 1).map(({ at, end }) => [at, end])).toEqual([[0, real.length]])
})

test('millions of characters that nearly are one are looked through at once', () => {
  expect(found(`pk_live_${'a'.repeat(2_000_000)}`)).toEqual([])
  expect(found('pk_live_'.repeat(250_000))).toEqual([])
  expect(found(`pk_live_${'aa-'.repeat(60)}B1! `.repeat(1_000))).toEqual([])
})

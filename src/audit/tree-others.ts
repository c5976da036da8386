// Rules of this file:
// - a name that has the API's own in it is of no other service;
// - what every service might draw (24 letters and digits, 40 hexadecimal ones) is another's by its name alone.

/** Services whose keys, meant for everybody, begin with `pk_live_` and `pk_test_` too. */
const services = [
  'Stripe',
  'Clerk',
  'Paystack',
  'PayMongo',
  'Moyasar',
  'Culqi',
  'Korapay',
  'MoonPay',
] as const

/**
 * The name that a value is set to, or that it is given to: `STRIPE_KEY=`, `"stripeKey": "`, `loadStripe('`, `--stripe-key `,
 * `<string name="stripe_key">`; and where that is but `value`, the one of a pair: `name: STRIPE_KEY, value: `.
 */
const named =
  /(?:\bname\\?["']?\s*[:=]\s*\\?["']?(?<pair>[\w.-]+)\\?["']?[\s,;]*\\?["']?(?:value|content)|(?<name>[\w$.-]+))[\\"'`\]]{0,4}[ \t]*(?:=>|:=|\|\||\?\?|[=:(>]|[ \t])\s*(?:\\?["'`])?$/i

/** A name is looked for no further before a value than this: what is tried out there must stay little. */
const nameReach = 160

/** Whose key it may be by what stands behind its prefix, and by the text before it; undefined: no other service's. */
export function otherServiceOf(body: string, before: string): string | undefined {
  const { pair, name } = named.exec(before.slice(-nameReach))?.groups ?? {}
  const words = (pair ?? name ?? '').toLowerCase()
  if (words.includes('pictify')) return undefined
  const service = services.find((each) => words.includes(each.toLowerCase()))
  return service ?? shapeOf(body) ?? (words.includes('publishable') ? 'another service' : undefined)
}

/** Of the shapes that only one service draws. */
function shapeOf(body: string): string | undefined {
  if (/^51[A-Za-z0-9]{80,110}$/.test(body)) return 'Stripe'
  // a host and a dollar sign, in base64 without its padding or with it
  const host = /^[A-Za-z0-9_+/-]+$/.test(body) ? Buffer.from(body, 'base64').toString('latin1') : ''
  return /^(?:[a-z0-9-]+\.)+[a-z]{2,}\$$/.test(host) ? 'Clerk' : undefined
}

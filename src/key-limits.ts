/** Active keys of each type that a plan allows; from the vendor's table. */
const keyLimits = {
  free: { live: 2, test: 5 },
  pro: { live: 10, test: 10 },
  business: { live: 50, test: 50 },
  enterprise: { live: Infinity, test: Infinity },
}

/** How many active keys of a type a plan allows; undefined when the plan is not known. */
export function keyLimit(
  plan: keyof typeof keyLimits | undefined,
  type: 'live' | 'test',
): number | undefined {
  return plan && keyLimits[plan][type]
}

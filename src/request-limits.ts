/** Requests that a plan allows each key; from the vendor's table. What is agreed on one by one is not known. */
const requestLimits = {
  free: { perMinute: 60, perDay: 1_000 },
  pro: { perMinute: 300, perDay: 10_000 },
  business: { perMinute: 1_000, perDay: 100_000 },
  enterprise: { perMinute: null, perDay: null },
}

export interface RequestLimits {
  plan: keyof typeof requestLimits | null
  /** Null where it is not known. */
  requestsPerMinute: number | null
  requestsPerDay: number | null
}

/** What each key may send; `perMinute` is what the API itself says, where it did. */
export function requestLimitsOf(
  plan: keyof typeof requestLimits | undefined,
  perMinute: number | undefined,
): RequestLimits {
  const limits = plan && requestLimits[plan]
  return {
    plan: plan ?? null,
    requestsPerMinute: perMinute ?? limits?.perMinute ?? null,
    requestsPerDay: limits?.perDay ?? null,
  }
}

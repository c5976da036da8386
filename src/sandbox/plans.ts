import type { KeyType, Plan } from '../api/contract.ts'

/** What a plan allows; key limits count active keys, rate limits count each key's requests. */
export interface PlanLimits {
  perMinute: number
  perDay: number
  keys: Record<KeyType, number>
}

export const planLimits: Record<Plan, PlanLimits> = {
  free: { perMinute: 60, perDay: 1_000, keys: { live: 2, test: 5 } },
  pro: { perMinute: 300, perDay: 10_000, keys: { live: 10, test: 10 } },
  business: { perMinute: 1_000, perDay: 100_000, keys: { live: 50, test: 50 } },
  // custom with the vendor; here so high that only a runaway meets it
  enterprise: { perMinute: 100_000, perDay: Infinity, keys: { live: Infinity, test: Infinity } },
}

/** Renders a test key may make in a UTC day, whatever the plan. */
export const testRendersPerDay = 100

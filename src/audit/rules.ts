import type { Rule } from './rule.ts'

/** Every rule, by its id's alphabet. */
export const rules: readonly Rule[] = []

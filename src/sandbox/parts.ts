/** What an API may be without. */
export const parts = ['audit-log', 'usage'] as const

export type Part = (typeof parts)[number]

import type { Ci } from './ci.ts'

/** Jenkins reads nothing off a log, and has no file of its own for values: the pipeline names one. */
export function jenkins(): Ci {
  return { name: 'Jenkins' }
}

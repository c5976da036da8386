// Starts the real servers for the suites of `npm run test:servers`, and ends them. What cannot be had is named; with
// REAL_SERVERS=required (CI) that fails the run.
import type { TestProject } from 'vitest/node'
import { start } from '../../scripts/servers/index.js'

declare module 'vitest' {
  export interface ProvidedContext {
    /** What each server that runs told of itself, by its name. */
    servers: Record<string, unknown>
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // SERVERS=a,b starts these alone
  const { facts, missing, end } = await start(process.env['SERVERS']?.split(','))
  const reasons = Object.entries(missing).map(
    ([name, why]) => `skipped, for it is not to be had here: ${name}: ${why}`,
  )
  if (reasons.length > 0 && process.env['REAL_SERVERS'] === 'required') {
    await end()
    throw new Error(reasons.join('\n'))
  }
  if (reasons.length > 0) process.stderr.write(`${reasons.join('\n')}\n`)
  project.provide('servers', facts)
  return end
}

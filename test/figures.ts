import { appendFileSync } from 'node:fs'
import path from 'node:path'
import { expect } from 'vitest'

/** What a long run counted. */
export type Figures = Readonly<Record<string, number | string>>

/**
 * Tells one row of figures under a title: on stdout where the test runs alone; to the run that gathers them (FIGURES
 * names its file) together with the test's own file, which is what to run to see them again.
 */
export function printFigures(title: string, figures: Figures): void {
  const file = path.relative('', expect.getState().testPath ?? '')
  const line = JSON.stringify({ title, file, figures })
  const gathered = process.env['FIGURES']
  if (gathered === undefined) process.stdout.write(`${line}\n`)
  else appendFileSync(gathered, `${line}\n`)
}

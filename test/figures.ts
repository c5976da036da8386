import { appendFileSync } from 'node:fs'

/** What a long run counted: printed where it runs alone, and gathered at the end of `npm run test:torture`. */
export type Figures = Readonly<Record<string, number | string>>

/** Prints one line of figures under a title, or hands it to the run that gathers them (FIGURES names its file). */
export function printFigures(title: string, figures: Figures): void {
  const gathered = process.env['FIGURES']
  const line = JSON.stringify({ title, figures })
  if (gathered === undefined) process.stdout.write(`${line}\n`)
  else appendFileSync(gathered, `${line}\n`)
}

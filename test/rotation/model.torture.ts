import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { printFigures } from '../figures.ts'
import { runModel } from './model-run.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pictify-model-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

it.each(['alone', 'with people'] as const)(
  'holds in thousands of orders of what may happen, %s',
  async (mode) => {
    const figures = await runModel(folder, mode, Number(process.env['MODEL_RUNS'] ?? 2_000))
    printFigures(`The model, ${mode}`, figures)
    expect(figures['keys minted']).toBeGreaterThan(1_000)
  },
)

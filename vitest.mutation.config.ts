import { configDefaults, defineConfig, mergeConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import quick from './vitest.config.ts'

/** Whole rotations first, which notice most; the model, which takes longest, last. */
class Likeliest extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) =>
      moduleId.endsWith('/rotate.test.ts') ? 0 : moduleId.endsWith('/model.test.ts') ? 2 : 1
    return Promise.resolve(files.toSorted((a, b) => rank(a) - rank(b)))
  }
}

// What a mutant is tried on: only tests that run in this process, and none that takes many seconds by itself. What the
// long ones find about crashes and races, the model finds in its short run.
export default mergeConfig(
  { ...quick, test: { ...quick.test, include: [] } },
  defineConfig({
    test: {
      // MUTATION_TESTS narrows it to the tests that a file is about: the targets need no rotation.
      include: (process.env['MUTATION_TESTS'] ?? 'test/rotation/*.test.ts,test/targets/*.test.ts').split(','),
      exclude: [...configDefaults.exclude, 'test/rotation/crash.test.ts', 'test/rotation/race.test.ts'],
      env: { MODEL_RUNS: process.env['MODEL_RUNS'] ?? '15' },
      // loading the modules anew for each file would take as long as its tests
      isolate: false,
      sequence: { sequencer: Likeliest },
    },
  }),
)

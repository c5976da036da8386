// The mutation run over what holds the invariants: `npm run test:mutation [-- --mutate src/rotation/abort.ts]`. It takes
// hours over both folders, so it is run by hand, file by file.
export default {
  testRunner: 'vitest',
  vitest: { configFile: 'vitest.mutation.config.ts' },
  mutate: ['src/rotation/*.ts', 'src/targets/*.ts'],
  coverageAnalysis: 'perTest',
  ignoreStatic: true,
  concurrency: 1,
  mutator: {
    // Texts: messages, hints, names of events and notes. Nothing decides by them but the journal's states and the
    // errors' codes, whose every use is compared with a literal elsewhere and is mutated there (`===`, conditions).
    excludedMutations: ['StringLiteral', 'ObjectLiteral', 'Regex'],
  },
  // Of a mutant that waits for ever on the virtual clock, the model says so itself; this is for the rest.
  timeoutMS: 10_000,
  timeoutFactor: 2,
  ignorePatterns: ['dist', 'reports', 'coverage', '.git'],
  tempDirName: 'reports/stryker-tmp',
  reporters: ['clear-text', 'json', 'progress-append-only'],
  clearTextReporter: { logTests: false, allowColor: false, reportTests: false },
  jsonReporter: { fileName: 'reports/mutation.json' },
}

import { systemClock } from '../../src/clock.ts'
import type { TargetDeps } from '../../src/targets/target.ts'

/** What a target gets of the world where a test does not say otherwise: a real clock, and nobody to ask. */
export function testDeps(cwd: string, more: Partial<TargetDeps> = {}): TargetDeps {
  return {
    cwd,
    env: { PATH: process.env['PATH'] },
    showSecret: undefined,
    debug: () => undefined,
    warn: () => undefined,
    secrets: () => [],
    clock: systemClock,
    createTarget: false,
    program: '/opt/pictify-keys/bin/pictify-keys.js',
    ...more,
  }
}

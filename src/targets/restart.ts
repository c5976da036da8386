import type { Target, TargetDeps } from './target.ts'

/** Something that has to be started anew to find what its targets hold by now (`--restart`). */
export interface Restart {
  /** As the user wrote it, for example `deployment/web`. */
  readonly name: string
  /** How long one `run` may take at most. Milliseconds. */
  readonly timeoutMs: number
  /** May we do it? Changes nothing. Throws `target-refused` with what to do. */
  check(signal?: AbortSignal): Promise<void>
  /**
   * Starts it anew and waits until all of it runs. The same `cause` (words with dashes between, the first of which is the
   * rotation) starts it once, however often it is asked for, unless another of that rotation came since; a repeat waits. Throws `target-failed` or `target-refused`.
   */
  run(cause: string, signal?: AbortSignal): Promise<void>
}

/** What `--restart` names, each once. Throws `usage`. */
export async function parseRestarts(
  specs: readonly string[],
  targets: readonly Target[],
  deps: TargetDeps,
): Promise<Restart[]> {
  if (specs.length === 0) return []
  const { parseRestart } = await import('./kubernetes-rollout.ts')
  return [...new Set(specs)].map((spec) => parseRestart(spec, targets, deps))
}

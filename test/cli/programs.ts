import { execFileSync } from 'node:child_process'

/** Whether this machine has programs of these names. */
export function has(...programs: string[]): boolean {
  try {
    for (const program of programs) execFileSync('sh', ['-c', 'command -v "$0"', program])
    return true
  } catch {
    return false
  }
}

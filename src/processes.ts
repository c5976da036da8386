import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { Processes } from './rotation/lock.ts'

const run = promisify(execFile)

/** The processes of this machine. `signal0` is `process.kill(pid, 0)`: it throws for a process that is not there. */
export function createProcesses(
  pid: number,
  platform: NodeJS.Platform,
  signal0: (pid: number) => void,
): Processes {
  return {
    pid,
    async startOf(other) {
      if (!exists(other, signal0)) return undefined
      if (platform === 'linux') return startOnLinux(other)
      if (platform === 'win32') return 'running'
      // It is there; where ps does not say since when, a pid that was reused cannot be told, and its lock stands.
      const { stdout } = await run('ps', ['-o', 'lstart=', '-p', String(other)]).catch(() => ({ stdout: '' }))
      return stdout.trim() || 'running'
    },
  }
}

function exists(pid: number, signal0: (pid: number) => void): boolean {
  try {
    signal0(pid)
    return true
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Ticks since boot at its start, with the boot it belongs to; a zombie counts as gone. */
async function startOnLinux(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z') return undefined
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8')
    return `${boot.trim()} ${fields[19]}`
  } catch (error) {
    // ESRCH: it ended between the opening and the reading.
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

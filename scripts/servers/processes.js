// Starting and ending the programs that the suites of the stores run against. All listen on loopback.
import { execFile, spawn } from 'node:child_process'
import { open } from 'node:fs/promises'
import { createServer } from 'node:net'
import { promisify } from 'node:util'

const runFile = promisify(execFile)

/** Runs a command to its end; resolves to its stdout. Throws with the end of what it said. */
export async function run(command, args, options = {}) {
  try {
    const { stdout } = await runFile(command, args, { maxBuffer: 64 * 1024 * 1024, ...options })
    return stdout
  } catch (error) {
    const said = `${error.stderr ?? ''}${error.stdout ?? ''}`.trim().split('\n').slice(-5).join('\n')
    throw new Error(`${command} ${args.join(' ')}: ${said || error.message}`, { cause: error })
  }
}

/** Where a command is; undefined where there is none. */
export async function which(command) {
  try {
    return (await run('sh', ['-c', `command -v "$0"`, command])).trim()
  } catch {
    // that it is not there is the answer
    return undefined
  }
}

/** A port of 127.0.0.1 that nothing listens on just now. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

/**
 * Starts a program that stays, with what it says in `log`, and waits until `isReady` says so (a minute at most). It is a
 * process group of its own, so that all of it can be ended by its id.
 */
export async function start(command, args, { log, isReady, timeoutMs = 60_000, ...options }) {
  const file = await open(log, 'a')
  const child = spawn(command, args, { detached: true, stdio: ['ignore', file.fd, file.fd], ...options })
  await file.close()
  let ended
  child.once('error', (error) => (ended = error.message))
  child.once('exit', (code, signal) => (ended ??= `ended with ${signal ?? code}`))
  child.unref()
  const deadline = Date.now() + timeoutMs
  while (!(await isReady().catch(() => false))) {
    if (ended !== undefined) throw new Error(`${command} ${ended}; see ${log}`)
    if (Date.now() > deadline) {
      await stop(child.pid)
      throw new Error(`${command} was not ready within ${timeoutMs / 1000}s; see ${log}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return child.pid
}

/** Ends a program that `start` started, and all it started. */
export async function stop(pid) {
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    for (let tries = 0; tries < 50; tries++) {
      try {
        process.kill(-pid, tries === 0 ? signal : 0)
      } catch {
        // no such group any more: it has ended
        return
      }
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

/** Whether a GET of the URL is answered at all. */
export const answers = (url) => fetch(url).then(() => true)

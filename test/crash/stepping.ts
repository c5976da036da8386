// A run that stands still at every point, so that all there is can be looked at there.
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { hasEnded } from '../cli/program.ts'
import { pointsFile, type Round, type Sabotaged } from './round.ts'

const goFile = `${pointsFile}.go`

/** Runs the line to its end, and calls `look` at every point that fits `only`, while the program stands still at it. */
export async function stepThrough(
  round: Round,
  look: (point: string) => void | Promise<void>,
  { only = '', more = [] }: { only?: string; more?: readonly string[] } = {},
): Promise<Sabotaged> {
  const { directory } = round.home
  const go = path.join(directory, goFile)
  const ran = await round.run(
    { at: Infinity, what: 'wait', only, go },
    {
      more,
      async whileRunning({ child }) {
        for (let passed = 0; ; passed++) {
          let point: string | undefined
          while ((point = pointAt(round, passed)) === undefined) {
            if (hasEnded(child)) return
            await sleep(1)
          }
          await look(point)
          writeFileSync(go, String(passed + 1))
        }
      },
    },
  )
  rmSync(go, { force: true })
  return ran
}

/** The point that was come to after so many others; undefined until its line is there as a whole. */
function pointAt({ home }: Round, passed: number): string | undefined {
  const lines = readFileSync(path.join(home.directory, pointsFile), { encoding: 'utf8', flag: 'a+' }).split(
    '\n',
  )
  return passed < lines.length - 1 ? lines[passed] : undefined
}

/**
 * All that a death at this moment would leave: every file and folder of the home with its mode and its bytes, every key
 * of the account with its name (and the lease in it) and its status, and how often this program has used each, by which
 * a resume decides. Not in it: instants (a file's, a key's last use), and what the admin key was used for.
 */
export function whatIsThere(round: Round): Map<string, string> {
  const { home, sandbox } = round
  const there = new Map<string, string>()
  for (const entry of readdirSync(home.directory, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name)
    const name = path.relative(home.directory, file)
    if (name.startsWith(pointsFile)) continue
    // A command of the user's goes on by itself, and may have renamed it by now.
    const mode = ((statSync(file, { throwIfNoEntry: false })?.mode ?? 0) & 0o7777).toString(8)
    if (mode !== '0') there.set(name, entry.isFile() ? `${mode} ${readFileSync(file, 'latin1')}` : mode)
  }
  for (const { id, name, status, access } of sandbox.keys()) {
    const uses = sandbox.requests.filter(
      ({ keyId, headers }) => keyId === id && headers['user-agent']?.startsWith('pictify-keys/'),
    )
    there.set(id, `${name} ${status}${access === 'admin' ? '' : ` used ${uses.length}`}`)
  }
  return there
}

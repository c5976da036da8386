// The real `gh`, against which what the GitHub targets write and ask is held. It is a tool and no server: nothing of it
// stays.
import { readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { run, which } from './processes.js'

export const gh = {
  name: 'gh',
  title: 'gh, the command line of GitHub',

  /** Resolves to the path of gh. */
  async install(cache) {
    const places = ['gh', path.join(cache, 'usr', 'bin', 'gh'), path.join(cache, 'bin', 'gh')]
    for (const place of places) {
      const found = await which(place)
      if (found) return found
    }
    const reasons = []
    for (const way of [fromDebian, fromSource]) {
      try {
        return await way(cache)
      } catch (error) {
        reasons.push(error.message)
      }
    }
    throw new Error(reasons.join('; '))
  },

  async start(gh) {
    const [first = ''] = (await run(gh, ['--version'])).split('\n')
    return { facts: { gh, version: first }, pids: [] }
  },
}

/** The package, unpacked and not installed, which needs no rights. */
async function fromDebian(cache) {
  if (!(await which('apt-get'))) throw new Error('there is no apt-get')
  await run('apt-get', ['download', 'gh'], { cwd: cache })
  const packages = (await readdir(cache)).filter((name) => name.endsWith('.deb'))
  const last = packages.sort().at(-1)
  if (last === undefined) throw new Error('apt-get gave no package gh')
  await run('dpkg-deb', ['-x', path.join(cache, last), cache])
  for (const name of packages) await rm(path.join(cache, name))
  return path.join(cache, 'usr', 'bin', 'gh')
}

async function fromSource(cache) {
  if (!(await which('go'))) throw new Error('there is no go')
  const env = { ...process.env, GOBIN: path.join(cache, 'bin'), GOFLAGS: '-mod=mod' }
  await run('go', ['install', 'github.com/cli/cli/v2/cmd/gh@latest'], { env })
  return path.join(cache, 'bin', 'gh')
}

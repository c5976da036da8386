// The servers and tools that the suites of the stores and of the examples need, beyond Node and npm. Each is one file beside
// this one, or a line of tools.js:
//   name      the word for it
//   title     what it is
//   install(cache)          puts it into the folder `cache` where it is not there yet; resolves to what `start` needs.
//                           Throws with the reason where it cannot be had on this machine.
//   start(installed, folder)  starts it; `folder` is empty and its own. Resolves to { facts, pids }: what a test must know
//                           (addresses, keys for this run), and what is to be ended.
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import path from 'node:path'
import { aws } from './aws.js'
import { gcloud } from './gcloud.js'
import { gh } from './gh.js'
import { keychain } from './keychain.js'
import { kubectl } from './kubectl.js'
import { kubernetes } from './kubernetes.js'
import { stop } from './processes.js'
import { tools } from './tools.js'
import { vault } from './vault.js'

export const servers = [aws, gcloud, gh, keychain, kubectl, kubernetes, vault, ...tools]

/** Where what was installed is kept from run to run. */
export const cache = path.join(
  process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'),
  'pictify-keys-servers',
)

/** Installs those of the given names. Resolves to what was installed, and to why the rest could not be had, by name. */
export async function install(names = servers.map(({ name }) => name)) {
  const installed = {}
  const missing = {}
  for (const server of chosen(names)) {
    const folder = path.join(cache, server.name)
    await mkdir(folder, { recursive: true })
    try {
      installed[server.name] = await server.install(folder)
    } catch (error) {
      missing[server.name] = error.message
    }
  }
  return { installed, missing }
}

/**
 * Installs and starts those of the given names. Resolves to the facts of each, why the rest are not there, the ids of
 * what runs, the folder they write to, and the way to end it all.
 */
export async function start(names) {
  const { installed, missing } = await install(names)
  const folder = await mkdtemp(path.join(tmpdir(), 'pictify-keys-servers-'))
  const facts = {}
  const pids = []
  for (const server of chosen(Object.keys(installed))) {
    const own = path.join(folder, server.name)
    await mkdir(own)
    try {
      const started = await server.start(installed[server.name], own)
      facts[server.name] = started.facts
      pids.push(...started.pids)
    } catch (error) {
      missing[server.name] = error.message
    }
  }
  return { facts, missing, pids, folder, end: () => end({ pids, folder }) }
}

/** Ends what `start` started. */
export async function end({ pids, folder }) {
  await Promise.all(pids.map(stop))
  await rm(folder, { recursive: true, force: true })
}

function chosen(names) {
  const unknown = names.filter((name) => !servers.some((server) => server.name === name))
  if (unknown.length > 0) throw new Error(`there is no server ${unknown.join(', ')}`)
  return servers.filter(({ name }) => names.includes(name))
}

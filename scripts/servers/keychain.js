// GNOME's keyring daemon, as the Secret Service of a Linux desktop, with the bus it is reached by and the tool that looks
// into it. A suite starts daemons of its own (locked, hanging, gone), so here is only what they need.
import { readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { run, which } from './processes.js'

const programs = {
  daemon: 'gnome-keyring-daemon',
  tool: 'secret-tool',
  bus: 'dbus-daemon',
  send: 'dbus-send',
  // takes calls and never answers, as a window that nobody sees
  silence: 'dbus-test-tool',
}
/** What Debian has of it that a machine without a desktop lacks. */
const packages = [
  'gnome-keyring',
  'libsecret-tools',
  'libsecret-1-0',
  'libgcr-base-3-1',
  'libgck-1-0',
  'dbus-tests',
]

export const keychain = {
  name: 'keychain',
  title: 'GNOME Keyring, as the Secret Service',

  /** Resolves to the path of each program, and to where their libraries are, if not where the system looks. */
  async install(cache) {
    const usr = path.join(cache, 'usr')
    const found = (await all(which)) ?? (await unpacked(usr))
    if (found) return found
    await fromDebian(cache)
    const fetched = await unpacked(usr)
    if (!fetched) throw new Error('the packages of Debian have not all of the programs')
    return fetched
  },

  async start(installed) {
    const env = { ...process.env, ...installed.env }
    const [version = ''] = (await run(installed.daemon, ['--version'], { env })).split('\n')
    return { facts: { ...installed, version }, pids: [] }
  },
}

/** Every program by what `find` makes of its name; undefined where one is missing. */
async function all(find, env = {}) {
  const entries = await Promise.all(
    Object.entries(programs).map(async ([key, name]) => [key, await find(name)]),
  )
  return entries.every(([, found]) => found) ? { ...Object.fromEntries(entries), env } : undefined
}

/** Of what was unpacked, with the libraries beside it; what of it the system has itself comes from there. */
async function unpacked(usr) {
  const lib = path.join(usr, 'lib')
  const folder = (await readdir(lib).catch(() => [])).find((name) => name.includes('-linux-'))
  if (folder === undefined) return undefined
  const env = { LD_LIBRARY_PATH: path.join(lib, folder) }
  return all(async (name) => (await which(path.join(usr, 'bin', name))) ?? which(name), env)
}

/** The packages, unpacked and not installed, which needs no rights. */
async function fromDebian(cache) {
  if (!(await which('apt-get'))) throw new Error('there is no gnome-keyring-daemon, and no apt-get')
  const missing = (await which('dbus-daemon')) ? [] : ['dbus-daemon', 'dbus-bin']
  await run('apt-get', ['download', ...packages, ...missing], { cwd: cache })
  for (const name of (await readdir(cache)).filter((each) => each.endsWith('.deb'))) {
    await run('dpkg-deb', ['-x', path.join(cache, name), cache])
    await rm(path.join(cache, name))
  }
}

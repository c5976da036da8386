// Loaded into the real program (`node --import`), it counts every durable step and every request as the program
// comes to it, and at one of them does what SABOTAGE says: kills the process, signals it, or has the disk fail.
// Rules of this file:
// - the points are found, never listed: whatever the program does to the disk or the network is one;
// - what is done at a point is done at once, in the same turn of the loop: nothing happens in between;
// - it changes nothing else, and a run without SABOTAGE is not a test.
import childProcess from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import syncFs from 'node:fs'
import fs from 'node:fs/promises'
import http2 from 'node:http2'
import { syncBuiltinESMExports } from 'node:module'
import { homedir } from 'node:os'

/**
 * @typedef {object} Sabotage
 * @property {string} log      where every point passed is written, a line each
 * @property {number} [at]     the point by its place among all, from 1
 * @property {string} [match]  instead: the first point that fits this pattern, or the `nth`
 * @property {number} [nth]
 * @property {boolean} [on]    with a disk error: at every later point too
 * @property {boolean} [reads] reads, closes and changes of mode are points too, which only a failing disk makes them
 * @property {string} [only] only points that fit this pattern count
 * @property {string} [says] only points count after which the file they are about fits this pattern
 * @property {{ only: string, nth: number }} [since] only points count that come after the `nth` of those that fit that pattern
 * @property {string} [what]   `SIGKILL`, `SIGTERM`, `SIGINT` or a disk error: `ENOSPC`, `EIO`, `EROFS`; `torn` writes half and dies;
 *                             `plant` puts a link to the file `plant` where the program is about to write;
 *                             `wait` stands still at every point until the file `go` says how many may have been passed
 * @property {string} [plant]
 * @property {string} [go]
 */

/** @type {Sabotage} */
const {
  log,
  at = Infinity,
  match,
  nth = 1,
  on = false,
  reads = false,
  plant,
  only = '',
  says,
  since = { only: '', nth: 0 },
  go,
  what = 'SIGKILL',
} = JSON.parse(process.env.SABOTAGE ?? 'null')
delete process.env.SABOTAGE

let passed = 0
let fitted = 0
const fits = match === undefined ? undefined : new RegExp(match)
const { writeSync } = syncFs
const written = syncFs.openSync(log, 'a')

const wanted = new RegExp(only)
const content = says === undefined ? undefined : new RegExp(says)
const first = new RegExp(since.only)
let toCome = since.nth

/** Counts a point; returns whether something is to happen at it. */
function pass(point, file) {
  if (toCome > 0) {
    if (first.test(point)) toCome -= 1
    return false
  }
  if (!wanted.test(point)) return false
  if (content !== undefined && !(file && content.test(syncFs.readFileSync(file, 'utf8')))) return false
  passed += 1
  writeSync(written, `${point}\n`)
  if (what === 'wait') standStill()
  if (fits === undefined) return passed === at || (on && passed > at)
  const isFit = fits.test(point)
  if (isFit) fitted += 1
  return (isFit && fitted === nth) || (on && fitted >= nth)
}

/** Nothing of this process goes on meanwhile. */
function standStill() {
  const cell = new Int32Array(new SharedArrayBuffer(4))
  const giveUpAt = Date.now() + 60_000
  while (!syncFs.existsSync(go) || Number(syncFs.readFileSync(go, 'utf8')) < passed) {
    if (Date.now() > giveUpAt) throw new Error(`nobody let it go on from point ${passed}`)
    Atomics.wait(cell, 0, 0, 1)
  }
}

/** A point where only a signal makes sense. */
function reach(point, file) {
  if (pass(point, file) && what.startsWith('SIG')) process.kill(process.pid, what)
}

/** What varies from run to run is taken out of names, so that runs can be compared. */
function plain(name) {
  return String(name)
    .replace(homedir(), '~')
    .replace(/\.\d+-[0-9a-f]{24}\.tmp$/, '.tmp')
    .replace(/\.[0-9a-f]{8}-\d+-[0-9a-f]{16}\.new/g, '.*.new')
    .replace(/\.[0-9a-f]{16,}/g, '.*')
    .replace(/key_\w+/g, ':id')
    .replace(/(:id)\.[0-9a-f]{6}\.json/, '$1.json')
}

/** Passes a point before and after an operation on the disk, which fails at the first where that was asked for. */
async function around(operation, file, work, tear) {
  if (pass(`before ${operation} ${plain(file)}`)) {
    if (what.startsWith('SIG')) process.kill(process.pid, what)
    else if (what === 'torn') await tear?.()
    else if (what === 'plant') await plantAt(file)
    else throw diskError(operation, file)
  }
  const result = await work()
  reach(`after ${operation} ${plain(file)}`, file)
  return result
}

/** As somebody does who knows the name and is quick. */
async function plantAt(file) {
  syncFs.rmSync(file, { force: true })
  syncFs.symlinkSync(plant, file)
}

const diskErrors = {
  ENOSPC: [-28, 'no space left on device'],
  EIO: [-5, 'i/o error'],
  EROFS: [-30, 'read-only file system'],
}

function diskError(syscall, path) {
  const [errno, message] = diskErrors[what]
  return Object.assign(new Error(`${what}: ${message}, ${syscall} '${path}'`), {
    code: what,
    errno,
    syscall,
    path,
  })
}

for (const operation of ['rename', 'link', 'unlink', 'mkdir', 'rm', 'writeFile']) {
  const real = fs[operation]
  fs[operation] = (path, ...rest) => {
    // Two names: what is new is what counts.
    const name = operation === 'rename' || operation === 'link' ? rest[0] : path
    return around(operation, name, () => real(path, ...rest))
  }
}

const realOpen = fs.open
fs.open = async (path, flags, ...rest) => {
  const creates = typeof flags === 'number' ? (flags & 0o100) !== 0 : /[wax+]/.test(flags ?? 'r')
  const open = () => realOpen(path, flags, ...rest)
  const isRead = reads && isOnDisk(path)
  const handle = creates || isRead ? await around('open', path, open) : await open()
  for (const operation of [
    'writeFile',
    'write',
    'sync',
    'datasync',
    'truncate',
    ...(isRead ? readsOfHandle : []),
  ]) {
    const real = handle[operation].bind(handle)
    const name = operation.endsWith('sync') ? 'fsync' : operation
    handle[operation] = (...args) =>
      around(
        name,
        path,
        () => real(...args),
        operation === 'writeFile' ? () => tear(real, args[0]) : undefined,
      )
  }
  if (isRead) {
    // A close that fails has closed all the same.
    const close = handle.close.bind(handle)
    handle.close = () =>
      around('close', path, close).catch((error) => close().then(() => Promise.reject(error)))
  }
  return handle
}

const readsOfHandle = ['readFile', 'read', 'stat', 'chmod', 'chown']

/** What the system makes up as it is asked does not fail as a disk does. */
function isOnDisk(path) {
  return !String(path).startsWith('/proc/')
}

if (reads) {
  for (const operation of ['readFile', 'readdir', 'stat', 'lstat', 'realpath', 'access', 'chmod']) {
    const real = fs[operation]
    fs[operation] = (path, ...rest) =>
      isOnDisk(path) ? around(operation, path, () => real(path, ...rest)) : real(path, ...rest)
  }
}

/** As after a power cut: a part of it is on the disk. */
async function tear(writeFile, bytes) {
  await writeFile(bytes.slice(0, Math.floor(bytes.length / 2)))
  process.kill(process.pid, 'SIGKILL')
}

/** The same for requests; undici tells of them on channels of its own. */
for (const [channel, point] of [
  ['undici:request:create', 'before'],
  ['undici:request:bodySent', 'sent'],
  ['undici:request:headers', 'answered'],
  ['undici:request:trailers', 'read'],
]) {
  subscribe(channel, ({ request, response }) => {
    const status = response ? ` ${response.statusCode}` : ''
    reach(`${point} ${request.method} ${plain(request.path).replace(/\?.*/, '')}${status}`)
  })
}

/** What the libraries of the stores ask, over Node's own client. */
for (const [channel, point] of [
  ['http.client.request.start', 'before'],
  ['http.client.response.finish', 'read'],
]) {
  subscribe(channel, ({ request, response }) => {
    const what = request.getHeader('x-amz-target') ?? plain(request.path).replace(/\?.*/, '')
    reach(`${point} ${request.method} ${what}${response ? ` ${response.statusCode}` : ''}`)
  })
}

/** And over HTTP/2, which tells nobody of what it does on every Node. */
const realConnect = http2.connect
http2.connect = (...args) => {
  const session = realConnect(...args)
  const realRequest = session.request.bind(session)
  session.request = (headers, ...rest) => {
    const what = `${headers[':method']} ${headers[':path']}`
    reach(`before ${what}`)
    return realRequest(headers, ...rest).once('end', () => reach(`read ${what}`))
  }
  return session
}

/** A command of the user's, from its start to the last byte it is given. */
const realSpawn = childProcess.spawn
childProcess.spawn = (...args) => {
  reach('before spawn')
  const child = realSpawn(...args)
  reach('after spawn')
  const end = child.stdin?.end.bind(child.stdin)
  if (end) {
    child.stdin.end = (...given) => {
      const result = end(...given)
      reach('after its input')
      return result
    }
  }
  child.once('exit', () => reach('exit of what was spawned'))
  return child
}
syncBuiltinESMExports()

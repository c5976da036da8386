// Loaded into the real program (`node --import`), it writes down what every child is started with, and makes the
// program fail where CHILDREN says: with an error that quotes a secret, as a fault of ours would.
import { Buffer } from 'node:buffer'
import { ChildProcess } from 'node:child_process'
import { appendFileSync } from 'node:fs'

/**
 * @typedef {object} Wanted
 * @property {string} log  where every child is written, its words and its environment, a line each
 * @property {string} [crash] `throw`: sealing a minted secret throws; `reject`: a promise that nobody waits for is
 *                         rejected while the answer to a create is read
 */

/** @type {Wanted} */
const { log, crash } = JSON.parse(process.env.CHILDREN ?? 'null')
delete process.env.CHILDREN

const spawn = ChildProcess.prototype.spawn
ChildProcess.prototype.spawn = function (options) {
  const { file, args, envPairs } = options
  appendFileSync(log, `${JSON.stringify({ file, args, envPairs })}\n`)
  return spawn.call(this, options)
}

const adminKey = process.env.PICTIFY_ADMIN_KEY

function fault(secret) {
  const parts = [secret, secret.slice(10, 24), Buffer.from(secret).toString('base64'), adminKey].join(' ')
  return new TypeError(`cannot use ${parts}`, { cause: new Error(`for ${parts}`) })
}

if (crash === 'throw') {
  const stringify = JSON.stringify
  JSON.stringify = (value, ...rest) => {
    if (typeof value?.successor === 'string') throw fault(value.successor)
    return stringify(value, ...rest)
  }
}
if (crash === 'reject') {
  const parse = JSON.parse
  JSON.parse = (text, ...rest) => {
    const secret = /"secret":"(pk_[^"]+)"/.exec(text)?.[1]
    if (secret !== undefined) void Promise.reject(fault(secret))
    return parse(text, ...rest)
  }
}

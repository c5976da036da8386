// The real servers that the suites of the stores run against: moto, OpenBao, Kubernetes, and the tools beside them.
//   node scripts/real-servers.js install [names]   puts what is missing into the cache
//   node scripts/real-servers.js start [names]     starts them on loopback, and prints where
//   node scripts/real-servers.js stop              ends what start started
// `npm run test:servers` starts a set of its own and ends it.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { cache, end, install, start } from './servers/index.js'

// not among the temporary files, where anybody could put one that names what is to be ended and removed
const state = path.join(cache, 'running.json')
const [verb, ...names] = process.argv.slice(2)
const wanted = names.length > 0 ? names : undefined

function tell(missing) {
  for (const [name, why] of Object.entries(missing)) {
    console.error(`not to be had here: ${name}: ${why}`)
    process.exitCode = 1
  }
}

/** Whether nothing runs of an earlier start; from here on something does. */
async function reserve() {
  await mkdir(cache, { recursive: true })
  const made = await writeFile(state, '', { mode: 0o600, flag: 'wx' }).then(() => true, whereThere)
  if (made) return true
  console.error('some were started already: run `node scripts/real-servers.js stop` first')
  process.exitCode = 1
  return false
}

/** Undefined where a file is there, or is not, against what was expected. */
function whereThere(error) {
  if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error
}

if (verb === 'install') {
  const { installed, missing } = await install(wanted)
  console.log(Object.keys(installed).join('\n'))
  tell(missing)
} else if (verb === 'start') {
  if (await reserve()) {
    const { facts, missing, pids, folder } = await start(wanted).catch(async (error) => {
      await rm(state)
      throw error
    })
    await writeFile(state, JSON.stringify({ pids, folder }))
    console.log(JSON.stringify(facts, null, 2))
    tell(missing)
  }
} else if (verb === 'stop') {
  const text = await readFile(state, 'utf8').catch(whereThere)
  if (text === undefined) console.log('nothing was started')
  else {
    // empty: a start that was broken off, of which nothing is known
    if (text !== '') await end(JSON.parse(text))
    await rm(state)
  }
} else {
  console.error('usage: node scripts/real-servers.js install|start|stop [names]')
  process.exitCode = 2
}

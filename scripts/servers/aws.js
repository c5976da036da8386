// AWS as moto plays it: two of it, one that asks nobody who they are and one that keeps to IAM policies where it is told to.
import path from 'node:path'
import { answers, freePort, run, start as startProgram, which } from './processes.js'

export const aws = {
  name: 'aws',
  title: 'moto, a stand-in for AWS',

  /** Resolves to the path of moto_server. */
  async install(cache) {
    const found = (await which('moto_server')) ?? (await which(path.join(cache, 'bin', 'moto_server')))
    if (found) return found
    const python = await which('python3')
    if (!python) throw new Error('there is neither moto_server nor python3')
    await run(python, ['-m', 'venv', cache])
    await run(path.join(cache, 'bin', 'pip'), ['install', '--quiet', 'moto[server]'])
    return path.join(cache, 'bin', 'moto_server')
  },

  /** `guarded` is for one suite alone: who may do what is switched on and off for all of it. */
  async start(moto, folder) {
    const [open, guarded] = await Promise.all([serve('open'), serve('guarded')])
    return { facts: { url: open.url, guarded: guarded.url }, pids: [open.pid, guarded.pid] }

    async function serve(log) {
      const port = await freePort()
      const url = `http://127.0.0.1:${port}`
      const pid = await startProgram(moto, ['-H', '127.0.0.1', '-p', String(port)], {
        log: path.join(folder, `${log}.log`),
        isReady: () => answers(url),
      })
      return { url, pid }
    }
  },
}

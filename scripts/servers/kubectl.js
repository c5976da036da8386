// The real `kubectl`, which finds what the Kubernetes target writes and writes beside it. It is a tool and no server; it
// comes with the machine.
import { run, which } from './processes.js'

export const kubectl = {
  name: 'kubectl',
  title: 'kubectl, the command line of Kubernetes',

  /** Resolves to the path of kubectl. */
  async install() {
    const found = await which('kubectl')
    if (!found) throw new Error('there is no kubectl on the PATH')
    return found
  },

  async start(kubectl) {
    const [first = ''] = (await run(kubectl, ['version', '--client'])).split('\n')
    return { facts: { kubectl, version: first }, pids: [] }
  },
}

// The real gcloud, from where the machine has it: Google's own client, held against ours.
import path from 'node:path'
import { run, which } from './processes.js'

export const gcloud = {
  name: 'gcloud',
  title: 'Google Cloud CLI',

  async install() {
    const command = await which('gcloud')
    if (command === undefined) {
      throw new Error(
        'no gcloud is on the PATH, and no package registry has it (Google ships it by its own archive): https://cloud.google.com/sdk/docs/install',
      )
    }
    return { command }
  },

  async start({ command }, folder) {
    const config = path.join(folder, 'config')
    // a folder of its own, so that no login of this machine is used, and nothing is asked or sent home
    const env = {
      CLOUDSDK_CONFIG: config,
      CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
      CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: '1',
      CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: '1',
    }
    const said = await run(command, ['version', '--format=json'], { env: { ...process.env, ...env } })
    return { facts: { command, env, version: JSON.parse(said)['Google Cloud SDK'] }, pids: [] }
  },
}

import path from 'node:path'
import type { Ci, Environment } from './ci.ts'

/** Azure Pipelines. Its script tasks hand stderr to the agent with stdout, and the agent reads commands off all of it. */
export function azure(env: Environment): Ci {
  const { AGENT_TEMPDIRECTORY: folder } = env
  return {
    name: 'Azure Pipelines',
    mask: (value) => `##vso[task.setsecret]${data(value)}`,
    annotation: (level, message) => `##vso[task.logissue type=${level}]${data(message)}`,
    group: { open: (title) => `##[group]${title}`, close: () => '##[endgroup]' },
    output: {
      line: (name, value) => `##vso[task.setvariable variable=${name};isOutput=true]${data(value)}`,
    },
    summary: folder
      ? (unique) => {
          const file = path.resolve(folder, `pictify-keys-${unique}.md`)
          return { file, line: `##vso[task.uploadsummary]${data(file)}` }
        }
      : undefined,
  }
}

/** As the agent wants what follows the `]`. */
function data(text: string): string {
  return text.replaceAll('%', '%AZP25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

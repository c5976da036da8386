// examples/Jenkinsfile, read by the Groovy that Jenkins has. Its own checker of declarative pipelines is in no package
// registry: what stands in for it (jenkins.groovy) knows the directives and steps that are used, and refuses all others.
import { tmpdir } from 'node:os'
import path from 'node:path'
import { root, run } from './folder.ts'

export interface JenkinsFacts {
  java: string
  groovy: string
}

export interface Build {
  result: 'SUCCESS' | 'FAILURE'
  description: string | null
  error: string | null
  /** What `sh` was given. */
  scripts: string[]
  archived: string[]
}

interface Given {
  file?: string
  workspace?: string
  env?: Record<string, string>
  credentials: Record<string, string>
  runs: boolean
}

/** Throws with what is wrong where it cannot be read; `log` is what its scripts said. */
export async function playJenkinsfile(
  { java, groovy }: JenkinsFacts,
  { file = path.join(root, 'examples/Jenkinsfile'), workspace = tmpdir(), env = {}, ...given }: Given,
): Promise<Build & { log: string }> {
  const input = JSON.stringify({ file, workspace, env: { WORKSPACE: workspace, ...env }, ...given })
  // Groovy 2.4 looks into classes that Java closes by now
  const open = ['java.base/java.lang', 'java.base/java.util'].flatMap((each) => [
    '--add-opens',
    `${each}=ALL-UNNAMED`,
  ])
  const script = path.join(root, 'test/examples/jenkins.groovy')
  const ran = await run(java, [...open, '-cp', groovy, 'groovy.ui.GroovyMain', script], { input })
  if (ran.code !== 0) throw new Error(ran.stderr)
  return { ...(JSON.parse(ran.stdout) as Build), log: ran.stderr }
}

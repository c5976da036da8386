// Workflows of GitHub Actions, run by act on this very machine. What a workflow uses from other repositories is a stand-in that
// leaves in the environment what the real one would.
import { copyFile, cp, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { parse } from 'yaml'
import { root, run, text, type Finished, type Folder } from './folder.ts'

interface Step {
  name?: string
  id?: string
  uses?: string
  with?: Record<string, string>
  run?: string
}

export interface Action {
  inputs: Record<string, { description: string; default: string }>
  outputs: Record<string, { description: string; value: string }>
  runs: { using: string; steps: (Step & { run: string; shell: string; env: Record<string, string> })[] }
}

export interface Workflow {
  jobs: Record<string, { steps: Step[] }>
}

export const action = async () => parse(await text('action.yml')) as Action

/** The repository as the action is checked out, where `built` as a release with its dist/. */
export async function checkOut(folder: Folder, built = true): Promise<string> {
  const to = path.join(folder.directory, 'checkout')
  const tracked = await run('git', ['ls-files', '-z'])
  // a build that runs beside writes its files under other names first
  const isWhole = (file: string) => !/\.\d+$/.test(file)
  const isPacked = (file: string) => /^(?:bin|docs|schema)\/|^[^/]+$/.test(file)
  for (const file of tracked.stdout.split('\0').filter((each) => each !== '' && (!built || isPacked(each)))) {
    await mkdir(path.dirname(path.join(to, file)), { recursive: true })
    await copyFile(path.join(root, file), path.join(to, file))
  }
  if (built) await cp(path.join(root, 'dist'), path.join(to, 'dist'), { recursive: true, filter: isWhole })
  return to
}

export interface ActRun {
  /** The text of a workflow. */
  workflow: string
  /** The folder that stands for OWNER/pictify-keys@v0.1.0. */
  checkout: string
  env: Record<string, string>
  secrets?: Record<string, string>
  /** Of workflow_dispatch. */
  inputs?: Record<string, string>
}

/** Runs a workflow to its end; `stdout` is its log. */
export async function act(command: string, folder: Folder, given: ActRun): Promise<Finished> {
  const { checkout, env, secrets = {}, inputs = {} } = given
  const file = path.join(folder.directory, '.github/workflows/workflow.yml')
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, given.workflow)
  const event = path.join(folder.directory, 'event.json')
  await writeFile(event, JSON.stringify({ inputs }))
  const { PATH = '', ...jobEnv } = { ...folder.env, ...env }
  const repositories = { 'OWNER/pictify-keys@v0.1.0': checkout, ...(await standIns(given.workflow, folder)) }
  const args = [
    ...['workflow_dispatch', '-C', folder.directory, '-W', file, '-e', event],
    ...['-P', 'ubuntu-24.04=-self-hosted', '--no-cache-server', '--pull=false'],
    ...['--action-cache-path', path.join(folder.directory, 'act')],
    ...Object.entries(repositories).flatMap(([uses, at]) => ['--local-repository', `${uses}=${at}`]),
    ...Object.entries(jobEnv).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    ...Object.keys(secrets).flatMap((name) => ['-s', name]),
  ]
  const own = { PATH, HOME: folder.directory, ACT_DISABLE_VERSION_CHECK: '1', NO_COLOR: '1', ...secrets }
  return run(command, args, { env: own, cwd: folder.directory })
}

/** What aws-actions/configure-aws-credentials leaves: the credentials of the role, for the steps that follow. */
async function standIns(workflow: string, folder: Folder): Promise<Record<string, string>> {
  const { jobs } = parse(workflow) as Workflow
  const used = Object.values(jobs).flatMap(({ steps }) => steps.map(({ uses }) => uses))
  const aws = used.find((uses) => uses?.startsWith('aws-actions/configure-aws-credentials@'))
  if (aws === undefined) return {}
  const at = path.join(folder.directory, 'configure-aws-credentials')
  await mkdir(at, { recursive: true })
  await writeFile(
    path.join(at, 'action.yml'),
    `name: configure-aws-credentials
description: a stand-in
inputs:
  role-to-assume: { description: role, required: true }
  aws-region: { description: region, required: true }
runs:
  using: composite
  steps:
    - shell: bash
      env: { ROLE: '\${{ inputs.role-to-assume }}', REGION: '\${{ inputs.aws-region }}' }
      run: |
        [[ "$ROLE" == arn:aws:iam::*:role/* ]]
        printf '%s\\n' "AWS_REGION=$REGION" AWS_ACCESS_KEY_ID=ASIAIOSFODNN7EXAMPLE \\
          AWS_SECRET_ACCESS_KEY=loopback AWS_SESSION_TOKEN=loopback >> "$GITHUB_ENV"
`,
  )
  return { [aws]: at }
}

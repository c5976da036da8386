// examples/Dockerfile, read by a parser of Dockerfiles and made in a folder: its stages' RUN lines are run by the shell that
// a build has, with the folder in place of the root. There is no Docker in this, and no Alpine.
import { cp, mkdir } from 'node:fs/promises'
import path from 'node:path'
import { Copy, DockerfileParser, type Instruction } from 'dockerfile-ast'
import { run, text, type Folder } from './folder.ts'

export interface Image {
  root: string
  /** What a container of it has in its environment, besides what it is started with. */
  env: Record<string, string>
  workdir: string
  user: string
  entrypoint: string[]
  cmd: string[]
  /** Of each stage. */
  bases: string[]
}

/** Throws with what was said where a line fails, or is none that is known here. */
export async function makeImage(folder: Folder): Promise<Image> {
  const stages: Record<string, Image> = {}
  const bases: string[] = []
  let image: Image | undefined
  const at = (file: string) => path.join(image?.root ?? '', file)
  const words = (value: string) => JSON.parse(value) as string[]
  for (const instruction of DockerfileParser.parse(await text('examples/Dockerfile')).getInstructions()) {
    const value = argumentsOf(instruction)
    const keyword = instruction.getKeyword()
    if (keyword === 'FROM') {
      const [base = '', , name = 'last'] = value.split(' ')
      bases.push(base)
      const root = path.join(folder.directory, 'stages', name)
      await mkdir(path.join(root, 'home/node'), { recursive: true })
      image = {
        root,
        env: { PATH: folder.env['PATH'] ?? '' },
        workdir: '/',
        user: 'root',
        entrypoint: [],
        cmd: [],
        bases,
      }
      stages[name] = image
      continue
    }
    if (image === undefined) throw new Error(`${keyword} comes before FROM`)
    if (keyword === 'ARG' || keyword === 'ENV') {
      for (const [, name = '', quoted = ''] of value.matchAll(/(\w+)=("[^"]*"|\S+)/g)) {
        const written = quoted.replace(/^"|"$/g, '').replaceAll('$PATH', image.env['PATH'] ?? '')
        image.env[name] = written.replace(/^\/(?=opt|home)/, `${image.root}/`)
      }
    } else if (keyword === 'WORKDIR') {
      image.workdir = at(value)
      await mkdir(image.workdir, { recursive: true })
    } else if (keyword === 'COPY') {
      const [from, more] = instruction instanceof Copy ? instruction.getFlags() : []
      const [source = '', to, ...others] = value.split(' ')
      const stage = stages[from?.getValue() ?? '']
      if (from?.getName() !== 'from' || !stage || !to || more || others.length > 0) throw new Error(value)
      await cp(path.join(stage.root, source), at(to), { recursive: true, verbatimSymlinks: true })
    } else if (keyword === 'USER') image.user = value
    else if (keyword === 'ENTRYPOINT') image.entrypoint = words(value)
    else if (keyword === 'CMD') image.cmd = words(value)
    else if (keyword === 'RUN') {
      const env = { ...folder.env, ...image.env }
      const ran = await run('/bin/sh', ['-c', value], { cwd: image.workdir, env })
      if (ran.code !== 0) throw new Error(`${value}: ${ran.stderr}`)
    } else throw new Error(`what does ${keyword} do?`)
  }
  const { last } = stages
  if (last === undefined) throw new Error('there is no last stage')
  return last
}

/** With lines that go on put together. */
function argumentsOf(instruction: Instruction): string {
  return (instruction.getRawArgumentsContent() ?? '').replace(/\\\n\s*/g, ' ')
}

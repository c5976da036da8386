import { chmod, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { openRotating, type Rotating } from './rotating.ts'
import { keyboard, openScreen, type Screen, type ScreenOptions } from './screen.ts'

const { enter, down, space } = keyboard

/** The waits of a rotation that a person watches, short. */
export const shortWaits = ['--settle', '200ms', '--idle', '0s', '--usage-lag', '0s', '--wait', '20s']

/** A project with a key in its `.env`, a GitHub remote and a smoke test. */
export async function openProject(): Promise<Rotating> {
  const project = await openRotating()
  await furnish(project.home.directory)
  return project
}

export async function furnish(folder: string): Promise<void> {
  await mkdir(path.join(folder, '.git'))
  await writeFile(
    path.join(folder, '.git', 'config'),
    '[remote "origin"]\n\turl = git@github.com:acme/shop.git\n',
  )
  await writeFile(path.join(folder, 'smoke-test.sh'), '#!/bin/sh\ntest -n "$PICTIFY_API_KEY"\n')
  await chmod(path.join(folder, 'smoke-test.sh'), 0o755)
}

/** A question by its beginning, and the keys that answer it. */
export type Step = readonly [question: string, keys: string]

/** The shortest way through. */
export const shortWay: readonly Step[] = [
  ['Which key is to be rotated?', `prod${enter}`],
  ['Where does the application find it?', enter],
  ['How is it seen that the application works', enter],
  ['When may the old key go?', enter],
  ['now?', `y${enter}`],
]

/** The way that comes by every question. */
export const longWay: readonly Step[] = [
  ['Which key is to be rotated?', `prod${enter}`],
  // what was found stays chosen; the remote and another place are added
  ['Where does the application find it?', `${down}${space}${down}${space}${enter}`],
  ['Which Actions secret of acme/shop?', `RENDER_KEY${enter}`],
  ['Which place?', `manual:the wiki${enter}`],
  ['A further one?', enter],
  ['How is it seen that the application works', `${down}${enter}`],
  ['Which command?', `./smoke-test.sh --quick${enter}`],
  ['When may the old key go?', `${down}${enter}`],
  ['How long do both keys stay valid', `1s${enter}`],
  ['now?', `y${enter}`],
]

/** Answers each of the questions as it comes up; resolves when the one after them stands, if there is one. */
export async function walk(screen: Screen, way: readonly Step[], count: number): Promise<void> {
  for (const [question, keys] of way.slice(0, count)) {
    await screen.until(question)
    screen.type(keys)
  }
  const next = way[count]
  if (next !== undefined) await screen.until(next[0])
}

export function openGuide(
  project: Rotating,
  options: ScreenOptions = {},
  args: readonly string[] = [],
): Screen {
  return openScreen(project.home, ['rotate', ...args, ...shortWaits], { rows: 50, ...options })
}

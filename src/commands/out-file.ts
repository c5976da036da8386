// `--out` of what is read first and written at once. Rules of this file:
// - whether it can be written is known before anything is read for it;
// - what was in the file is there until the new text is, whole; only a pipe or a device is written to as it is.
import { constants } from 'node:fs'
import { access, realpath, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Context } from '../context.ts'
import { proveFolder, writeDurably } from '../durable-file.ts'
import { KeysError } from '../errors.ts'
import { systemCode, systemError } from '../system-error.ts'
import { exportMode, unwritable } from './new-output.ts'

interface Place {
  /** Absolute, behind links. */
  file: string
  /** `anew`: another file takes its place; `over`: what is in it is written over; `onto`: a stream goes on with it. */
  how: 'anew' | 'over' | 'onto'
  mode: number
  owner: { uid: number; gid: number } | undefined
}

type Where = Pick<Context, 'cwd'>

/** Throws `usage` or `output-file` where the file could not be written. */
export async function proveOut({ cwd }: Where, name: string): Promise<void> {
  if (name === '-')
    throw new KeysError('usage', '--out takes a file', {
      hint: 'leave it out: without it all goes to stdout',
    })
  try {
    await placeOf(path.resolve(cwd, name))
  } catch (cause) {
    throw unwritable(name, cause)
  }
}

/** Throws `output-file`. */
export async function writeOut({ cwd }: Where, name: string, text: string): Promise<void> {
  const ended = text.endsWith('\n') ? text : `${text}\n`
  try {
    const { file, how, mode, owner } = await placeOf(path.resolve(cwd, name))
    if (how === 'anew') await writeDurably(file, ended, { mode, owner })
    else await writeFile(file, ended, { flag: how === 'over' ? 'w' : 'a' })
  } catch (cause) {
    throw unwritable(name, cause)
  }
}

async function placeOf(named: string): Promise<Place> {
  const found = await stat(named).catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT') throw error
  })
  if (found === undefined) {
    await proveFolder(path.dirname(named))
    return { file: named, how: 'anew', mode: exportMode, owner: undefined }
  }
  if (found.isDirectory()) throw systemError('EISDIR', named)
  await access(named, constants.W_OK)
  // stdout is what the shell opened, a file too
  if (!found.isFile() || /^\/(?:dev|proc)\//.test(named)) {
    return { file: named, how: 'onto', mode: exportMode, owner: undefined }
  }
  const file = await realpath(named)
  // a file alone may be ours to write, as one that is mounted into a container
  const how = await proveFolder(path.dirname(file)).then(
    () => 'anew' as const,
    () => 'over' as const,
  )
  return { file, how, mode: found.mode & 0o777, owner: { uid: found.uid, gid: found.gid } }
}

import { execFile } from 'node:child_process'
import { chmod } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build, type BuildOptions } from 'esbuild'

const src = resolve(fileURLToPath(import.meta.url), '../../../src')

/** Bundles a script in which `SRC` stands for src/, so that a bare Node of any user can run it; its path. */
export async function bundle(
  folder: string,
  script: string,
  options: Pick<BuildOptions, 'packages' | 'external'> = {},
): Promise<string> {
  const outfile = join(folder, 'script.mjs')
  await build({
    stdin: { contents: script.replaceAll('SRC', src), resolveDir: src, loader: 'ts' },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'silent',
    ...options,
  })
  // Others must be able to read what they are to run.
  await chmod(folder, 0o755)
  await chmod(outfile, 0o644)
  return outfile
}

/**
 * Runs a bundled script where the modes of files bite: as `nobody` when the tests run as root, else as ourselves.
 * Resolves to what it printed.
 */
export async function runUnprivileged(script: string, cwd: string): Promise<string> {
  const who = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}
  const { stdout } = await promisify(execFile)(process.execPath, [script], { cwd, ...who })
  return stdout
}

// Rules of this file:
// - a store's own library is loaded on first use, from where this program is installed and from nowhere else.
import { existsSync, realpathSync } from 'node:fs'
import path from 'node:path'
import { systemCode } from '../system-error.ts'
import { KeysError } from '../errors.ts'
import { printedByNode } from '../node-debug.ts'
import { refusal } from './refusal.ts'
import type { TargetDeps } from './target.ts'

/** The optional libraries, with the version to install on the oldest Node that is supported. */
const versions = {
  '@aws-sdk/client-secrets-manager': '3',
  '@google-cloud/secret-manager': '6',
  '@kubernetes/client-node': '1',
  'libsodium-wrappers': '0.8',
} as const

/** What Node prints of a request by `node:http`, in its headers what signs it in. */
const telltales = ['http', 'https', 'net']

/**
 * Loads a library that is not installed along with this program. Throws `target-refused` with the line that installs it.
 * `env` is given for one that makes requests: then it also throws where Node would print them.
 */
export async function loadSdk<T>(
  library: keyof typeof versions,
  { name, program, env }: { name: string; program: TargetDeps['program']; env?: TargetDeps['env'] },
  load: () => Promise<T>,
): Promise<T> {
  const printed = env === undefined ? [] : printedByNode(env, telltales)
  if (printed.length > 0) {
    throw refusal(
      `${name}: NODE_DEBUG asks Node for ${printed.join(' and ')}, which prints what signs the requests in`,
      `leave ${telltales.join(', ')} (and *) out of NODE_DEBUG; --debug shows the calls`,
    )
  }
  try {
    return await load()
  } catch (cause) {
    if (cause instanceof KeysError) throw cause
    const isMissing = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'].includes(systemCode(cause) ?? '')
    const line = installLine(`${library}@${versions[library]}`, program)
    throw isMissing
      ? refusal(`${name}: ${library} is not installed`, line, cause)
      : refusal(`${name}: ${library} cannot be loaded`, `install it anew: ${line}`, cause)
  }
}

/** Where a library must lie for this program to find it: beside it. */
function installLine(library: string, program: string): string {
  // what is started is most often a link to it
  const file = existsSync(program) ? realpathSync(program) : path.resolve(program)
  // pnpm keeps every package in a folder of its own, beside a link to each that it asked for
  const [ofPnpm] = file.split(/[\\/]node_modules[\\/]\.pnpm[\\/]/)
  if (ofPnpm !== undefined && ofPnpm !== file) {
    if (/[\\/]dlx/.test(ofPnpm)) return `pnpm --package=pictify-keys --package=${library} dlx pictify-keys …`
    return existsSync(path.join(ofPnpm, 'package.json')) &&
      !/[\\/]pnpm[\\/](?:.*[\\/])?global[\\/]/.test(file)
      ? `pnpm add ${library}`
      : `pnpm add -g ${library}`
  }
  const [before, after] = file.split(/[\\/]node_modules[\\/](?!.*[\\/]node_modules[\\/])/)
  if (before === undefined || after === undefined) return `npm i ${library}`
  if (/[\\/]_npx[\\/]/.test(program)) return `npx -p pictify-keys -p ${library} pictify-keys …`
  return existsSync(path.join(before, 'package.json')) ? `npm i ${library}` : `npm i -g ${library}`
}

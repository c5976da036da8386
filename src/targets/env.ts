import { createFileTarget, type FileFormat } from './edited-file.ts'
import { getVariable, putBackVariable, removeVariable, setVariable } from './env-file.ts'
import type { Target } from './target.ts'

/** One variable of an environment file, as dotenv reads it. `path` is absolute. */
export function createEnvTarget({
  name,
  path,
  variable,
}: {
  name: string
  path: string
  variable: string
}): Target {
  const format: FileFormat = {
    get: (bytes) => getVariable(bytes, variable),
    // A file that we make ends its line; one that was there and empty does not get that, so that `putBack` knows them apart.
    set: (bytes, secret) =>
      bytes
        ? setVariable(bytes, variable, secret)
        : Buffer.concat([setVariable(Buffer.alloc(0), variable, secret), Buffer.from('\n')]),
    putBack(bytes, held) {
      if (held) return putBackVariable(bytes, variable, held)
      const rest = removeVariable(bytes, variable)
      return rest.length === 0 && bytes.at(-1) === 0x0a ? undefined : rest
    },
  }
  return createFileTarget({ name, place: `${path}#${variable}`, path, format })
}

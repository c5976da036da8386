/** What every command needs, as one chunk of the bundle. `--version` and `--help` do without it. */
export { isatty } from 'node:tty'
export { parse } from './cli.ts'
export { systemClock } from './clock.ts'
export { systemFolders } from './config.ts'
export { Exit, KeysError } from './errors.ts'
export { createContext } from './session.ts'
export { createOutput, ReaderGone } from './ui/output.ts'
export { paintFor } from './ui/paint.ts'

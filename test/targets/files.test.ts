import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'dotenv'
import { describe } from 'vitest'
import { describeTarget, type Place } from './contract.ts'
import { temporaryFolder } from './file-contract.ts'

// What holds for every target holds for files too; what is special to them is in env.test.ts and file.test.ts.

const bytesOf = (path: string) =>
  readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })

describe('a variable of an environment file', () => {
  const folder = temporaryFolder()
  const others = 'FIRST=1\n'
  describeTarget({
    async place(): Promise<Place> {
      const path = join(folder(), '.env')
      return {
        spec: `env:${path}#KEY`,
        put: (value) => writeFile(path, others + (value === undefined ? '' : `KEY="${value}"\n`)),
        async value() {
          return parse((await bytesOf(path)) ?? '')['KEY']
        },
        async others() {
          const { KEY: _ours, ...rest } = parse((await bytesOf(path)) ?? '')
          return rest
        },
        version: () => bytesOf(path),
      }
    },
    makesItself: true,
    largest: 64 * 1024,
    // what every reader of such a file reads alike
    holds: (value) => !/[\p{C}"$\\`]/u.test(value),
    env: () => ({}),
  })
})

describe('a file that holds the key and nothing else', () => {
  const folder = temporaryFolder()
  describeTarget({
    async place(): Promise<Place> {
      const path = join(folder(), 'key')
      return {
        spec: `file:${path}`,
        put: (value) => (value === undefined ? rm(path, { force: true }) : writeFile(path, value)),
        value: () => bytesOf(path),
        others: async () => null,
        version: () => bytesOf(path),
      }
    },
    makesItself: true,
    largest: 64 * 1024,
    // a newline at its end is taken for the editor's
    holds: (value) => !/[\r\n]/.test(value),
    env: () => ({}),
  })
})

import { readdir, readFile } from 'node:fs/promises'
import { type Block, readDocument, type Session } from './blocks.ts'

export const root = new URL('../../', import.meta.url)

/** Everything that a user reads; why it became so (docs/decisions) is not for them. */
export interface Document {
  /** Its path in the repository. */
  name: string
  text: string
  sessions: Session[]
}

const inDocs = (await readdir(new URL('docs/', root))).filter((name) => name.endsWith('.md')).sort()
export const documents: readonly Document[] = await Promise.all(
  ['README.md', ...inDocs.map((name) => `docs/${name}`)].map(async (name) => {
    const text = await readFile(new URL(name, root), 'utf8')
    return { name, text, sessions: readDocument(name, text) }
  }),
)
export const sessions = documents.flatMap((document) => document.sessions)
export const blocks = sessions.flatMap((session) => session.blocks)

const shells = ['console', 'sh', 'bash', 'shell']
/** Whether a block is commands, which are run or marked. */
export const isRunnable = ({ language, file }: Block): boolean =>
  shells.includes(language) && file === undefined

// Rules of this file and of those it gathers (places-*.ts):
// - they look at files and at the environment, ask no network, and change nothing;
// - what they find is a name or a place, never a value: of a key it is said that it is there, and of which type;
// - nothing is offered that was not seen: a name that nobody has written down is asked for.
import type { Context } from '../context.ts'
import type { Secret } from '../secret.ts'
import { envFiles } from './places-env.ts'
import { gitHub } from './places-github.ts'
import { stores } from './places-stores.ts'

/** A place where the application may find its key. */
export interface FoundPlace {
  /** As it is offered. */
  label: string
  /** What was seen there. */
  reason: string
  /** Its `--to`; where a name is missing, with `answer` in its place. */
  spec: (answer: string) => string
  /** The name that is missing. */
  missing?: { question: string; suggestion?: string | undefined }
  /** The type of the key that lies there. */
  holds?: 'live' | 'test' | undefined
}

export interface Surroundings extends Pick<Context, 'cwd' | 'env'> {
  /** The admin key in use: where it lies is offered when it is the key in question (`self`), and never else. */
  credential: Secret
  self: boolean
  debug: (text: string) => void
}

/** What was found from the working folder and the environment; files first, what holds a key before what does not. */
export async function findPlaces(around: Surroundings): Promise<FoundPlace[]> {
  const files = await envFiles(around)
  const others = await Promise.all([gitHub(around, files.variables), stores(around)])
  return [...files.places, ...others.flat()]
}

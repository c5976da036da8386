import { KeysError } from '../errors.ts'
import type { Known } from './survey.ts'

/** Undefined for what the API does not have. */
export async function orNone<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise
  } catch (error) {
    if (statusOf(error) === 404) return undefined
    throw error
  }
}

/** `none` for what the API does not have; what it refuses although it let the keys be listed, a plan has not or a team keeps. */
export async function orWhy<T>(promise: Promise<T>, none: string): Promise<Known<T>> {
  try {
    return { known: true, value: await promise }
  } catch (error) {
    const status = statusOf(error)
    if (status === 404) return { known: false, why: none }
    if (status === 403) return { known: false, why: `${(error as KeysError).message} (403)` }
    throw error
  }
}

function statusOf(error: unknown): number | undefined {
  return error instanceof KeysError ? error.status : undefined
}

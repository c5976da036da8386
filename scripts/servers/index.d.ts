export interface Started {
  /** By the server's name. */
  facts: Record<string, unknown>
  /** Why a server is not there, by its name. */
  missing: Record<string, string>
  pids: number[]
  folder: string
  end: () => Promise<void>
}

export function start(names?: string[]): Promise<Started>

/** Where what was installed is kept from run to run. */
export const cache: string

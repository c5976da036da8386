/** The code of a system error (`ENOSPC`), undefined for any other error. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** What a system error means, in words that fit after a colon: `the disk is full`. */
export function systemReason(error: unknown): string {
  const code = systemCode(error)
  return (code && reasons[code]) ?? code ?? (error instanceof Error ? error.message : String(error))
}

/** An error as the system itself throws them, about a path. */
export function systemError(code: string, path: string): Error & { code: string } {
  return Object.assign(new Error(`${code}: ${reasons[code]}, ${path}`), { code })
}

const reasons: Record<string, string> = {
  EACCES: 'permission denied',
  EBUSY: 'it is in use, or mounted on its own',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'it is there already',
  EFBIG: 'it is larger than it may be',
  EFTYPE: 'it is not a regular file',
  EIO: 'the disk reports an error (EIO)',
  EISDIR: 'it is a directory',
  ELOOP: 'its symbolic links lead in a circle',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'the name is too long',
  ENOENT: 'it does not exist',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is not a directory',
  EPERM: 'the system does not permit it',
  EROFS: 'the file system is read-only',
}

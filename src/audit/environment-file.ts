/** Whether an application reads its environment from a file of this name: `.env`, `.env.production`, `prod.env`. */
export function isEnvironmentFile(file: string): boolean {
  return /(?:^|\/)\.env[^/]*$|\.env$/.test(file)
}

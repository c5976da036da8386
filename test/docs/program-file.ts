import { execFile } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/**
 * A file that can be run at once. Another program is who writes it: a file that this process has open for writing while it
 * starts a child (a test beside this one does) is open in that child too, and "text file busy" until that has begun.
 */
export async function writeProgram(file: string, text: string): Promise<void> {
  await writeFile(`${file}.text`, text)
  await promisify(execFile)('install', ['-m', '755', `${file}.text`, file])
  await rm(`${file}.text`)
}

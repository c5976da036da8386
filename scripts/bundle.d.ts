import type { Metafile } from 'esbuild'

export const root: string
export const dist: string
/** Every file of dist/ by its path, and esbuild's account of what is in each. */
export function bundleProgram(): Promise<{ files: Map<string, string>; metafile: Metafile }>
/** As `bundleProgram`: what `import … from 'pictify-keys'` loads. */
export function bundleLibrary(): Promise<{ files: Map<string, string>; metafile: Metafile }>

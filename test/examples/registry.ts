// A registry that has this package as it would be published, and sends on to the real one for all else.
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { root, run } from './folder.ts'

export interface Registry {
  url: string
  version: string
  close(): Promise<void>
}

export async function openRegistry(): Promise<Registry> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pictify-keys-registry-'))
  // the build is there already; packing must not write it again under the other tests
  const packed = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder])
  // a list or, of newer ones, an object
  const [file] = Object.values(JSON.parse(packed.stdout) as Record<string, { filename: string }>)
  const tarball = await readFile(path.join(folder, file?.filename ?? ''))
  await rm(folder, { recursive: true })
  const manifest = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as { version: string }
  const upstream = (await run('npm', ['config', 'get', 'registry'])).stdout.trim()

  const server = createServer((request, response) => {
    const at = request.url ?? '/'
    if (at === '/pictify-keys') {
      const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`
      const dist = { tarball: `${url}/pictify-keys/-/pictify-keys.tgz`, integrity }
      response.setHeader('content-type', 'application/json')
      response.end(
        JSON.stringify({
          name: 'pictify-keys',
          'dist-tags': { latest: manifest.version },
          versions: { [manifest.version]: { ...manifest, dist } },
        }),
      )
    } else if (at === '/pictify-keys/-/pictify-keys.tgz') response.end(tarball)
    else response.writeHead(302, { location: new URL(at.slice(1), upstream).href }).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    version: manifest.version,
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  }
}

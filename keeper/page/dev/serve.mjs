// Serves keeper/page/dist as a keeper does, with answers made up by fixtures.mjs, on http://127.0.0.1:8787.
// Usage: node dev/serve.mjs [port] [machines]
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { DAY, hex, machine, miner, network, networkDays, oneCase, random, rental, renter } from './fixtures.mjs'

const DIST = fileURLToPath(new URL('../dist', import.meta.url))
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}
const CSP = "default-src 'self'; connect-src *; img-src 'self' data:"

class Fixture {
  /** `own`: accounts of `keepers`, and `certificates(machine)` that they signed, where a test wants real ones. */
  constructor(count, now, own) {
    this.own = own
    this.now = now
    this.at = { block: 4_242_424, hash: hex(32, 1), at_secs: now }
    this.machines = Array.from({ length: count }, (_, n) => machine(n, now))
    this.byId = new Map(this.machines.map((m) => [m.machine, m]))
  }

  answer(url, base) {
    const [, version, kind, id] = url.pathname.split('/')
    const query = url.searchParams
    if (version === 'evidence') return { digest: kind, note: 'a fixture has no evidence' }
    if (kind === 'network' && id === 'days') return { at: this.at, days: networkDays(this.now) }
    if (kind === 'network') return network(this.machines, this.at, base, this.own.keepers)
    if (kind === 'market') return this.market(query)
    if (kind === 'machines') return this.machinePage(this.byId.get(id))
    if (kind === 'miners') return this.minerPage(id)
    if (kind === 'rentals') return this.rentals(id, query)
    if (kind === 'cases') return { at: this.at, next_before: null, cases: this.cases(this.machines[31]) }
    if (kind === 'certificates')
      return { certificates: this.own.certificates?.(this.byId.get(id)) ?? this.certificates(this.byId.get(id)) }
    if (kind === 'attestations') return { attestations: this.attestations(Number(id)) }
    if (kind === 'spoofs') return { spoofs: [] }
    return kind === 'figures' && this.byId.has(id) ? this.figures(this.byId.get(id)) : null
  }

  market(query) {
    const [offset, limit] = [Number(query.get('offset') ?? 0), Number(query.get('limit') ?? 100)]
    const next = offset + limit
    const machines = this.machines.slice(offset, next)
    return {
      at: this.at,
      total: this.machines.length,
      next_offset: next < this.machines.length ? next : null,
      machines,
    }
  }

  cases(of) {
    return of.registration % 31 === 1 ? [6, 5, 4, 3, 2, 1].map((id) => oneCase(id, of, this.now)) : []
  }

  machinePage(of) {
    if (!of) return null
    const next = random(of.registration)
    const today = Math.floor(this.now / DAY)
    const days = [...of.strip].flatMap((letter, index) => {
      const faulted = Math.floor(((9 - Number(letter)) * DAY) / 9)
      return letter < '0' ? [] : [{ day: today - 89 + index, rented_secs: DAY, faulted_secs: faulted }]
    })
    const price = BigInt(of.offer?.price_rao_per_sec ?? 2_000)
    const prices = Array.from({ length: 24 }, (_, index) => ({
      at_secs: this.now - index * 3 * DAY,
      price_rao_per_sec: String((price * BigInt(90 + Math.floor(next() * 20))) / 100n),
      rental: index % 2 ? 200 - index : null,
    }))
    const rentals = [0, 1, 2].map((n) => rental(200 - n, of, this.now, n === 0 ? 'ended' : 'closed'))
    const registrations = [{ registration: of.registration, miner: of.miner, retired: false }]
    return { at: this.at, machine: of, registrations, days, prices, rentals, cases: this.cases(of) }
  }

  minerPage(account) {
    const machines = this.machines.filter((m) => m.miner === account).slice(0, 60)
    const today = Math.floor(this.now / DAY)
    const days = Array.from({ length: 60 }, (_, n) => ({
      day: today - 59 + n,
      served_secs: 80_000 * (1 + (n % 5)),
      earned_rao: String(900_000_000 + n * 11_000_000),
    }))
    const sums = {
      bonded_rao: '98000000000',
      earned_rao: '75000000000',
      claimed_rao: '71000000000',
      penalties_rao: '72100000',
    }
    const rentals = machines.slice(0, 5).map((m, n) => rental(300 - n, m, this.now, n === 0 ? 'running' : 'closed'))
    const cases = machines[0] ? this.cases(machines[0]) : []
    return { at: this.at, miner: account, machines, ...sums, days, rentals, cases }
  }

  rentals(id, query) {
    if (id) return { at: this.at, rental: rental(Number(id), this.machines[0], this.now, 'running'), cases: [] }
    const by = query.get('renter') ?? renter(0)
    const states = ['running', 'ended', 'closed']
    const rentals = states.map((state, n) => rental(90 - n, this.machines[n], this.now, state, by))
    return { at: this.at, next_before: null, rentals }
  }

  certificates(of) {
    if (!of?.offer) return []
    const { gpu_class, gpu_count } = of.offer
    const measured_at_secs = this.now - 4_000
    const evidence = hex(32, 11, of.registration)
    const statement = {
      machine: of.machine,
      registration: of.registration,
      gpu_class,
      gpu_count,
      measured_at_secs,
      evidence,
    }
    return [{ statement, signer: hex(20, 8, 0), signature: `${hex(64, 12, of.registration)}1b` }]
  }

  attestations(rentalId) {
    return [0, 1, 2].map((n) => ({
      statement: {
        kind: 'Interrupted',
        rental: rentalId,
        cause: 'Unreachable',
        from_secs: this.now - 9_000,
        until_secs: this.now - 7_800 + n,
        evidence: hex(32, 13, rentalId, n),
      },
      signer: hex(20, 8, n),
      signature: `${hex(64, 14, rentalId, n)}1b`,
    }))
  }

  figures(of) {
    const figures = {
      threads: 128,
      disk_free_mib: 3_400_000,
      round_trip_us: 18_400,
      core_khz_one: 3_600_000,
      core_khz_all: 2_700_000,
      memory_mib: 774_000,
      memory_read_kb_per_sec: 210_000_000,
      disk_write_kb_per_sec: 1_900_000,
      disk_read_kb_per_sec: 5_100_000,
      download_kb_per_sec: 240_000,
      upload_kb_per_sec: null,
    }
    return { registration: of.registration, measured_at_secs: this.now - 2 * DAY, figures, ended: null }
  }
}

function send(request, response, status, type, body, cache) {
  const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 16)}"`
  const headers = { 'content-type': type, 'cache-control': cache, etag, 'content-security-policy': CSP }
  headers['access-control-allow-origin'] = '*'
  if (request.headers['if-none-match'] === etag) return response.writeHead(304, headers).end()
  const zipped = /gzip/.test(request.headers['accept-encoding'] ?? '')
  if (zipped) headers['content-encoding'] = 'gzip'
  response.writeHead(status, headers).end(zipped ? gzipSync(body) : body)
}

async function file(request, response, path) {
  const inside = normalize(path === '/' ? '/index.html' : path)
  try {
    const body = await readFile(join(DIST, inside))
    const cache = inside.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache'
    send(request, response, 200, TYPES[extname(inside)] ?? 'application/octet-stream', body, cache)
  } catch {
    send(request, response, 404, 'text/plain', 'not found', 'no-store')
  }
}

const csv = (days) => {
  const names = Object.keys(days[0])
  return `${[names, ...days.map((day) => names.map((name) => day[name]))].map((row) => row.join(',')).join('\n')}\n`
}

/** Starts it; `port` 0 takes a free one. Resolves to the server and its URL. */
export async function start({ port = 0, count = 5_000, now = Math.floor(Date.now() / 1_000), own = {} } = {}) {
  const fixture = new Fixture(count, now, own)
  const server = createServer((request, response) => {
    const base = `http://127.0.0.1:${server.address().port}`
    const url = new URL(request.url, base)
    if (url.pathname === '/v1/network/days.csv') {
      return send(request, response, 200, 'text/csv', csv(networkDays(now)), 'no-store')
    }
    if (!/^\/(v1|evidence)\//.test(url.pathname)) return file(request, response, url.pathname)
    const answer = fixture.answer(url, base)
    const type = answer ? 'application/json' : 'application/problem+json'
    const detail = 'there is no such thing in these fixtures'
    const problem = { type: 'about:blank', title: 'Not Found', status: 404, detail, code: 'not_found' }
    return send(request, response, answer ? 200 : 404, type, JSON.stringify(answer ?? problem), 'public, max-age=2')
  })
  await new Promise((done) => server.listen(port, '127.0.0.1', done))
  return {
    server,
    url: `http://127.0.0.1:${server.address().port}`,
    miner: miner(0),
    machine: fixture.machines[0].machine,
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { url } = await start({ port: Number(process.argv[2] ?? 8_787), count: Number(process.argv[3] ?? 5_000) })
  console.log(`the page with made-up answers: ${url}/`)
}

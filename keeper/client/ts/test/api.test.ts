import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { askableUrl, fetchJson, type MarketPage, paths, ReadApi } from '../src/index.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close()
    server.closeAllConnections()
  }
})

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer)
  servers.push(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const BOUNDS = { timeoutMs: 300, bytesMax: 1_000 }

describe('asking', () => {
  it('gives the very same object while the server says that nothing changed', async () => {
    let bodies = 0
    const base = await serve((request, response) => {
      const same = request.headers['if-none-match'] === '"1"'
      if (!same) bodies += 1
      response.writeHead(same ? 304 : 200, { etag: '"1"' }).end(same ? undefined : '{"paid_rao":"7"}')
    })
    const api = new ReadApi(base)
    const first = await api.get<{ paid_rao: bigint }>('/x')
    expect(first.paid_rao).toBe(7n)
    expect(await api.get('/x')).toBe(first)
    expect(bodies).toBe(1)
  })

  it('says what a problem says', async () => {
    const problem = {
      type: 'about:blank',
      title: 'Bad Request',
      status: 400,
      detail: 'no such sort',
      code: 'bad_query',
    }
    const base = await serve((_, response) => response.writeHead(400).end(JSON.stringify(problem)))
    await expect(new ReadApi(base).get('/x')).rejects.toMatchObject({
      status: 400,
      code: 'bad_query',
      message: 'no such sort',
    })
  })

  it('is bounded in bytes and time, and goes nowhere else', async () => {
    const long = await serve((_, response) => response.end(`"${'x'.repeat(2_000)}"`))
    await expect(fetchJson(long, BOUNDS)).rejects.toThrow(/more than 1000 bytes/)
    const silent = await serve(() => undefined)
    await expect(fetchJson(silent, BOUNDS)).rejects.toThrow(/no answer within 0.3 s/)
    const moved = await serve((_, response) => response.writeHead(302, { location: long }).end())
    await expect(fetchJson(moved, BOUNDS)).rejects.toThrow(/no connection/)
    const text = await serve((_, response) => response.end('<html>'))
    await expect(fetchJson(text, BOUNDS)).rejects.toThrow(/not JSON/)
  })

  it('reads a market page by page', async () => {
    const base = await serve((request, response) => {
      const offset = Number(new URL(request.url ?? '', 'http://x').searchParams.get('offset'))
      const page = {
        at: {},
        total: 3,
        next_offset: offset < 2 ? offset + 1 : null,
        machines: [{ registration: offset }],
      }
      response.end(JSON.stringify(page))
    })
    const market: MarketPage = await new ReadApi(base).market()
    expect(market.machines.map((machine) => machine.registration)).toEqual([0, 1, 2])
  })
})

describe('paths', () => {
  it('leave out what is not asked', () => {
    expect(paths.rentals({ renter: '0x1', miner: undefined, limit: 5 })).toBe('/v1/rentals?renter=0x1&limit=5')
    expect(paths.cases()).toBe('/v1/cases')
  })
})

describe('URLs that keepers wrote on chain', () => {
  it('are asked only where they are http or https, without a password', () => {
    expect(askableUrl('https://keeper.example:8443/base')?.host).toBe('keeper.example:8443')
    for (const url of [
      '',
      'javascript:alert(1)',
      'ftp://x',
      'data:,x',
      'https://a:b@x',
      `https://${'x'.repeat(300)}`,
    ]) {
      expect(askableUrl(url)).toBeNull()
    }
  })
})

/** Asking servers that nobody vouches for: bounded in time and bytes, without cookies, and never off to elsewhere. */

export interface Bounds {
  timeoutMs: number
  bytesMax: number
}

/** An answer that came and says no. */
export class ProblemError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
  ) {
    super(detail)
    this.name = 'ProblemError'
  }
}

/** No answer that can be used: no connection, too late, too long, not JSON. */
export class UnreachableError extends Error {
  constructor(why: string) {
    super(why)
    this.name = 'UnreachableError'
  }
}

/** Reads a body up to `bytesMax`; a server that sends more is cut off. */
async function readText(response: Response, bytesMax: number): Promise<string> {
  const reader = response.body?.getReader()
  if (!reader) return ''
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    bytes += value.length
    if (bytes > bytesMax) {
      await reader.cancel()
      throw new UnreachableError(`the answer has more than ${bytesMax} bytes`)
    }
    text += decoder.decode(value, { stream: true })
  }
}

function problemOf(response: Response, text: string): ProblemError {
  try {
    const { detail, title, code } = JSON.parse(text) as Record<string, unknown>
    const why = [detail, title].find((part) => typeof part === 'string') as string | undefined
    return new ProblemError(response.status, typeof code === 'string' ? code : '', why ?? `status ${response.status}`)
  } catch {
    return new ProblemError(response.status, '', `status ${response.status}`)
  }
}

export interface Answer {
  /** Null: the same as last time. */
  json: unknown
  etag: string | null
}

/** Fetches JSON. `etag`: that of the last answer; a server that has nothing newer sends no body. */
export async function fetchJson(url: string, bounds: Bounds, etag?: string | null): Promise<Answer> {
  const signal = AbortSignal.timeout(bounds.timeoutMs)
  const headers: Record<string, string> = { accept: 'application/json' }
  if (etag) headers['if-none-match'] = etag
  try {
    const response = await fetch(url, {
      headers,
      signal,
      credentials: 'omit',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
    })
    if (response.status === 304) return { json: null, etag: etag ?? null }
    const text = await readText(response, bounds.bytesMax)
    if (!response.ok) throw problemOf(response, text)
    return { json: JSON.parse(text), etag: response.headers.get('etag') }
  } catch (error) {
    if (error instanceof ProblemError || error instanceof UnreachableError) throw error
    if (signal.aborted) throw new UnreachableError(`no answer within ${bounds.timeoutMs / 1000} s`)
    throw new UnreachableError(error instanceof SyntaxError ? 'the answer is not JSON' : 'no connection')
  }
}

/** A base URL as a keeper wrote it on chain, if it can be asked at all: http or https, no name or password in it. */
export function askableUrl(text: string): URL | null {
  if (text.length > 256) return null
  try {
    const url = new URL(text)
    const web = url.protocol === 'https:' || url.protocol === 'http:'
    return web && !url.username && !url.password ? url : null
  } catch {
    return null
  }
}

/** Identities, amounts and times as text. What strangers wrote is text here and nothing else. */

import { formatDuration, formatTao, type Hex, roundTao } from '@surety/client'
import { useState } from 'preact/hooks'
import { href } from '../route.ts'
import { isoTime, shortHex, strangersText } from './format.ts'

/** A button that copies and says so. */
export function Copy({ text, label }: { text: string; label: string }) {
  const [said, setSaid] = useState('')
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text)
      setSaid('Copied')
    } catch {
      setSaid('Not allowed: select and copy it by hand')
    }
    setTimeout(() => setSaid(''), 2_500)
  }
  return (
    <>
      <button type="button" class="link" aria-label={label} onClick={copy}>
        {said === 'Copied' ? 'copied' : 'copy'}
      </button>
      <span role="status" class="visually-hidden">
        {said}
      </span>
    </>
  )
}

/** An identity: short to look at, whole in its title, linked to its view if it has one. */
export function Id({ value, view, copy }: { value: Hex; view?: 'machine' | 'miner'; copy?: string }) {
  const text = <span title={value}>{shortHex(value)}</span>
  return (
    <span class="mono">
      {view ? <a href={href(view, value)}>{text}</a> : text}
      {copy ? (
        <>
          {' '}
          <Copy text={value} label={copy} />
        </>
      ) : null}
    </span>
  )
}

/** An amount. With `places` it is rounded, and exact in its title. */
export function Tao({ rao, places }: { rao: bigint; places?: number }) {
  const exact = `${formatTao(rao)} TAO`
  return (
    <span class="num" title={exact}>
      {places === undefined ? formatTao(rao) : roundTao(rao, places)}
      <span class="unit"> TAO</span>
    </span>
  )
}

/** A moment in UTC, as the chain counts it. */
export function Time({ secs }: { secs: number }) {
  return (
    <time class="num" dateTime={new Date(secs * 1_000).toISOString()}>
      {isoTime(secs)}
      <span class="unit"> UTC</span>
    </time>
  )
}

export function Span({ secs }: { secs: number }) {
  return <span class="num">{formatDuration(secs)}</span>
}

/** A link away from here, to an address that somebody else chose: http and https only, else plain text. */
export function OutLink({ url, children }: { url: string; children?: string }) {
  const web = /^https?:\/\//i.test(url)
  const text = strangersText(children ?? url, 120)
  if (!web) return <span class="mono">{text}</span>
  return (
    <a href={url} target="_blank" rel="noopener noreferrer nofollow">
      {text}
    </a>
  )
}

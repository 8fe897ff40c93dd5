/** A list of cases, each explained, with the statements and evidence behind it. */

import { type Attestation, type Case, type Hex, paths, type Signed, type Spoof } from '@surety/client'
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { api, SLOW_MS, usePolled } from '../api/source.ts'
import { caseSentences, caseTitle } from './case-words.ts'
import { isoTime } from './format.ts'
import { Source } from './source.tsx'
import { Empty, Loaded } from './status.tsx'
import { Id } from './text.tsx'

/** More are at the API. */
const SHOWN_MAX = 50

interface Line {
  signer: Hex
  evidence: Hex
  words: string
}

const attested = ({ statement: s, signer }: Signed<Attestation>): Line => ({
  signer,
  evidence: s.evidence,
  words: `${s.kind}, ${s.cause}, ${isoTime(s.from_secs)} to ${isoTime(s.until_secs)} UTC`,
})

const spoofed = ({ statement: s, signer }: Signed<Spoof>): Line => ({
  signer,
  evidence: s.evidence,
  words: `false proofs of ${s.gpu_count} cards, ${isoTime(s.proved_at_secs)} UTC`,
})

async function statements(of: Case): Promise<Line[]> {
  if (of.rental === null) {
    const { spoofs } = await api.get<{ spoofs: Signed<Spoof>[] }>(paths.spoofs(of.machine))
    return spoofs.slice(0, SHOWN_MAX).map(spoofed)
  }
  const answer = await api.get<{ attestations: Signed<Attestation>[] }>(paths.attestations(of.rental))
  return answer.attestations.slice(0, SHOWN_MAX).map(attested)
}

function Evidence({ of }: { of: Case }) {
  const polled = usePolled(`evidence-${of.id}`, () => statements(of), SLOW_MS)
  return (
    <Loaded of={polled} what="The statements">
      {(lines) =>
        lines.length === 0 ? (
          <Empty>This keeper holds no statements about it. The keepers that signed do.</Empty>
        ) : (
          <ul class="plain">
            {lines.map((line) => (
              <li key={line.evidence + line.signer}>
                {line.words}, signed by <Id value={line.signer} />:{' '}
                <a class="mono" href={paths.evidence(line.evidence)} target="_blank" rel="noopener">
                  evidence
                </a>
              </li>
            ))}
          </ul>
        )
      }
    </Loaded>
  )
}

function CaseItem({ of, children }: { of: Case; children?: ComponentChildren }) {
  const [open, setOpen] = useState(false)
  const behind = of.rental === null ? paths.spoofs(of.machine) : paths.attestations(of.rental)
  return (
    <li class="case">
      <h3 id={`case-${of.id}`}>{caseTitle(of)}</h3>
      <p>{caseSentences(of).join(' ')}</p>
      <details onToggle={(event) => setOpen((event.target as HTMLDetailsElement).open)}>
        <summary>Statements and evidence of case {of.id}</summary>
        {open ? <Evidence of={of} /> : null}
      </details>
      <Source
        of={`case ${of.id}`}
        api={[paths.case(of.id), behind]}
        calls={[
          {
            contract: 'arbiter',
            signature: 'caseAt(uint64)((uint8,uint8,uint8,bool,uint64,uint32,uint32,uint32,uint64))',
            args: [of.id],
          },
        ]}
      />
      {children}
    </li>
  )
}

interface CasesProps {
  cases: readonly Case[]
  /** What can be done about a case, by whoever looks. */
  action?: (of: Case) => ComponentChildren
}

export function Cases({ cases, action }: CasesProps) {
  if (cases.length === 0) return <Empty>No case was ever filed.</Empty>
  return (
    <ul class="plain cases">
      {cases.map((of) => (
        <CaseItem key={of.id} of={of}>
          {action?.(of)}
        </CaseItem>
      ))}
    </ul>
  )
}

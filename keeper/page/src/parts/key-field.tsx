/** The renter's SSH key: pasted, or made here. A private key made here is offered as a file and kept nowhere. */

import { generateKey, type Key32, type NewKey, parsePublicKey } from '@surety/client'
import { useState } from 'preact/hooks'
import { save } from './download.ts'
import { Field } from './field.tsx'
import { KEY_FILE } from './ssh-commands.ts'
import { Copy } from './text.tsx'

/** What was typed, as a key or as what is wrong with it. Nothing typed is neither. */
export function readKey(line: string): { key: Key32 | null; error: string | null } {
  if (line.trim() === '') return { key: null, error: null }
  try {
    return { key: parsePublicKey(line), error: null }
  } catch (error) {
    return { key: null, error: (error as Error).message }
  }
}

export function KeyField({ line, onLine }: { line: string; onLine: (line: string) => void }) {
  const [made, setMade] = useState<NewKey | null>(null)
  const [problem, setProblem] = useState('')
  const make = async () => {
    try {
      const key = await generateKey('surety')
      setMade(key)
      setProblem('')
      save(KEY_FILE, 'application/octet-stream', key.privateFile)
      onLine(key.publicLine)
    } catch (error) {
      setProblem((error as Error).message)
    }
  }
  return (
    <fieldset>
      <legend>SSH key that the machine lets in</legend>
      <Field
        label="Public key (ed25519)"
        value={line}
        onInput={onLine}
        hint="The line in ~/.ssh/id_ed25519.pub"
        error={readKey(line).error}
        multiline
      />
      <p>
        <button type="button" onClick={make}>
          Generate a key
        </button>{' '}
        <span class="muted">Made in this browser; the private half is saved as a file and sent nowhere.</span>
      </p>
      <div role="status">
        {problem}
        {made && made.publicLine === line ? (
          <p>
            The private key was saved as <code>{KEY_FILE}</code>. Without it nobody can log in.{' '}
            <button
              type="button"
              class="link"
              onClick={() => save(KEY_FILE, 'application/octet-stream', made.privateFile)}
            >
              Save it again
            </button>
            , then <code>chmod 600 {KEY_FILE}</code>{' '}
            <Copy text={`chmod 600 ${KEY_FILE}`} label="Copy the chmod command" />
          </p>
        ) : null}
      </div>
    </fieldset>
  )
}

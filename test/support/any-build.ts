// Journals of one actor built by different tools, compared.
import type { JournalEntry } from '../../host/index.ts'

/** The entry without what says how its component was built: its digest, and which 0.2.x of WASI it links. */
export function ofAnyBuild(entry: JournalEntry): JournalEntry {
  if (entry.kind === 'created') return { ...entry, digest: 'typescript' }
  if (!('calls' in entry)) return entry
  const calls = entry.calls.map((call) => ({
    ...call,
    target: call.target.replace(/^(wasi:[^@]*@0\.2)\.\d+/, '$1'),
  }))
  return { ...entry, calls }
}

/**
 * A mistake in an actor's source, as the programs of `guest-sdk` tell it.
 *
 * Owns: its text for a terminal. Does not own: what is printed where.
 */
export interface Mistake {
  readonly message: string
  readonly file?: string | null
  readonly line?: number | null
  readonly column?: number | null
}

/** `bank.ts:12:5: no apes`; without a place the message alone. */
export function textOfMistake({ message, file, line, column }: Mistake): string {
  const place = [file, line, column].filter((part) => part !== undefined && part !== null)
  return place.length === 0 ? message : `${place.join(':')}: ${message}`
}

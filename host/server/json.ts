/**
 * JSON as it leaves the server.
 */

/** JSON in, JSON out: strings that are sent are JSON already. */
export const JSON_TYPE = 'application/json; charset=utf-8'

/** A list as the text of a JSON array; `first` was read before, so that an error could still be told. */
export async function* jsonArray<T>(
  first: IteratorResult<T>,
  rest: AsyncIterator<T>,
): AsyncGenerator<string> {
  yield '['
  let separator = ''
  try {
    for (let item = first; item.done !== true; item = await rest.next()) {
      yield separator + JSON.stringify(item.value)
      separator = ','
    }
  } finally {
    await rest.return?.()
  }
  yield ']'
}

/**
 * Resources of the host, such as the clients of other actors.
 *
 * Owns: classes whose methods convert as functions do. An object is the engine's own, so handles need no conversion.
 * Nothing is dropped when an object is collected, which would be a host call at any time: the author drops it.
 */
import { imported } from './actor.js'

/** Engines that do not have the first one spell it like the second. */
const DROPS = [Symbol.dispose, Symbol.for('dispose')].filter((symbol) => symbol !== undefined)

/** Gives the handle back. Engines have the function in the class or in each object. */
function drop() {
  const given = DROPS.find((symbol) => typeof this[symbol] === 'function' && this[symbol] !== drop)
  this[given]()
}

/** `methods` and `statics`: `[params, result]` by name; `params`: the constructor's. */
export function resource(place, Raw, { params: own, methods, statics }) {
  for (const [name, [params, result]] of Object.entries(methods)) {
    const original = Raw.prototype[name]
    Raw.prototype[name] = function (...args) {
      return imported(
        `${place}.${name}`,
        (...lowered) => original.apply(this, lowered),
        params,
        result,
      )(...args)
    }
  }
  for (const [name, [params, result]] of Object.entries(statics))
    Raw[name] = imported(`${place}.${name}`, Raw[name].bind(Raw), params, result)
  Raw.prototype.drop ??= drop
  if (Symbol.dispose !== undefined) Raw.prototype[Symbol.dispose] ??= drop
  return new Proxy(Raw, {
    construct(target, args) {
      const at = (index) => `new ${place}: argument ${index + 1}`
      return new target(...own.map((type, index) => type.lower(args[index], at(index))))
    },
  })
}

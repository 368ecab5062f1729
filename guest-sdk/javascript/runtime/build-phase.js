/**
 * What cannot be asked while an actor is built: there is no host then, and no actor.
 */

let isBuilding = true

/** @throws an error that names `what`, while the actor is built. */
export function askHost(what) {
  if (!isBuilding) return
  throw new Error(
    `${what} asks the host, which is not there while the actor is built; call it in a method`,
  )
}

export function endBuild() {
  isBuilding = false
}

/**
 * What an actor does not have, refused by name.
 */
import { setGlobal } from './global.js'

const INSTEAD = {
  setTimeout: 'loom:actor/reminders and loom:actor/timers call an actor later',
  setInterval: 'loom:actor/reminders and loom:actor/timers call an actor again and again',
  setImmediate: 'a turn ends when its method returns',
  requestAnimationFrame: 'a turn ends when its method returns',
  fetch: 'let the embedder provide a function that fetches',
  XMLHttpRequest: 'let the embedder provide a function that fetches',
  WebSocket: 'let the embedder provide a function that sends',
}

for (const [name, instead] of Object.entries(INSTEAD)) {
  setGlobal(name, () => {
    throw new Error(`${name}: an actor has none; ${instead}`)
  })
}

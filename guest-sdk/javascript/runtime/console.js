/**
 * `console`: lines in the host's log. A value that is no text is shown as JSON.
 */
import { log } from 'loom:actor/log@0.1.0'
import { askHost } from './build-phase.js'
import { setGlobal } from './global.js'

function show(value) {
  if (typeof value === 'string') return value
  if (value instanceof Error) return `${value.name}: ${value.message}`
  if (value === null || typeof value !== 'object') return String(value)
  try {
    return JSON.stringify(value, (_, one) => {
      if (typeof one === 'bigint') return `${one}n`
      return one instanceof Map || one instanceof Set ? [...one] : one
    })
  } catch (error) {
    return `[${error.message}]`
  }
}

const writer =
  (name, level) =>
  (...values) => {
    askHost(`console.${name}()`)
    log(level, values.map(show).join(' '))
  }

setGlobal('console', {
  trace: writer('trace', 'trace'),
  debug: writer('debug', 'debug'),
  log: writer('log', 'info'),
  info: writer('info', 'info'),
  warn: writer('warn', 'warn'),
  error: writer('error', 'error'),
})

/**
 * An actor's own `asconfig.json`.
 *
 * Owns: which compiler options an actor may set, their checks, loading its transforms.
 * Does not own: the shared options (package-files.ts), which an actor's override.
 *
 * Invariant: what is not in the table is refused, never ignored: an option such as `exportStart` or
 * `bindings` would change the ABI that generated code relies on.
 */
import { existsSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { displayPath } from './actor-folder.ts'
import { BuildError } from './errors.ts'
import { placeAt } from './text-place.ts'
import type { AssemblyScript } from './toolchain.ts'

export type OptionValue = string | number | boolean

export interface ActorSettings {
  readonly options: Readonly<Record<string, OptionValue>>
  readonly transforms: readonly AssemblyScript.TransformClass[]
}

export const SETTINGS_FILE = 'asconfig.json'

interface Rule {
  readonly expected: string
  readonly holds: (value: unknown) => boolean
}

function integer(max: number): Rule {
  return {
    expected: `an integer from 0 to ${max}`,
    holds: (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= max,
  }
}

const BOOLEAN: Rule = { expected: 'true or false', holds: (value) => typeof value === 'boolean' }

const RULES: Readonly<Record<string, Rule>> = {
  runtime: {
    expected: '"minimal" or "incremental"',
    holds: (value) => value === 'minimal' || value === 'incremental',
  },
  optimizeLevel: integer(3),
  shrinkLevel: integer(2),
  converge: BOOLEAN,
  noAssert: BOOLEAN,
  transform: {
    expected: 'a list of module names, such as ["json-as/transform"]',
    holds: (value) => Array.isArray(value) && value.every((one) => typeof one === 'string'),
  },
}

/** @throws BuildError with the place in the file. */
export async function readSettings(dir: string): Promise<ActorSettings> {
  const file = path.join(dir, SETTINGS_FILE)
  const text = await readFile(file, 'utf8').catch(() => null)
  if (text === null) return { options: {}, transforms: [] }
  const { transform = [], ...options } = checked(text, file) as Record<string, OptionValue> & {
    readonly transform?: readonly string[]
  }
  const transforms = await Promise.all(
    transform.map((name) =>
      loadTransform(name, dir).catch((error: unknown) => refuse(file, text, name, reason(error))),
    ),
  )
  return { options, transforms }
}

/** True when the actor's settings name transforms, in whatever state they are. */
export function hasTransforms(dir: string): boolean {
  const file = path.join(dir, SETTINGS_FILE)
  return existsSync(file) && readFileSync(file, 'utf8').includes('"transform"')
}

function checked(text: string, file: string): Readonly<Record<string, unknown>> {
  const config = parse(text, file)
  for (const key of Object.keys(config)) {
    if (key !== 'options') refuse(file, text, key, `'${key}' is not possible here; only 'options'`)
  }
  const { options = {} } = config
  for (const [name, value] of Object.entries(options as object)) {
    const rule = RULES[name]
    if (!rule) {
      const known = Object.keys(RULES).join(', ')
      return refuse(file, text, name, `an actor cannot set '${name}'; it can set ${known}`)
    }
    if (!rule.holds(value)) refuse(file, text, name, `'${name}' must be ${rule.expected}`)
  }
  return options as Readonly<Record<string, unknown>>
}

function parse(text: string, file: string): Readonly<Record<string, unknown>> {
  try {
    const config: unknown = JSON.parse(text)
    if (typeof config === 'object' && config !== null) return { ...config }
  } catch (error) {
    return refuse(file, text, '', `not JSON: ${reason(error)}`)
  }
  return refuse(file, text, '', 'not JSON: expected { "options": { ... } }')
}

async function loadTransform(name: string, dir: string): Promise<AssemblyScript.TransformClass> {
  const resolved = createRequire(path.join(dir, SETTINGS_FILE)).resolve(name)
  // Its faster mode, the default, tears characters beyond 16 bits apart (json-as 1.6.0).
  if (name.startsWith('json-as')) process.env.JSON_MODE ??= 'NAIVE'
  const module = (await import(pathToFileURL(resolved).href)) as { readonly default?: unknown }
  if (typeof module.default === 'function') return module.default as AssemblyScript.TransformClass
  throw new Error(`'${name}' has no transform class as its default export`)
}

function reason(error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n')
  return line
}

/** The mistake `message` at the first place where the file says `"quoted"`. */
function refuse(file: string, text: string, quoted: string, message: string): never {
  const offset = quoted === '' ? 0 : Math.max(0, text.indexOf(`"${quoted}"`))
  throw new BuildError([{ message, file: displayPath(file), ...placeAt(text, offset) }])
}

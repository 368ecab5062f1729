/**
 * Checking an author's types.
 *
 * Owns: which options and declarations count, and the places of mistakes. JavaScript is checked for names that no actor
 * has only, unless a file asks for more with `// @ts-check`.
 * Does not own: what the declarations are (emit-types.ts).
 *
 * TypeScript is not needed to build: without it, nothing is checked and the build says so.
 */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import type TypeScript from 'typescript'
import { displayPath } from '../assemblyscript/actor-folder.ts'
import type { Mistake } from '../assemblyscript/errors.ts'

/** "Cannot find name", and what TypeScript says instead of it when it has an idea which types are missing. */
const UNKNOWN_NAMES = new Set([2304, 2552, 2580, 2581, 2582, 2583, 2584, 2585, 2591, 2592, 2593])
/** Types of Node would only hide that it is not there. */
const NODE_ADVICE = / Do you need to install type definitions for node\?.*/s
const CONFIG_OPTIONS = new Set([
  'strict',
  'noImplicitAny',
  'strictNullChecks',
  'noUncheckedIndexedAccess',
  'exactOptionalPropertyTypes',
  'noUnusedLocals',
  'noUnusedParameters',
  'noImplicitReturns',
  'noImplicitOverride',
  'noFallthroughCasesInSwitch',
])

export interface TypeCheck {
  readonly dir: string
  readonly entry: string
  /** Generated declarations by absolute path; read from here, not from the disk. */
  readonly declarations: ReadonlyMap<string, string>
}

export interface CheckedTypes {
  readonly mistakes: readonly Mistake[]
  readonly warnings: readonly Mistake[]
}

/** TypeScript as the author's project has it, or else as this package has it. */
function load(dir: string): typeof TypeScript | null {
  for (const from of [path.join(dir, 'package.json'), import.meta.url]) {
    try {
      const found = createRequire(from)('typescript') as typeof TypeScript
      if (typeof found.createProgram === 'function') return found
    } catch {}
  }
  return null
}

/** What tightens or loosens the check, of the author's tsconfig.json; how modules are found is not the author's. */
function ownOptions(ts: typeof TypeScript, dir: string): TypeScript.CompilerOptions {
  const file = path.join(dir, 'tsconfig.json')
  if (!existsSync(file)) return {}
  const { config } = ts.readConfigFile(file, (name) => readFileSync(name, 'utf8'))
  const { options } = ts.parseJsonConfigFileContent(config ?? {}, ts.sys, dir)
  return Object.fromEntries(Object.entries(options).filter(([name]) => CONFIG_OPTIONS.has(name)))
}

function program(
  ts: typeof TypeScript,
  { dir, entry, declarations }: TypeCheck,
): TypeScript.Program {
  const options: TypeScript.CompilerOptions = {
    strict: true,
    ...ownOptions(ts, dir),
    target: ts.ScriptTarget.ES2023,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts', 'lib.es2024.string.d.ts'],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    types: [],
    allowJs: true,
    checkJs: true,
    maxNodeModuleJsDepth: 0,
    resolveJsonModule: true,
    allowImportingTsExtensions: true,
    isolatedModules: true,
    skipLibCheck: true,
    noEmit: true,
  }
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile, directoryExists } = host
  const folders = new Set([...declarations.keys()].map((file) => path.dirname(file)))
  host.directoryExists = (folder) =>
    folders.has(path.resolve(folder)) || directoryExists?.(folder) !== false
  host.fileExists = (file) => declarations.has(path.resolve(file)) || fileExists(file)
  host.readFile = (file) => declarations.get(path.resolve(file)) ?? readFile(file)
  host.getSourceFile = (file, ...rest) => {
    const text = declarations.get(path.resolve(file))
    const { target = ts.ScriptTarget.ES2023 } = options
    return text === undefined
      ? getSourceFile(file, ...rest)
      : ts.createSourceFile(file, text, target)
  }
  return ts.createProgram([entry, ...declarations.keys()], options, host)
}

/** True when the diagnostic counts: of JavaScript, unknown names alone unless its author wants more. */
function counts({ code, file }: TypeScript.Diagnostic): boolean {
  if (file === undefined) return true
  if (file.fileName.includes('/node_modules/')) return false
  const isJavaScript = /\.[cm]?js$/.test(file.fileName)
  return !isJavaScript || UNKNOWN_NAMES.has(code) || /^\s*\/\/ @ts-check/m.test(file.text)
}

/** The mistakes in the author's files that the compiler finds, in file order. */
export function checkTypes(request: TypeCheck): CheckedTypes {
  const ts = load(request.dir)
  if (ts === null) {
    const message = 'types were not checked: install typescript 5 or 6 to have them checked'
    return {
      mistakes: [],
      warnings: [{ message, file: displayPath(request.entry), line: 1, column: 1 }],
    }
  }
  const checked = program(ts, request)
  const diagnostics = [...checked.getSyntacticDiagnostics(), ...checked.getSemanticDiagnostics()]
  const mistakes = diagnostics.filter(counts).map(({ file, start = 0, messageText }): Mistake => {
    const text = ts.flattenDiagnosticMessageText(messageText, '; ')
    const message = text.replace(NODE_ADVICE, ' It is a part of Node, which is not there.')
    const place = file?.getLineAndCharacterOfPosition(start) ?? { line: 0, character: 0 }
    return {
      message,
      file: displayPath(file?.fileName ?? request.entry),
      line: place.line + 1,
      column: place.character + 1,
    }
  })
  return { mistakes, warnings: [] }
}

/**
 * What the compiler cannot say about a module in its own language.
 *
 * Owns: pointing the standard library's imports at `loom:actor/guest`; giving core exports their
 * canonical names, which are no identifiers; the intrinsic that reads the collector's counter.
 * Does not own: abort, trace and console (assembly/runtime.ts, by --use).
 */
import { findDecorator } from './decorators.ts'
import type { EntryModule } from './emit-export.ts'
import type { AssemblyScript } from './toolchain.ts'

const GUEST = 'loom:actor/guest@0.1.0'
/** Imports of the standard library with scalar signatures, and what serves them. */
const REDIRECTED: Readonly<Record<string, string>> = {
  seed: 'seed',
  'Date.now': 'date-now',
  'performance.now': 'performance-now',
}
const REDIRECTED_FILES = /^~lib\/(builtins|bindings\/dom)\.ts$/
const GC_TOTAL = '~lib/loom/abi/gcTotal'

/** Makes std's `@external("env", "seed")` an import of the guest interface, wherever it is declared. */
export function redirectImports(parser: AssemblyScript.Parser): void {
  for (const source of parser.sources) {
    if (REDIRECTED_FILES.test(source.normalizedPath)) redirect(source.statements)
  }
}

function redirect(statements: readonly AssemblyScript.Statement[]): void {
  for (const statement of statements) {
    if (statement.members) redirect(statement.members)
    const external = findDecorator(statement.decorators, 'external')
    const [module, name] = (external?.args ?? []) as AssemblyScript.StringLiteralExpression[]
    const served = name && REDIRECTED[name.value]
    if (!module || !name || served === undefined) continue
    module.value = GUEST
    name.value = served
  }
}

/** Names exports as the component model wants them. */
export function renameExports(
  module: AssemblyScript.BinaryenModule,
  binaryen: AssemblyScript.Binaryen,
  renames: EntryModule['renames'],
): void {
  for (let index = module.getNumExports() - 1; index >= 0; index -= 1) {
    const info = binaryen.getExportInfo(module.getExportByIndex(index))
    const name = renames.get(info.name)
    if (name === undefined) continue
    module.removeExport(info.name)
    module.addFunctionExport(info.value, name)
  }
}

/** Replaces the intrinsic's import by a read of the collector's private counter. */
export function inlineGcTotal(
  module: AssemblyScript.BinaryenModule,
  binaryen: AssemblyScript.Binaryen,
): void {
  if (!module.getFunction(GC_TOTAL)) return
  let counter: string | null = null
  for (let index = 0; index < module.getNumGlobals(); index += 1) {
    const { name } = binaryen.getGlobalInfo(module.getGlobalByIndex(index))
    if (/^~lib\/rt\/i?tcms\/total$/.test(name)) counter = name
  }
  const body = counter ? module.global.get(counter, binaryen.i32) : module.i32.const(0)
  module.removeFunction(GC_TOTAL)
  module.addFunction(GC_TOTAL, binaryen.none, binaryen.i32, [], body)
}

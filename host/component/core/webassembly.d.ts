// The part of the WebAssembly JavaScript API that the host uses. TypeScript ships it only with the DOM
// library, whose globals have no place here. Source: W3C WebAssembly JavaScript Interface; JSPI phase 4.
declare namespace WebAssembly {
  type ImportValue = ((...args: never[]) => unknown) | Memory | Table | Global | Suspending
  type Imports = Record<string, Record<string, ImportValue>>
  type ExportValue = ((...args: unknown[]) => unknown) | Memory | Table | Global

  interface ModuleImportDescriptor {
    readonly module: string
    readonly name: string
    readonly kind: 'function' | 'table' | 'memory' | 'global'
  }
  interface ModuleExportDescriptor {
    readonly name: string
    readonly kind: 'function' | 'table' | 'memory' | 'global'
  }

  class Module {
    constructor(bytes: Uint8Array)
    static imports(module: Module): ModuleImportDescriptor[]
    static exports(module: Module): ModuleExportDescriptor[]
    static customSections(module: Module, name: string): ArrayBuffer[]
  }
  class Instance {
    constructor(module: Module, imports?: Imports)
    readonly exports: Readonly<Record<string, ExportValue>>
  }
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number })
    readonly buffer: ArrayBuffer
    grow(pages: number): number
  }
  class Table {
    constructor(descriptor: { element: 'anyfunc' | 'externref'; initial: number; maximum?: number })
    readonly length: number
    get(index: number): unknown
    set(index: number, value?: unknown): void
    grow(delta: number, value?: unknown): number
  }
  class Global {
    constructor(descriptor: { value: string; mutable?: boolean }, value?: unknown)
    value: number | bigint
  }
  class RuntimeError extends Error {}
  class CompileError extends Error {}
  class LinkError extends Error {}

  /** Present where the engine has JSPI (Node 24 and later). */
  class Suspending {
    constructor(func: (...args: never[]) => unknown)
  }
  const promising:
    | ((func: (...args: unknown[]) => unknown) => (...args: unknown[]) => Promise<unknown>)
    | undefined

  function compile(bytes: Uint8Array): Promise<Module>
  function validate(bytes: Uint8Array): boolean
}

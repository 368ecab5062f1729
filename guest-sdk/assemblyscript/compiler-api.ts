/**
 * The part of AssemblyScript's compiler that the SDK uses.
 *
 * Owns: its types. The package's own declarations would add AssemblyScript's globals (`console`, `i32`,
 * `bool`) to every file of this project, so they must not be imported.
 * Does not own: loading it (toolchain.ts).
 *
 * Source: assemblyscript 0.28, src/ast.ts, src/program.ts, cli/index.d.ts.
 */

interface Source {
  readonly text: string
  /** Path relative to the base directory. */
  readonly normalizedPath: string
  readonly statements: readonly Statement[]
}

interface Range {
  readonly source: Source
  readonly start: number
  readonly end: number
  toString(): string
}

export interface Node {
  readonly kind: number
  readonly range: Range
}

interface IdentifierExpression extends Node {
  readonly text: string
}

export interface StringLiteralExpression extends Node {
  value: string
}

export interface DecoratorNode extends Node {
  readonly name: Node
  readonly args: readonly Node[] | null
}

/** A statement at the top of a file; the members that only some kinds have are optional. */
export interface Statement extends Node {
  readonly decorators?: readonly DecoratorNode[] | null
  readonly members?: readonly Statement[]
  readonly flags?: number
  readonly name?: Node
}

export interface TypeNode extends Node {
  readonly isNullable: boolean
}

export interface NamedTypeNode extends TypeNode {
  readonly name: Node
  readonly typeArguments: readonly TypeNode[] | null
}

export interface ParameterNode extends Node {
  readonly parameterKind: number
  readonly name: IdentifierExpression
  readonly type: TypeNode
  readonly initializer: Node | null
}

interface FunctionTypeNode extends TypeNode {
  readonly parameters: readonly ParameterNode[]
  readonly returnType: TypeNode
}

interface DeclarationStatement extends Node {
  readonly name: IdentifierExpression
  readonly decorators: readonly DecoratorNode[] | null
  is(flag: number): boolean
}

export interface FieldDeclaration extends DeclarationStatement {
  readonly type: TypeNode | null
}

interface EnumValueDeclaration extends DeclarationStatement {
  readonly initializer: Node | null
}

export interface EnumDeclaration extends DeclarationStatement {
  readonly values: readonly EnumValueDeclaration[]
}

export interface Element {
  readonly kind: number
  readonly name: string
  readonly internalName: string
  readonly parent: Element
  readonly file: File
  readonly shadowType: TypeDefinition | null
  is(flag: number): boolean
}

export interface DeclaredElement extends Element {
  readonly declaration: DeclarationStatement
}

export interface File extends Element {
  readonly source: Source
  readonly exports: ReadonlyMap<string, DeclaredElement> | null
  /** What it declares, exported or not. */
  readonly members: ReadonlyMap<string, DeclaredElement> | null
  lookupExport(name: string): Element | null
}

export interface TypeDefinition extends DeclaredElement {
  readonly typeNode: TypeNode
}

export interface Enum extends DeclaredElement {
  readonly declaration: EnumDeclaration
}

export interface FunctionPrototype extends DeclaredElement {
  readonly functionTypeNode: FunctionTypeNode
  readonly typeParameterNodes: readonly Node[] | null
}

export interface PropertyPrototype extends DeclaredElement {
  readonly isField: boolean
  readonly fieldDeclaration: FieldDeclaration | null
  readonly getterPrototype: FunctionPrototype | null
  readonly setterPrototype: FunctionPrototype | null
}

export interface ClassPrototype extends DeclaredElement {
  readonly basePrototype: ClassPrototype | null
  readonly constructorPrototype: FunctionPrototype | null
  readonly instanceMembers: ReadonlyMap<string, DeclaredElement> | null
  readonly typeParameterNodes: readonly Node[] | null
}

interface Resolver {
  resolveTypeName(name: Node, flow: null, context: Element, reportMode: number): Element | null
}

export interface Program {
  readonly resolver: Resolver
  /** The pseudo-file of built-in types such as `u32`. */
  readonly nativeFile: Element
  readonly filesByName: ReadonlyMap<string, File>
  readonly elementsByName: ReadonlyMap<string, Element>
}

export interface Parser {
  readonly sources: readonly Source[]
}

/** Numbers of the compiler's enums, under their names. */
export interface ProgramApi {
  readonly NodeKind: { readonly NamedType: number }
  readonly ElementKind: {
    readonly ClassPrototype: number
    readonly Enum: number
    readonly File: number
    readonly FunctionPrototype: number
    readonly PropertyPrototype: number
    readonly TypeDefinition: number
  }
  readonly CommonFlags: {
    readonly Abstract: number
    readonly Private: number
    readonly Protected: number
    readonly Readonly: number
  }
  readonly ParameterKind: { readonly Default: number }
  readonly ReportMode: { readonly Swallow: number }
}

export interface BinaryenModule {
  readonly global: { get(name: string, type: number): number }
  readonly i32: { const(value: number): number }
  getNumExports(): number
  getExportByIndex(index: number): number
  removeExport(name: string): void
  addFunctionExport(internalName: string, name: string): void
  getNumGlobals(): number
  getGlobalByIndex(index: number): number
  /** 0 when there is none. */
  getFunction(name: string): number
  removeFunction(name: string): void
  addFunction(name: string, params: number, results: number, vars: number[], body: number): void
}

export interface Binaryen {
  readonly none: number
  readonly i32: number
  getExportInfo(exported: number): { readonly name: string; readonly value: string }
  getGlobalInfo(global: number): { readonly name: string }
}

/** A diagnostic as the command-line front end passes it on: without the text of the source. */
export interface DiagnosticMessage {
  readonly category: number
  readonly message: string
  readonly range: {
    readonly start: number
    readonly source: { readonly normalizedPath: string }
  } | null
}

/** Constructed by the compiler, which puts `binaryen` on the prototype first. */
export type TransformClass = new () => {
  afterParse(parser: Parser): void
  afterInitialize(program: Program): void
  afterCompile(module: BinaryenModule): void
}

interface CompilerOptions {
  readonly transforms: readonly TransformClass[]
  readonly readFile: (name: string) => Promise<string | null>
  readonly writeFile: (name: string, contents: Uint8Array | string) => void
  readonly listFiles: () => string[]
  readonly stdout: unknown
  readonly stderr: unknown
  readonly reportDiagnostic: (message: DiagnosticMessage) => void
}

export interface Compiler {
  /** Sources of the standard library by module name. Entries may be added. */
  readonly libraryFiles: Record<string, string>
  main(args: readonly string[], options: CompilerOptions): Promise<{ readonly error: Error | null }>
  createMemoryStream(): unknown
}

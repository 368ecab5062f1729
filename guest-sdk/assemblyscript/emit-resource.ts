/**
 * Classes for the resources that a host serves.
 *
 * Owns: one class per resource, whose objects hold a handle; giving a handle away, lending and dropping.
 * Does not own: what the members pass and get (emit-import.ts).
 *
 * Invariants:
 *   R1. A handle belongs to one object. `own` takes it from the object (0 stays behind), `borrow` lends it.
 *   R2. An object without a handle traps when it is used; it never passes 0 to the host.
 */
import type { EmitScope } from './emit-scope.ts'
import type { Func, ResourceType } from './model.ts'
import { identifier } from './names.ts'
import type { WitModule } from './wit-classes.ts'

/** Name of the function for `func` within its module. */
export function functionName({ member, method }: Func): string {
  if (!member) return method
  const name = member.kind === 'constructor' ? 'new' : method
  return `${member.resource.source.className}_${name}`
}

/** Name of a member in its class. `drop` is the class's own. */
export function memberName({ member, method }: Func): string {
  return member && method === 'drop' ? 'drop_' : method
}

/** The members of `resource` in `module`; none when an interface elsewhere owns it. */
export function membersOf(resource: ResourceType, module: WitModule): readonly Func[] {
  return module.interfaces
    .flatMap((one) => one.funcs)
    .filter((func) => func.member?.resource === resource)
}

export function declareResource(
  scope: EmitScope,
  resource: ResourceType,
  module: WitModule,
): string {
  const { className } = resource.source
  const members = membersOf(resource, module)
  const parts = members.map((func) => declareMember(scope, func))
  if (!members.some((func) => func.member?.kind === 'constructor')) {
    parts.unshift('  private constructor() {}\n')
  }
  return `// @ts-ignore: decorator
@external("${resource.owner}", "[resource-drop]${resource.name}")
declare function drop_${className}(handle: i32): void;
export class ${className} {
  /** 0: it was given away or dropped. */
  __handle: i32 = 0;
${parts.join('')}  drop(): void {
    if (this.__handle) drop_${className}(give_${className}(this));
  }
}
function lift_${className}(handle: i32): ${className} {
  const r = blank<${className}>();
  r.__handle = handle;
  return r;
}
function lend_${className}(v: ${className}): i32 {
  if (!v.__handle) throw new Error("this ${className} was dropped or given away");
  return v.__handle;
}
function give_${className}(v: ${className}): i32 {
  const handle = lend_${className}(v);
  v.__handle = 0;
  return handle;
}
`
}

function declareMember(scope: EmitScope, func: Func): string {
  const isMethod = func.member?.kind === 'method'
  const own = isMethod ? func.params.slice(1) : func.params
  const params = own.map((param) => `${identifier(param.name)}: ${scope.type(param.type)}`)
  const names = own.map((param) => identifier(param.name))
  const args = (isMethod ? ['this', ...names] : names).join(', ')
  const call = `f_${functionName(func)}(${args})`
  if (func.member?.kind === 'constructor') {
    return `  constructor(${params.join(', ')}) { this.__handle = ${call}; }\n`
  }
  const result = func.result ? scope.type(func.result) : 'void'
  const prefix = isMethod ? '' : 'static '
  const body = func.result ? `return ${call};` : `${call};`
  return `  ${prefix}${memberName(func)}(${params.join(', ')}): ${result} { ${body} }\n`
}

/** The expression for a value of the resource that `handle` stands for. */
export function liftHandle(resource: ResourceType, handle: string): string {
  return `lift_${resource.source.className}(${handle})`
}

/** The expression for the handle of `value`, given away or lent. */
export function lowerHandle(kind: 'own' | 'borrow', resource: ResourceType, value: string): string {
  const verb = kind === 'own' ? 'give' : 'lend'
  return `${verb}_${resource.source.className}(${value})`
}

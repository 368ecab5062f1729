/**
 * world.h: what the author of an actor includes.
 *
 * Owns: declarations of the world's types, of the functions that the host provides, and of those that the
 * author writes.
 */
import type { Func, Interface, ResourceType } from '../assemblyscript/model.ts'
import { definitions } from '../assemblyscript/model.ts'
import { cType, declaredTypes, declareType } from './c-type.ts'
import { isResource, member, type Names } from './names.ts'

export interface CWorld {
  readonly imports: readonly Interface[]
  readonly exports: readonly Interface[]
}

/** `uint64_t counter_increment(uint32_t by)` */
export function prototype(one: Interface, func: Func, names: Names): string {
  const result = func.result === null ? 'void' : cType(func.result, names)
  const params = func.params.map(({ name, type }) => `${cType(type, names)} ${member(name)}`)
  const list = params.length === 0 ? 'void' : params.join(', ')
  return `${result} ${names.function(one.id, func)}(${list})`
}

/** The resources whose handles the functions pass. */
export function resourcesOf(interfaces: readonly Interface[]): ResourceType[] {
  return definitions(interfaces.flatMap(({ funcs }) => funcs)).filter(isResource)
}

/** `void files_file_drop(files_file_t self)` */
export function dropPrototype(resource: ResourceType, names: Names): string {
  return `void ${names.resource(resource)}_drop(${cType({ kind: 'own', resource }, names)} self)`
}

function dropSection(interfaces: readonly Interface[], names: Names): string {
  const lines = resourcesOf(interfaces).map((one) => `${dropPrototype(one, names)};\n`)
  return lines.length === 0 ? '' : `\n// Give handles back\n${lines.join('')}`
}

function section(title: string, interfaces: readonly Interface[], names: Names): string {
  return interfaces
    .filter(({ funcs }) => funcs.length > 0)
    .map((one) => {
      const lines = one.funcs.map((func) => `${prototype(one, func, names)};\n`)
      return `\n// ${title} ${one.id}\n${lines.join('')}`
    })
    .join('')
}

export function emitHeader({ imports, exports }: CWorld, names: Names): string {
  const types = declaredTypes([...imports, ...exports], names)
  return `// Made by \`loom build\` from the actor's WIT. Do not edit.
#pragma once
#include "loom.h"

${types.map((type) => declareType(type, names)).join('\n')}${section('The host provides', imports, names)}${dropSection(imports, names)}${section('The actor defines', exports, names)}`
}

/**
 * What a new contract breaks for those who know the old one.
 *
 * Owns: the rules of compatibility (docs/contracts.md), and saying what breaks.
 * Does not own: which imports a host serves.
 *
 * Invariants:
 *   CD1. A value that one side sends must be one that the other takes, as host/component/values/check.ts takes values:
 *        arguments go from the old contract to the new one, results from the new one to the old one. For
 *        imports it is the other way round.
 *   CD2. Nothing is compared by the name of its type; members are.
 *   CD3. Versions are compatible as component/host interfaces match them: `0.1.x` with `0.1.y`, `1.x` with `1.y`.
 */

import { compatibleName } from '../wit/interface-name.ts'
import type { WitFunction, WitType } from '../wit/wit.ts'
import { formatType } from '../wit/wit-text.ts'
import type { Contract, ContractInterface } from './contract.ts'
import { methodNames } from './method-names.ts'

export interface Break {
  readonly kind: 'removed' | 'added' | 'changed'
  /** `exports`: callers break. `imports`: the host has to serve something else. */
  readonly side: 'exports' | 'imports'
  /** `namespace:package/interface#function`, or the interface alone. */
  readonly where: string
  /** What it is about, such as `result, refusal: case "closed" was added`. */
  readonly message: string
}

/** From whom values come; the other one takes them. */
type Sender = 'old' | 'new'

interface Step {
  readonly path: string
  readonly sender: Sender
  readonly found: string[]
}

/** What became of a member that the sender has and the taker lacks. */
function lacking({ sender }: Step): string {
  return sender === 'new' ? 'was added' : 'was removed'
}

/** A named type is named once, however deep it is. */
function within(step: Step, type: WitType): Step {
  return 'name' in type && type.name !== null
    ? { ...step, path: `${step.path}, ${type.name}` }
    : step
}

function note(step: Step, what: string): void {
  step.found.push(`${step.path}: ${what}`)
}

function part(step: Step, name: string): Step {
  return { ...step, path: `${step.path}, ${name}` }
}

function changed(step: Step, sent: WitType, taken: WitType): void {
  const [before, after] = step.sender === 'old' ? [sent, taken] : [taken, sent]
  const [from, to] = [formatType(before), formatType(after)]
  note(step, from === to ? `${from} is another type now` : `${from} became ${to}`)
}

interface Member {
  readonly name: string
  readonly type: WitType | null
}

/** Every case that is sent must be taken. */
function compareCases(
  step: Step,
  what: string,
  sent: readonly Member[],
  taken: readonly Member[],
): void {
  for (const { name, type } of sent) {
    const other = taken.find((one) => one.name === name)
    if (other === undefined) note(step, `${what} "${name}" ${lacking(step)}`)
    else compareOptional(part(step, `${what} "${name}"`), type, other.type)
  }
}

/** Keys that are not known are refused; a missing one is none, where the field is an option. */
function compareFields(step: Step, sent: readonly Member[], taken: readonly Member[]): void {
  compareCases(step, 'field', sent, taken)
  for (const { name, type } of taken) {
    if (type?.kind === 'option' || sent.some((one) => one.name === name)) continue
    note(step, `field "${name}" ${step.sender === 'old' ? 'was added' : 'was removed'}`)
  }
}

function compareOptional(step: Step, sent: WitType | null, taken: WitType | null): void {
  if (sent !== null && taken !== null) compareTypes(step, sent, taken)
  else if (sent !== taken) {
    const gained = (sent === null) === (step.sender === 'old')
    note(step, gained ? 'a value was added' : 'the value was removed')
  }
}

const labels = (names: readonly string[]): Member[] => names.map((name) => ({ name, type: null }))

/** Notes why a value of the type that is `sent` is none of the type that is `taken`. */
function compareTypes(step: Step, sent: WitType, taken: WitType): void {
  if (sent === taken) return
  const inner = within(step, sent)
  if (sent.kind === 'list' && taken.kind === 'list')
    compareTypes(part(step, 'element'), sent.element, taken.element)
  else if (sent.kind === 'option' && taken.kind === 'option')
    compareTypes(step, sent.element, taken.element)
  else if (sent.kind === 'record' && taken.kind === 'record')
    compareFields(inner, sent.fields, taken.fields)
  else if (sent.kind === 'variant' && taken.kind === 'variant')
    compareCases(inner, 'case', sent.cases, taken.cases)
  else if (sent.kind === 'enum' && taken.kind === 'enum')
    compareCases(inner, 'case', labels(sent.cases), labels(taken.cases))
  else if (sent.kind === 'flags' && taken.kind === 'flags')
    compareCases(inner, 'flag', labels(sent.labels), labels(taken.labels))
  else if (sent.kind === 'result' && taken.kind === 'result') {
    compareOptional(part(step, 'ok'), sent.ok, taken.ok)
    compareOptional(part(step, 'err'), sent.err, taken.err)
  } else if (sent.kind === 'tuple' && taken.kind === 'tuple') {
    if (sent.elements.length !== taken.elements.length) changed(step, sent, taken)
    else
      sent.elements.forEach((type, index) => {
        compareTypes(part(step, `element ${index}`), type, taken.elements[index] ?? type)
      })
  } else if (!isSame(sent, taken)) changed(step, sent, taken)
}

function isSame(sent: WitType, taken: WitType): boolean {
  if (sent.kind !== taken.kind) return false
  const isHandle = sent.kind === 'own' || sent.kind === 'borrow'
  return !isHandle || ('resource' in taken && sent.resource.name === taken.resource.name)
}

/** What is different between two functions of one name; `caller` is who sends the arguments. */
function functionBreaks(before: WitFunction, after: WitFunction, caller: Sender): string[] {
  const found: string[] = []
  const [sent, taken] = caller === 'old' ? [before, after] : [after, before]
  if (before.params.length !== after.params.length)
    return [`${before.params.length} parameters became ${after.params.length}`]
  sent.params.forEach(({ type }, index) => {
    const name = before.params[index]?.name ?? ''
    const step = { path: `parameter "${name}"`, sender: caller, found }
    compareTypes(step, type, taken.params[index]?.type ?? type)
  })
  const answerer: Sender = caller === 'old' ? 'new' : 'old'
  compareOptional({ path: 'result', sender: answerer, found }, taken.result, sent.result)
  return found
}

const placeOf = (interfaceName: string, name: string): string =>
  interfaceName === '' ? name : `${interfaceName}#${name}`

function find(all: readonly ContractInterface[], name: string): ContractInterface | undefined {
  return all.find((one) => compatibleName(one.name) === compatibleName(name))
}

function exportBreaks(before: Contract, after: Contract): Break[] {
  const breaks: Break[] = []
  const add = (kind: Break['kind'], where: string, message: string): void => {
    breaks.push({ kind, side: 'exports', where, message })
  }
  for (const one of before.exports) {
    const other = find(after.exports, one.name)
    if (other === undefined && one.functions.length > 0) {
      add('removed', one.name, 'the interface was removed')
      continue
    }
    for (const func of one.functions) {
      const where = placeOf(one.name, func.name)
      const now = other?.functions.find(({ name }) => name === func.name)
      if (now === undefined) add('removed', where, 'the function was removed')
      else for (const message of functionBreaks(func, now, 'old')) add('changed', where, message)
    }
  }
  return [...breaks, ...renamed(before, after)]
}

/** A function that two interfaces have is called by the interface's name as well. */
function renamed(before: Contract, after: Contract): Break[] {
  const now = methodNames(after.exports)
  return [...methodNames(before.exports)].flatMap(([key, name]) => {
    const [interfaceName = '', func = ''] = key.split('#')
    const other = find(after.exports, interfaceName)
    const newName = other === undefined ? undefined : now.get(`${other.name}#${func}`)
    if (newName === undefined || newName === name) return []
    const message = `callers know it as ${name}; now it is ${newName}`
    return [{ kind: 'changed', side: 'exports', where: placeOf(interfaceName, func), message }]
  })
}

/** `isServed`: whether every host serves the function. */
function importBreaks(
  before: Contract,
  after: Contract,
  isServed: (interfaceName: string, func: WitFunction) => boolean,
): Break[] {
  return after.imports.flatMap((one) => {
    const known = find(before.imports, one.name)
    return one.functions.flatMap((func): Break[] => {
      const where = placeOf(one.name, func.name)
      const old = known?.functions.find(({ name }) => name === func.name)
      if (isServed(one.name, func)) return []
      if (old === undefined) {
        if (func.name.startsWith('[resource-drop]')) return []
        const message = 'the host has to provide it, and did not have to before'
        return [{ kind: 'added', side: 'imports', where, message }]
      }
      return functionBreaks(old, func, 'new').map((message) => ({
        kind: 'changed',
        side: 'imports',
        where,
        message,
      }))
    })
  })
}

/** Everything that breaks, exports first; none when whoever used the old component can use the new one. */
export function contractBreaks(
  before: Contract,
  after: Contract,
  isServed: (interfaceName: string, func: WitFunction) => boolean,
): readonly Break[] {
  return [...exportBreaks(before, after), ...importBreaks(before, after, isServed)]
}

// The guest `resources` (test/fixtures/guests/conformance) as a model: the host's things, and what one guest
// makes of things of the next one. A handle is whatever stands for a thing: here an object, a number in
// Loom's binder, an instance of a class in jco's glue.
import type { WitType, WitValue } from '../../host/component/wit/wit.ts'

export type Handle = object
type Maybe = { tag: string; val?: unknown }
type Labelled = { label: string; thing: Handle }

export interface Things {
  make(text: string): Handle
  text(thing: Handle): string
  append(thing: Handle, text: string): number
  absorb(thing: Handle, other: Handle): void
  longer(a: Handle, b: Handle): boolean
  split(whole: Handle, at: number): [Handle, Handle]
  parse(text: string): { tag: string; val: unknown }
  makeMany(texts: readonly string[]): Handle[]
  consume(things: readonly Handle[]): string
  peek(things: readonly Handle[]): string[]
  relabel(value: Labelled, label: string): Labelled
  choose(count: number, text: string): Maybe
  gather(value: Maybe): number
  optional(thing: Handle | undefined): Handle | undefined
  alive(): number
}

/** Things of a maybe. */
function inside({ val }: Maybe): Handle[] {
  if (val === undefined) return []
  return Array.isArray(val) ? val : [val as Handle]
}

function maybe(things: readonly Handle[]): Maybe {
  if (things.length === 0) return { tag: 'nothing' }
  return things.length === 1 ? { tag: 'one', val: things[0] } : { tag: 'several', val: things }
}

/** The host at the end of the chain. */
export class HostThings implements Things {
  readonly texts = new Map<Handle, string>()

  make(text: string): Handle {
    const thing = {}
    this.texts.set(thing, text)
    return thing
  }
  drop(thing: Handle): void {
    if (!this.texts.delete(thing)) throw new Error('a thing was dropped twice')
  }
  text(thing: Handle): string {
    const text = this.texts.get(thing)
    if (text === undefined) throw new Error('a thing was used after it was dropped')
    return text
  }
  append(thing: Handle, text: string): number {
    this.texts.set(thing, this.text(thing) + text)
    return this.text(thing).length
  }
  absorb(thing: Handle, other: Handle): void {
    this.append(thing, this.#take(other))
  }
  longer(a: Handle, b: Handle): boolean {
    return this.text(a).length > this.text(b).length
  }
  split(whole: Handle, at: number): [Handle, Handle] {
    const text = this.#take(whole)
    return [this.make(text.slice(0, at)), this.make(text.slice(at))]
  }
  parse(text: string): { tag: string; val: unknown } {
    if (text.includes('?')) return { tag: 'err', val: `cannot parse ${text}` }
    return { tag: 'ok', val: this.make(text.toUpperCase()) }
  }
  makeMany(texts: readonly string[]): Handle[] {
    return texts.map((text) => this.make(text))
  }
  consume(things: readonly Handle[]): string {
    return things.map((thing) => this.#take(thing)).join('+')
  }
  peek(things: readonly Handle[]): string[] {
    return things.map((thing) => this.text(thing))
  }
  relabel({ label: old, thing }: Labelled, label: string): Labelled {
    return { label: `${old}>${label}`, thing }
  }
  choose(count: number, text: string): Maybe {
    return maybe(Array.from({ length: count }, (_, index) => this.make(`${text}${index}`)))
  }
  gather(value: Maybe): number {
    return inside(value).map((thing) => this.#take(thing)).length
  }
  optional(thing: Handle | undefined): Handle | undefined {
    return thing
  }
  alive(): number {
    return this.texts.size
  }
  #take(thing: Handle): string {
    const text = this.text(thing)
    this.drop(thing)
    return text
  }
}

/** What the guest does: each of its things is around one of the next. */
export class GuestThings implements Things {
  readonly #next: Things
  readonly #inner = new Map<Handle, Handle>()
  readonly #dropNext: (thing: Handle) => void

  constructor(next: Things & { drop(thing: Handle): void }) {
    this.#next = next
    this.#dropNext = (thing) => next.drop(thing)
  }

  #around(inner: Handle): Handle {
    const thing = {}
    this.#inner.set(thing, inner)
    return thing
  }
  #in(thing: Handle): Handle {
    const inner = this.#inner.get(thing)
    if (inner === undefined) throw new Error('a thing was used after it was dropped')
    return inner
  }
  #unwrap(thing: Handle): Handle {
    const copy = this.#next.make(this.text(thing))
    this.drop(thing)
    return copy
  }
  drop(thing: Handle): void {
    this.#dropNext(this.#in(thing))
    this.#inner.delete(thing)
  }
  make(text: string): Handle {
    return this.#around(this.#next.make(`[${text}]`))
  }
  text(thing: Handle): string {
    return this.#next.text(this.#in(thing))
  }
  append(thing: Handle, text: string): number {
    return this.#next.append(this.#in(thing), text) + 1
  }
  absorb(thing: Handle, other: Handle): void {
    this.#next.absorb(this.#in(thing), this.#unwrap(other))
  }
  longer(a: Handle, b: Handle): boolean {
    return this.#next.longer(this.#in(a), this.#in(b))
  }
  split(whole: Handle, at: number): [Handle, Handle] {
    const [left, right] = this.#next.split(this.#unwrap(whole), at)
    return [this.#around(left), this.#around(right)]
  }
  parse(text: string): { tag: string; val: unknown } {
    const { tag, val } = this.#next.parse(text)
    return { tag, val: tag === 'ok' ? this.#around(val as Handle) : val }
  }
  makeMany(texts: readonly string[]): Handle[] {
    return this.#next.makeMany(texts).map((thing) => this.#around(thing))
  }
  consume(things: readonly Handle[]): string {
    return this.#next.consume(things.map((thing) => this.#unwrap(thing)))
  }
  peek(things: readonly Handle[]): string[] {
    return this.#next.peek(things.map((thing) => this.#in(thing)))
  }
  relabel({ label: old, thing }: Labelled, label: string): Labelled {
    const told = this.#next.relabel({ label: old, thing: this.#unwrap(thing) }, label)
    return { label: told.label, thing: this.#around(told.thing) }
  }
  choose(count: number, text: string): Maybe {
    return maybe(inside(this.#next.choose(count, text)).map((thing) => this.#around(thing)))
  }
  gather(value: Maybe): number {
    return this.#next.gather(maybe(inside(value).map((thing) => this.#unwrap(thing))))
  }
  optional(thing: Handle | undefined): Handle | undefined {
    const told = this.#next.optional(thing === undefined ? undefined : this.#unwrap(thing))
    return told === undefined ? undefined : this.#around(told)
  }
  alive(): number {
    return this.#inner.size * 1_000 + this.#next.alive()
  }
}

/** The method of `Things` behind the name of a WIT function. */
export function thingsMethod(name: string): keyof Things {
  if (name === '[constructor]thing') return 'make'
  const plain = name.replace(/^.*\./, '')
  return plain.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()) as keyof Things
}

/** `value` with `change` made to every handle in it. */
export function mapHandles(
  type: WitType,
  value: WitValue,
  change: (handle: never) => unknown,
): WitValue {
  const map = (inner: WitType | null, part: unknown): unknown =>
    inner === null ? part : mapHandles(inner, part as WitValue, change)
  switch (type.kind) {
    case 'own':
    case 'borrow':
      return change(value as never) as WitValue
    case 'list':
      return Array.isArray(value) ? value.map((item) => map(type.element, item) as WitValue) : value
    case 'tuple':
      return type.elements.map(
        (element, index) => map(element, (value as unknown[])[index]) as WitValue,
      )
    case 'option':
      return value === undefined ? undefined : (map(type.element, value) as WitValue)
    case 'record':
      return Object.fromEntries(
        type.fields.map((field) => [
          field.name,
          map(field.type, (value as never)[field.name]) as WitValue,
        ]),
      )
    case 'result':
    case 'variant': {
      const { tag, val } = value as { tag: string; val?: WitValue }
      const cases =
        type.kind === 'variant'
          ? type.cases
          : [
              { name: 'ok', type: type.ok },
              { name: 'err', type: type.err },
            ]
      const inner = cases.find(({ name }) => name === tag)?.type ?? null
      return inner === null ? { tag } : { tag, val: map(inner, val) as WitValue }
    }
    default:
      return value
  }
}

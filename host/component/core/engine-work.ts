/**
 * Engine work: what an engine has to do for an instruction besides the instruction itself.
 *
 * A branch, a block's end, a call carry as many values as their types say: a thousand, in a byte or two. A baseline
 * compiler writes code for each of them, and where control may come from two sides, it looks at each local and each
 * operand that is there: functions can be made on which it works with the square of their size.
 *
 * Owns: the blocks that are open, the height of the stack, and what instructions move and settle. Does not own: what a
 * moved value costs when it is moved (fuel-scan.ts), how much of all this is too much (compile.ts).
 *
 * Invariant EW1. Of code that is not valid it says anything, and throws nothing: the engine refuses it.
 *
 * Source: WebAssembly Core Specification 3.0, "Validation", "Control Instructions".
 */
import type { InstructionReader } from './instructions.ts'
import type { CoreModule, Signature, TypeSize } from './module.ts'
import { stackEffect } from './stack-effects.ts'

const NONE: TypeSize = { params: 0, results: 0 }
const ONE_RESULT: TypeSize = { params: 0, results: 1 }

/** A local that is declared and a value that is moved are some bytes of machine code each; what is looked at is none. */
const CODE_WEIGHT = 4

interface Block extends TypeSize {
  readonly isLoop: boolean
  /** The stack below its parameters and results. */
  readonly base: number
  /** How many branches have named its label. */
  branchCount: number
}

export class EngineWork {
  /** What all instructions so far are to a compiler, beside their number. */
  total: number
  readonly #module: CoreModule
  readonly #function: Block
  readonly #blocks: Block[] = []
  readonly #localCount: number
  #height = 0
  /** Of the innermost block. */
  #base = 0

  /** `localCount` includes parameters. */
  constructor(module: CoreModule, { params, results }: Signature, localCount: number) {
    this.#module = module
    this.#function = {
      params: params.length,
      results: results.length,
      isLoop: false,
      base: 0,
      branchCount: 0,
    }
    this.#localCount = localCount
    this.total = CODE_WEIGHT * localCount
  }

  /** False for what neither branches nor calls: `plain` is enough for it. */
  static isControl(code: number): boolean {
    return code < 0x1a || code === 0x1f || (code > 0xd4 && code < 0x100)
  }

  plain(code: number): void {
    this.#grow(stackEffect(code))
  }

  /** How many values the instruction moves that `reader` has just read. */
  next(reader: InstructionReader): number {
    const { code, index } = reader
    switch (code) {
      case 0x02: // block, loop, if, try, try_table
      case 0x03:
      case 0x04:
      case 0x06:
      case 0x1f:
        return this.#open(reader)
      case 0x05: // else, catch_all
      case 0x19:
        return this.#next(code === 0x05 ? this.#block().params : 0)
      case 0x07:
        return this.#next(this.#tag(index))
      case 0x0b: // end, delegate
      case 0x18:
        return this.#close()
      case 0x08: // throw; rethrow, throw_ref
        return this.#tag(index)
      case 0x09:
      case 0x0a:
        return this.#module.tagParamMax
      case 0x0c: // br, br_if, br_table, br_on_null, br_on_non_null
      case 0x0d:
      case 0x0e:
      case 0xd5:
      case 0xd6:
        this.#grow(code === 0x0c || code === 0xd5 ? 0 : -1)
        return this.#branch(this.#label(index), code === 0x0e ? reader.targetCount : 1)
      case 0x0f:
        return this.#branch(this.#function.results, 1)
      case 0x10: // call, return_call
      case 0x12: {
        const signature = this.#module.functions[index]
        return signature ? this.#call(signature.params.length, signature.results.length, 0) : 0
      }
      case 0x11: // call_indirect, return_call_indirect, call_ref, return_call_ref
      case 0x13:
      case 0x14:
      case 0x15: {
        const { params, results } = this.#type(index)
        return this.#call(params, results, 1)
      }
      default:
        this.plain(code)
        return 0
    }
  }

  #grow(count: number): void {
    this.#height = Math.max(this.#base, this.#height + count)
  }

  #block(): Block {
    return this.#blocks.at(-1) ?? this.#function
  }

  #open(reader: InstructionReader): number {
    if (reader.code === 0x04) this.#grow(-1)
    const size = this.#size(reader)
    const base = Math.max(this.#base, this.#height - size.params)
    const { params, results } = size
    this.#blocks.push({ params, results, isLoop: reader.code === 0x03, base, branchCount: 0 })
    this.#base = base
    this.#height = base + params
    return this.#branch(size.params, 1)
  }

  /** The next arm of a block begins with `count` operands. */
  #next(count: number): number {
    const { base, results } = this.#block()
    const moved = this.#branch(results + count, 1)
    this.#height = base + count
    return moved
  }

  #close(): number {
    const { base, results } = this.#block()
    const moved = this.#branch(results, 1)
    this.#blocks.pop()
    this.#base = this.#block().base
    this.#height = base + results
    return moved
  }

  /** Control may go elsewhere, or come from there: all that is there is settled. */
  #branch(moved: number, targetCount: number): number {
    this.total += targetCount * (this.#localCount + this.#height + CODE_WEIGHT * moved)
    return moved
  }

  /** Arguments are brought into their places one after the other, each looking for those that are in its way. */
  #call(params: number, results: number, extra: number): number {
    this.total += params * params + results * results
    this.#grow(results - params - extra)
    return params + results
  }

  #size({ blockType }: InstructionReader): TypeSize {
    if (blockType === 'none') return NONE
    return blockType === 'value' ? ONE_RESULT : this.#type(blockType)
  }

  #type(index: number): TypeSize {
    return this.#module.typeSizes[index] ?? NONE
  }

  #tag(index: number): number {
    const tag = this.#module.externs.tag[index]
    return tag?.kind === 'tag' ? (tag.signature?.params.length ?? 0) : 0
  }

  /**
   * How many values a branch to a label carries; counts it. An optimising compiler joins what comes to a label anew for each
   * branch: 50,000 to one of them, 600 KB, took Node 20 more than a minute, and 25,000 held up its event loop for seconds.
   */
  #label(depth: number): number {
    const block = this.#blocks[this.#blocks.length - 1 - depth] ?? this.#function
    this.total += block.branchCount++
    return block.isLoop ? block.params : block.results
  }
}

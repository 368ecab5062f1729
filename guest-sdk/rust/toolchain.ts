/**
 * The Rust toolchain.
 *
 * Owns: finding a cargo whose compiler has a standard library for WebAssembly, and saying what is missing.
 *
 * In this order: the cargo of the PATH with wasm32-unknown-unknown; the one that scripts/get-rust-wasm.mjs
 * made of Debian's packages; the cargo of the PATH with wasm32-wasip2, whose components are larger and
 * import WASI.
 */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { ToolchainError } from '../assemblyscript/errors.ts'

export const TARGETS = ['wasm32-unknown-unknown', 'wasm32-wasip2'] as const
export type Target = (typeof TARGETS)[number]

export interface Toolchain {
  /** A command or a path. */
  readonly cargo: string
  readonly target: Target
  /** `rustc 1.95.0 (...)` */
  readonly version: string
}

export interface Finished {
  readonly isOk: boolean
  readonly stdout: string
  readonly stderr: string
}

const OUTPUT_MAX_BYTES = 64 * 1024 * 1024

export function run(command: string, args: readonly string[], cwd: string): Promise<Finished> {
  return new Promise((resolve) => {
    execFile(command, args, { cwd, maxBuffer: OUTPUT_MAX_BYTES }, (error, stdout, stderr) =>
      resolve({ isOk: error === null, stdout, stderr: stderr || (error?.message ?? '') }),
    )
  })
}

function cachedBin(): string {
  const folder = process.env.LOOM_RUST_CACHE ?? path.join(os.homedir(), '.cache/loom-rust')
  return path.join(folder, 'toolchain/bin')
}

async function hasLibrary(rustc: string, target: Target, cwd: string): Promise<boolean> {
  const { isOk, stdout } = await run(rustc, ['--print', 'target-libdir', '--target', target], cwd)
  const folder = stdout.trim()
  return isOk && existsSync(folder) && readdirSync(folder).some((file) => /^libstd-/.test(file))
}

/**
 * The toolchain for the actor in `dir`; `wanted` allows no other target.
 * @throws ToolchainError that says what to install.
 */
export async function findToolchain(dir: string, wanted?: Target): Promise<Toolchain> {
  const cached = cachedBin()
  const candidates = [
    { cargo: 'cargo', rustc: 'rustc', target: TARGETS[0] },
    { cargo: path.join(cached, 'cargo'), rustc: path.join(cached, 'rustc'), target: TARGETS[0] },
    { cargo: 'cargo', rustc: 'rustc', target: TARGETS[1] },
  ]
  for (const { cargo, rustc, target } of candidates) {
    if (wanted !== undefined && wanted !== target) continue
    if (!(await hasLibrary(rustc, target, dir))) continue
    const { stdout } = await run(rustc, ['--version'], dir)
    return { cargo, target, version: stdout.trim() }
  }
  const { isOk } = await run('cargo', ['--version'], dir)
  const target = wanted ?? TARGETS[0]
  throw new ToolchainError(
    isOk
      ? `the Rust standard library of ${target} is not installed; run: rustup target add ${target}`
      : `cargo is not installed; install Rust (rustup), then run: rustup target add ${target}`,
  )
}

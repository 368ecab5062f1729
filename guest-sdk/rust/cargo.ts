/**
 * cargo.
 *
 * Owns: the options that make small modules, running a build.
 * Does not own: what errors say (rustc-messages.ts).
 *
 * Options hold for this build only: a plain `cargo build` of the actor works too, with the options of its
 * own. A workspace with a `[profile.release]` keeps that.
 */
import { existsSync, readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { BuildError } from '../assemblyscript/errors.ts'
import { mistakesOf, type RustcMessage } from './rustc-messages.ts'
import { run, type Toolchain } from './toolchain.ts'

/** Rust's default of 1 MiB would be sixteen pages of every actor's memory. Units: bytes. */
const STACK_SIZE_BYTES = 65_536

const PROFILE = {
  'opt-level': '"s"',
  lto: '"fat"',
  'codegen-units': '1',
  panic: '"abort"',
  strip: 'true',
}

interface CargoMessage {
  readonly reason: string
  readonly filenames?: readonly string[]
  readonly target?: { readonly kind: readonly string[] }
  readonly message?: RustcMessage
}

function profile(manifest: string): string[] {
  if (/^\[profile\.release/m.test(readFileSync(manifest, 'utf8'))) return []
  return Object.entries(PROFILE).flatMap(([name, value]) => [
    '--config',
    `profile.release.${name}=${value}`,
  ])
}

/** Flags of the target's compilations. Paths of this machine do not get into panic messages. */
function flags(root: string, target: string): string[] {
  const cargoHome = process.env.CARGO_HOME ?? path.join(os.homedir(), '.cargo')
  const list = [
    `-Clink-arg=-zstack-size=${STACK_SIZE_BYTES}`,
    `--remap-path-prefix=${cargoHome}=cargo`,
    `--remap-path-prefix=${root}=.`,
  ]
  return ['--config', `target.${target}.rustflags=${JSON.stringify(list)}`]
}

function parse(stdout: string): CargoMessage[] {
  const lines = stdout.split('\n').filter((line) => line.startsWith('{'))
  return lines.map((line) => JSON.parse(line) as CargoMessage)
}

/** What cargo complains about, and the innermost two of the causes that it lists below. */
function lastError(stderr: string): string {
  const text = /^error(?:\[\w+\])?: ([\s\S]*)/m.exec(stderr)?.[1] ?? stderr
  const [what = '', ...causes] = text.split(/\n\s*Caused by:\n/)
  const parts = [what.split('\n\n')[0] ?? '', ...causes.slice(-2)]
  return parts.map((part) => part.trim().replace(/\s*\n\s*/g, ' ')).join(': ')
}

/** The sources of a module, as cargo notes them beside it; those of packages from a registry are not among them. */
export function sourcesOf(module: string): string[] {
  const file = module.replace(/\.wasm$/, '.d')
  if (!existsSync(file)) return []
  const [line = ''] = readFileSync(file, 'utf8').split('\n')
  const words = line.slice(line.indexOf(': ') + 2).match(/(?:\\ |\S)+/g) ?? []
  return words.map((word) => word.replaceAll('\\ ', ' '))
}

/**
 * Compiles the crate in `dir`; gives the path of its module.
 * @throws BuildError for errors of the compiler, and for whatever else cargo complains about.
 */
export async function compileCrate(dir: string, toolchain: Toolchain): Promise<string> {
  const { cargo, target } = toolchain
  const fail = (message: string): BuildError =>
    new BuildError([{ message, file: path.join(dir, 'Cargo.toml'), line: 1, column: 1 }])
  const located = ['locate-project', '--workspace', '--message-format=plain']
  const project = await run(cargo, located, dir)
  if (!project.isOk) throw fail(lastError(project.stderr))
  const manifest = project.stdout.trim()
  const root = path.dirname(manifest)
  const options = [...profile(manifest), ...flags(root, target)]
  const what = ['--lib', '--release', '--target', target, '--message-format=json']
  const built = await run(cargo, ['build', ...what, ...options], dir)
  const messages = parse(built.stdout)
  const complaints = messages.flatMap(({ message }) => message ?? [])
  const [first, ...others] = mistakesOf(complaints, { dir, root })
  if (first !== undefined) throw new BuildError([first, ...others])
  if (!built.isOk) throw fail(lastError(built.stderr))
  const modules = messages
    .filter(({ reason, target: of }) => reason === 'compiler-artifact' && isLibrary(of?.kind))
    .flatMap(({ filenames }) => filenames ?? [])
    .filter((file) => file.endsWith('.wasm'))
  const module = modules.at(-1)
  if (module === undefined)
    throw fail('the crate makes no module: it needs crate-type = ["cdylib"] in [lib]')
  return module
}

function isLibrary(kind: readonly string[] = []): boolean {
  return kind.includes('cdylib')
}

/**
 * `loom build`: an actor's source folder to a component.
 *
 * Owns: which language a folder is written in.
 * Does not own: building. The builder runs as a child process: the host never loads a guest SDK or its
 * compiler (docs/adr/0001-builder-as-child-process.md).
 */
import { existsSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { type Command, Option } from 'commander'
import { addExample, type JsonOptions, jsonOption } from '../options.ts'
import { colors, print, printJson } from '../output.ts'
import { withProgress } from '../progress.ts'
import { askSdk } from '../sdk-process.ts'

/**
 * In this order: a folder is of the first language that has a file in it; else of AssemblyScript. A `.ts` file beside
 * `world.wit` is TypeScript: AssemblyScript's WIT is derived, and named after the folder.
 */
const LANGUAGES: readonly Language[] = [
  { sdk: 'rust', isSource: (file) => file === 'Cargo.toml' },
  { sdk: 'javascript', isSource: (file) => /\.m?js$/.test(file) },
  { sdk: 'javascript', isSource: (file, files) => isTypeScript(file) && files.includes(WORLD) },
  { sdk: 'assemblyscript', isSource: isTypeScript },
  { sdk: 'c', isSource: (file) => file.endsWith('.c') },
]

const WORLD = 'world.wit'

interface Language {
  readonly sdk: string
  /** `files`: all of the folder. */
  readonly isSource: (file: string, files: readonly string[]) => boolean
}

function isTypeScript(file: string): boolean {
  return /(?<!\.d)\.m?ts$/.test(file)
}

interface BuildOptions extends JsonOptions {
  readonly out?: string
  readonly check?: true
  readonly saveWit?: true
}

interface BuildResult {
  readonly component: string
  readonly wit: string
  readonly sizeBytes: number
  readonly interface: string
  readonly warnings: readonly string[]
  /** True: what the last build gave is current. */
  readonly unchanged: boolean
}

export function addBuildCommand(program: Command): void {
  const command = program
    .command('build')
    .description(
      'build an actor in AssemblyScript, JavaScript, TypeScript, Rust or C into a component',
    )
    .argument('<dir>', 'folder of the actor, or a source file in it')
    .option('--out <dir>', 'where to write the component; default: <dir>/build')
    .addOption(
      new Option('--check', 'write nothing; fail unless <dir>/<name>.wit is what the source gives'),
    )
    .addOption(
      new Option(
        '--save-wit',
        'write the derived WIT to <dir>/<name>.wit, to be committed',
      ).conflicts('check'),
    )
    .addOption(jsonOption())
    .action(build)
  addExample(command, 'loom build actors/counter')
}

async function build(dir: string, options: BuildOptions): Promise<void> {
  const result = await withProgress(`building ${dir}`, options.json === true, () =>
    runBuilder(dir, options),
  )
  if (options.json === true) {
    printJson(result)
    return
  }
  if (options.check === true) {
    print(`${colors.green('same')} interface ${result.interface}`)
    return
  }
  for (const warning of result.warnings) print(`${colors.yellow('warning')} ${warning}`)
  const verb = result.unchanged ? 'unchanged' : 'built'
  print(`${colors.green(verb)} ${result.component} (${result.sizeBytes} bytes)`)
  print(colors.dim(`interface ${result.interface}, WIT in ${result.wit}`))
}

function builderOf(dir: string): string {
  const isFolder = existsSync(dir) && statSync(dir).isDirectory()
  const folder = isFolder ? dir : path.dirname(dir)
  const beside = existsSync(folder) ? readdirSync(folder) : []
  const files = isFolder ? beside : [path.basename(dir)]
  const found = LANGUAGES.find(({ isSource }) => files.some((file) => isSource(file, beside)))
  return path.join(found?.sdk ?? 'assemblyscript', 'cli.js')
}

async function runBuilder(dir: string, options: BuildOptions): Promise<BuildResult> {
  const { out, check, saveWit } = options
  const args = [dir, '--json', ...(out === undefined ? [] : ['--out', out])]
  if (check === true) args.push('--check')
  if (saveWit === true) args.push('--save-wit')
  const answer = await askSdk<BuildResult>(builderOf(dir), args)
  const { component, wit, sizeBytes, warnings, unchanged } = answer
  return { component, wit, sizeBytes, interface: answer.interface, warnings, unchanged }
}

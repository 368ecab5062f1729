/**
 * `loom build`: an actor's source folder to a component.
 *
 * Owns: which language a folder is written in, which of its files are sources; what is shown.
 * Does not own: building. The builder runs as a child process: the host never loads a guest SDK or its
 * compiler (docs/adr/0001-builder-as-child-process.md).
 */
import { existsSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { type Command, Option } from 'commander'
import { addExample, type JsonOptions, jsonOption } from '../options.ts'
import { colors, note, print, printError, printJson } from '../output.ts'
import { withProgress } from '../progress.ts'
import { askSdk } from '../sdk-process.ts'
import { type Outcome, watchBuild } from '../watch-build.ts'

const WORLD = 'world.wit'
const MODULES = /\.([cm]?[jt]s|json|wit)$/

const ASSEMBLYSCRIPT: Language = {
  sdk: 'assemblyscript',
  isSource: isTypeScript,
  inputs: /\.(ts|wit)$|(^|[\\/])asconfig\.json$/,
}

/**
 * In this order: a folder is of the first language that has a file in it; else of AssemblyScript. A `.ts` file beside
 * `world.wit` is TypeScript: AssemblyScript's WIT is derived, and named after the folder.
 */
const LANGUAGES: readonly Language[] = [
  { sdk: 'rust', isSource: (file) => file === 'Cargo.toml', inputs: /(?<!\.md|Cargo\.lock)$/ },
  { sdk: 'javascript', isSource: (file) => /\.m?js$/.test(file), inputs: MODULES },
  {
    sdk: 'javascript',
    isSource: (file, files) => isTypeScript(file) && files.includes(WORLD),
    inputs: MODULES,
  },
  ASSEMBLYSCRIPT,
  { sdk: 'c', isSource: (file) => file.endsWith('.c'), inputs: /\.(c|h|wit)$/ },
]

interface Language {
  readonly sdk: string
  /** `files`: all of the folder. */
  readonly isSource: (file: string, files: readonly string[]) => boolean
  /** Files of the folder that a build may read: a change of another one is none. */
  readonly inputs: RegExp
}

function isTypeScript(file: string): boolean {
  return /(?<!\.d)\.m?ts$/.test(file)
}

interface BuildOptions extends JsonOptions {
  readonly out?: string
  readonly check?: true
  readonly saveWit?: true
  readonly watch?: true
  readonly engine?: string
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
    .option(
      '--engine <name>',
      'what runs JavaScript and TypeScript: quickjs or starlingmonkey; default: quickjs, or what package.json says',
    )
    .addOption(
      new Option('--check', 'write nothing; fail unless <dir>/<name>.wit is what the source gives'),
    )
    .addOption(
      new Option(
        '--save-wit',
        'write the derived WIT to <dir>/<name>.wit, to be committed',
      ).conflicts('check'),
    )
    .addOption(
      new Option(
        '--watch',
        'stay, and build again at each change of a source; Ctrl-C ends it',
      ).conflicts(['check', 'saveWit']),
    )
    .addOption(jsonOption())
    .action((dir: string, options: BuildOptions) =>
      options.watch === true ? watch(dir, options) : build(dir, options),
    )
  addExample(command, 'loom build actors/counter', 'loom build actors/counter --watch')
}

async function build(dir: string, options: BuildOptions): Promise<void> {
  const result = await withProgress(`building ${dir}`, options.json === true, () =>
    runBuilder(dir, options),
  )
  if (options.check === true && options.json !== true)
    print(`${colors.green('same')} interface ${result.interface}`)
  else show(result, options)
}

function show(result: BuildResult, { json }: JsonOptions, durationMs?: number): void {
  if (json === true) {
    printJson(durationMs === undefined ? result : { ...result, durationMs })
    return
  }
  for (const warning of result.warnings) note(`${colors.yellow('warning')} ${warning}`)
  const verb = result.unchanged ? 'unchanged' : 'built'
  const time = durationMs === undefined ? '' : ` in ${(durationMs / 1_000).toFixed(2)} s`
  print(`${colors.green(verb)} ${result.component} (${result.sizeBytes} bytes)${time}`)
  print(colors.dim(`interface ${result.interface}, WIT in ${result.wit}`))
}

/** Until SIGINT or SIGTERM, which is its ordinary end. */
async function watch(dir: string, options: BuildOptions): Promise<void> {
  const ending = new AbortController()
  const end = (): void => ending.abort()
  process.once('SIGINT', end).once('SIGTERM', end)
  const folder = path.resolve(isFolder(dir) || !existsSync(dir) ? dir : path.dirname(dir))
  const isSource = (file: string): boolean => languageOf(dir).inputs.test(file)
  const ignored = options.out === undefined ? [] : [path.resolve(options.out)]
  const program = (): string => programOf(languageOf(dir))
  const request = { args: argumentsOf(dir, options), program, ending: ending.signal }
  const report = (outcome: Outcome<BuildResult>): void => {
    const { durationMs } = outcome
    if (outcome.kind === 'failed') printError(outcome.error, options.json === true)
    else show(resultOf(outcome.result), options, durationMs)
    if (!hasReported && options.json !== true) note(`watching ${dir}; Ctrl-C ends it`)
    hasReported = true
  }
  let hasReported = false
  try {
    await watchBuild({ files: { folder, isSource, ignored }, ...request }, report)
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end)
  }
}

function isFolder(dir: string): boolean {
  return existsSync(dir) && statSync(dir).isDirectory()
}

function languageOf(dir: string): Language {
  const folder = isFolder(dir) ? dir : path.dirname(dir)
  const beside = existsSync(folder) ? readdirSync(folder) : []
  const files = isFolder(dir) ? beside : [path.basename(dir)]
  const found = LANGUAGES.find(({ isSource }) => files.some((file) => isSource(file, beside)))
  return found ?? ASSEMBLYSCRIPT
}

function programOf({ sdk }: Language): string {
  return path.join(sdk, 'cli.js')
}

function argumentsOf(dir: string, { out, check, saveWit, engine }: BuildOptions): string[] {
  const args = [dir, '--json', ...(out === undefined ? [] : ['--out', out])]
  if (engine !== undefined) args.push('--engine', engine)
  if (check === true) args.push('--check')
  if (saveWit === true) args.push('--save-wit')
  return args
}

async function runBuilder(dir: string, options: BuildOptions): Promise<BuildResult> {
  const program = programOf(languageOf(dir))
  return resultOf(await askSdk<BuildResult>(program, argumentsOf(dir, options)))
}

function resultOf(answer: BuildResult): BuildResult {
  const { component, wit, sizeBytes, warnings, unchanged } = answer
  return { component, wit, sizeBytes, interface: answer.interface, warnings, unchanged }
}

/**
 * `loom new`: a project with one actor, which builds and tests as it is.
 *
 * Owns: the name, the folder, filling in a template.
 * Does not own: how a project depends on Loom (own-dependency.ts); templates. Each language has one in `guest-sdk/template/<language>`, which says in
 * `template.json` which file goes where.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { type Command, Option } from 'commander'
import { LoomError } from '../../base/errors.ts'
import { addExample, type JsonOptions, jsonOption } from '../options.ts'
import { colors, print, printJson } from '../output.ts'
import { ownDependency } from '../own-dependency.ts'

interface NewOptions extends JsonOptions {
  readonly lang: string
}

interface Template {
  /** Target by template file, relative to template.json; `{{name}}` is filled in. */
  readonly files: Readonly<Record<string, string>>
  /** Commands to run next, in the new folder. */
  readonly next: readonly string[]
}

interface Manifest {
  readonly version: string
  readonly optionalDependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}

const NAME = /^[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$/
const packageRoot = path.dirname(createRequire(import.meta.url).resolve('loom/package.json'))
const templates = path.join(packageRoot, 'guest-sdk/template')

export function addNewCommand(program: Command): void {
  const command = program
    .command('new')
    .description('make a project with one actor, ready to build and test')
    .argument('<dir>', 'the new folder; its last part is the name of the actor')
    .addOption(
      new Option('--lang <language>', `language of the actor: ${languages().join(', ')}`).default(
        'assemblyscript',
      ),
    )
    .addOption(jsonOption())
    .action(create)
  addExample(command, 'loom new counter --lang assemblyscript')
}

function create(dir: string, options: NewOptions): void {
  const target = path.resolve(dir)
  const name = path.basename(target)
  if (!NAME.test(name))
    throw new LoomError(
      'ERR_OPTION',
      `the name ${JSON.stringify(name)}: expected lower-case words with hyphens, such as rate-limiter`,
    )
  const folder = templateOf(options.lang)
  if (existsSync(target) && readdirSync(target).length > 0)
    throw new LoomError('ERR_OPTION', `${dir} exists and is not empty; nothing was written`)
  const { files, next }: Template = JSON.parse(
    readFileSync(path.join(folder, 'template.json'), 'utf8'),
  )
  const fill = filler(name, target)
  const written = Object.entries(files).map(([source, wanted]) => {
    const file = fill(wanted)
    const to = path.join(target, file)
    mkdirSync(path.dirname(to), { recursive: true })
    writeFileSync(to, fill(readFileSync(path.join(folder, source), 'utf8')))
    return file
  })
  if (options.json === true) {
    printJson({ dir: target, name, language: options.lang, files: written })
    return
  }
  print(`${colors.green('made')} ${dir}: ${written.join(', ')}`)
  print(colors.dim(`next: cd ${dir} && ${next.join(' && ')}`))
}

function languages(): string[] {
  return readdirSync(templates)
    .filter((name) => existsSync(path.join(templates, name, 'template.json')))
    .sort()
}

function templateOf(language: string): string {
  const known = languages()
  if (known.includes(language)) return path.join(templates, language)
  throw new LoomError(
    'ERR_OPTION',
    `--lang ${JSON.stringify(language)}: expected one of ${known.join(', ')}`,
  )
}

/** Replaces the name in the spellings of languages, `{{loom}}` and `{{version <package>}}`. */
function filler(name: string, target: string): (text: string) => string {
  const manifest: Manifest = JSON.parse(
    readFileSync(path.join(packageRoot, 'package.json'), 'utf8'),
  )
  const capital = (_match: string, letter: string): string => letter.toUpperCase()
  const words: Readonly<Record<string, string>> = {
    name,
    Name: name.replace(/(?:^|-)(.)/g, capital),
    camel: name.replace(/-(.)/g, capital),
    snake: name.replaceAll('-', '_'),
    loom: ownDependency(realpathSync(packageRoot), manifest.version, target),
  }
  const versions = { ...manifest.devDependencies, ...manifest.optionalDependencies }
  return (text) =>
    text.replace(/\{\{(?:version ([^}]+)|(\w+))\}\}/g, (match, wanted: string, word: string) => {
      const value = wanted === undefined ? words[word] : versions[wanted]
      if (value === undefined) throw new Error(`the template has an unknown word ${match}`)
      return value
    })
}

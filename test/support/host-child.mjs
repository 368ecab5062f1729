// A host process of its own for fault tests: node host-child.mjs MODE FOLDER.
//
//   serve   hosts the folder over HTTP: TypeScript actors Account and Log, and the components pushed to it; prints
//           "open" when the folder is claimed, "listening on ADDRESS" when it takes calls; SIGTERM ends it
//   check   reads the folder, replays every actor from its first entry, and prints one JSON line per actor:
//           type, id, stateHash of the replay, and its turns in order
//
// Every line is written synchronously, so that a line that was read had happened before a kill.
import { Actor, createRuntime, openDataFolder, openInspector } from '../../dist/host/index.js'
import { startServer } from '../../dist/host/server/server.js'
import { say } from './say.mjs'

const [mode, folder] = process.argv.slice(2)
const account = (id) => ({ type: 'Account', id })

/** Begins with a balance of 0 and may owe: what counts is the sum of all. */
class Account extends Actor {
  static initialState = { balance: 0, moves: 0 }

  #move(kind, transfer, amount) {
    this.updateState(({ balance, moves }) => ({ balance: balance + amount, moves: moves + 1 }))
    this.simpleState.set(`${kind}/${transfer}`, amount)
  }

  deposit(transfer, amount) {
    this.#move('in', transfer, amount)
    return this.state.balance
  }

  /** By request and response. A refused one leaves the account as it was. */
  async transfer(transfer, to, amount) {
    this.#move('out', transfer, -amount)
    try {
      await this.context.call(account(to), 'deposit', transfer, amount)
      return 'moved'
    } catch (error) {
      if (error.code !== 'ERR_DEADLOCK') throw error
      this.#move('back', transfer, amount)
      return 'refused'
    }
  }

  /** As `transfer`, through an account in between, which may be one of the two. */
  async relay(transfer, to, amount) {
    this.#move('out', transfer, -amount)
    try {
      await this.context.call(account(`a${amount % 5}`), 'forward', transfer, to, amount)
      return 'moved'
    } catch (error) {
      if (error.code !== 'ERR_DEADLOCK' && error.code !== 'ERR_ACTOR_FAILED') throw error
      this.#move('back', transfer, amount)
      return 'refused'
    }
  }

  async forward(transfer, to, amount) {
    this.#move('via', transfer, 0)
    await this.context.call(account(to), 'deposit', transfer, amount)
  }

  /** One way. */
  pay(transfer, to, amount) {
    this.#move('out', transfer, -amount)
    this.context.send(account(to), 'deposit', transfer, amount)
    return 'sent'
  }

  /** By two messages, whose amounts a recorded host call says. */
  async split(transfer, to, amount) {
    const half = Math.floor(this.context.random() * amount)
    this.#move('out', transfer, -amount)
    this.context.send(account(to), 'deposit', `${transfer}:first`, half)
    this.context.send(account(to), 'deposit', `${transfer}:second`, amount - half)
    return 'sent'
  }

  balance() {
    return this.state.balance
  }

  /** Everything that was ever moved, by the keyed state: its sum is the balance. */
  async booked() {
    let sum = 0
    let count = 0
    for (let after; ; ) {
      const keys = await this.simpleState.keys(after === undefined ? {} : { after })
      if (keys.length === 0) return { sum, count }
      for (const key of keys) {
        sum += await this.simpleState.get(key)
        count++
      }
      after = keys.at(-1)
    }
  }
}

/** Remembers each client's last number, and whether one ever came out of order. */
class Log extends Actor {
  static initialState = { last: {}, count: 0, disorder: null }

  append(client, number) {
    const { last, count, disorder } = this.state
    const before = last[client] ?? 0
    const found = number > before ? null : `${client}: ${number} after ${before}`
    this.updateState({
      last: { ...last, [client]: number },
      count: count + 1,
      disorder: disorder ?? found,
    })
    return count + 1
  }

  disorder() {
    return this.state.disorder
  }
}

async function serve() {
  // Few resident actors and frequent snapshots: kills meet evictions and captures as well.
  const limits = { residentCountMax: 5, snapshotIntervalTurns: 25 }
  const runtime = await createRuntime({ ...openDataFolder(folder), limits })
  say('open')
  for (const actorClass of [Account, Log])
    await runtime.registerActorType(actorClass.name, { type: 'typescript', actorClass })
  const server = await startServer({ runtime, port: 0 })
  await runtime.announce(server.address)
  say(`listening on ${server.address}`)
  process.once('SIGTERM', async () => {
    await server.close()
    await runtime.close()
  })
}

async function turnsOf(inspector, key) {
  const turns = []
  let head = null
  for await (const { entry } of inspector.journal(key)) {
    if (entry.kind === 'turn' || entry.kind === 'opened') head = entry
    if (entry.kind !== 'turn' && entry.kind !== 'closed') continue
    const { method, args, idempotencyKey } = head
    turns.push({ key: idempotencyKey, method, args, outcome: entry.outcome })
  }
  return turns
}

async function check() {
  const types = {
    Account: { type: 'typescript', actorClass: Account },
    Log: { type: 'typescript', actorClass: Log },
  }
  const inspector = await openInspector({ ...openDataFolder(folder), types })
  const bigint = (_, value) => (typeof value === 'bigint' ? Number(value) : value)
  for await (const { type, id } of inspector.actors()) {
    const { stateHash } = await inspector.replay({ type, id })
    const turns = await turnsOf(inspector, { type, id })
    say(JSON.stringify({ type, id, stateHash, turns }, bigint))
  }
  await inspector.close()
}

await (mode === 'serve' ? serve() : check())

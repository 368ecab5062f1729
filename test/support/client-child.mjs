// A client process for fault tests: node client-child.mjs NUMBER SEED ADDRESS_FILE.
//
// Lanes of calls, one after the other in each, with an idempotency key per call; whatever does not answer is asked
// again, at the address that the file holds by then. Prints one JSON line per answer: lane, number, key, type, id,
// method, args, result; "fatal ..." for an answer that no kill explains. "stop" on stdin: each lane waits for the
// answer that it is owed, then "done" is printed.
//
//   lane 0   counts with keys that lane 0 of every other client process uses too
//   lane 1   counts with keys of its own
//   others   count, append to logs, transfer, relay, pay and split
import { readFileSync } from 'node:fs'
import http from 'node:http'
import { say } from './say.mjs'

const [name, seed, addressFile] = process.argv.slice(2)
const LANE_COUNT = 5
const POLL_MS = 30
const agent = new http.Agent({ keepAlive: true })
let stopped = false

let random = Number(seed) >>> 0 || 1
const below = (max) => {
  random ^= random << 13
  random ^= random >>> 17
  random = (random ^ (random << 5)) >>> 0
  return random % max
}
const pause = () => new Promise((resolve) => setTimeout(resolve, POLL_MS))

function request(address, { type, id, method, args, key }) {
  const body = Buffer.from(JSON.stringify(args))
  const headers = { 'idempotency-key': key, 'content-length': body.length }
  return new Promise((resolve, reject) => {
    const url = `${address}/v1.0/actors/${type}/${id}/method/${method}`
    const outgoing = http.request(url, { method: 'POST', agent, headers }, (incoming) => {
      const chunks = []
      incoming.on('data', (chunk) => chunks.push(chunk))
      incoming.on('error', reject)
      incoming.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        if (incoming.complete) resolve({ status: incoming.statusCode, text })
        else reject(new Error('cut off'))
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

async function answered(call) {
  for (;;) {
    try {
      const { status, text } = await request(readFileSync(addressFile, 'utf8'), call)
      if (status === 200) return JSON.parse(text)
      // A host that does not have the TypeScript classes; the next one has.
      const isUnknown = status === 404 && JSON.parse(text).errorCode === 'ERR_TYPE_UNKNOWN'
      if (status !== 503 && !isUnknown) {
        say(`fatal ${status} ${text} ${JSON.stringify(call)}`)
        process.exit(1)
      }
    } catch {
      // The host is dead, or not there yet.
    }
    await pause()
  }
}

const count = (id) => ({ type: 'Counter', id, method: 'increment', args: [1] })

function randomCall(lane, number) {
  const kind = below(8)
  if (kind === 0) return count(`c${below(2)}`)
  if (kind < 3) return { type: 'Log', id: `l${below(2)}`, method: 'append', args: [lane, number] }
  const from = below(5)
  const args = [`${lane}-${number}`, `a${(from + 1 + below(4)) % 5}`, 1 + below(100)]
  const method = ['transfer', 'transfer', 'relay', 'pay', 'split'][kind - 3]
  return { type: 'Account', id: `a${from}`, method, args }
}

async function run(index) {
  const lane = `${name}.${index}`
  for (let number = 1; !stopped; number++) {
    const shared = index === 0
    const key = shared ? `shared-${number}` : `${lane}-${number}`
    const chosen = shared ? count('shared') : index === 1 ? count('own') : randomCall(lane, number)
    const result = await answered({ ...chosen, key })
    say(JSON.stringify({ lane, number, key, ...chosen, result }))
  }
}

process.stdin.on('data', () => {
  stopped = true
})
process.stdin.on('end', () => process.exit(0))
await Promise.all(Array.from({ length: LANE_COUNT }, (_, index) => run(index)))
say('done')
process.exit(0)

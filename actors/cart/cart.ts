// A shopping cart. Its state is a few variables; a reminder empties it when nobody touches it for half an hour.
import { cancel, set } from 'loom:actor/reminders'
import type { Cart, Item, Order, Refusal, ReminderHandler, Status } from './build/world.d.ts'

const ABANDONED = 'abandoned'
const IDLE = '30m'
const QUANTITY_MAX = 1_000

/** An error of the interface: what a method throws with a `payload` is the error of its `result`. */
class Refused extends Error {
  readonly payload: Refusal

  constructor(payload: Refusal) {
    super(payload.tag)
    this.payload = payload
  }
}

const items = new Map<string, Item>()
let status: Status = 'open'
let order: Order | undefined

function total(): bigint {
  return [...items.values()].reduce((sum, item) => sum + BigInt(item.quantity) * item.price, 0n)
}

function checkOpen(): void {
  if (status === 'ordered') throw new Refused({ tag: 'ordered' })
}

/** A reminder of the same name takes the place of the one before. */
function touch(): void {
  status = 'open'
  set(ABANDONED, { due: IDLE, missed: 'once' }, new Uint8Array())
}

export const cart = {
  add({ sku, name, quantity, price }) {
    checkOpen()
    const known = items.get(sku)
    const whole = quantity + (known?.quantity ?? 0)
    if (quantity === 0 || whole > QUANTITY_MAX)
      throw new Refused({ tag: 'bad-quantity', val: whole })
    if (known !== undefined && known.price !== price)
      throw new Refused({ tag: 'price-changed', val: known.price })
    items.set(sku, { sku, name, quantity: whole, price })
    touch()
    return total()
  },

  remove(sku) {
    checkOpen()
    if (!items.delete(sku)) throw new Refused({ tag: 'no-item', val: sku })
    touch()
    return total()
  },

  items: () => [...items.values()],

  state: () => status,

  checkout() {
    checkOpen()
    if (items.size === 0) throw new Refused({ tag: 'empty' })
    order = {
      id: crypto.randomUUID(),
      items: [...items.values()],
      total: total(),
      at: BigInt(Date.now()),
    }
    status = 'ordered'
    cancel(ABANDONED)
    return order
  },

  ordered: () => order,
} satisfies Cart

export const reminderHandler = {
  receiveReminder(name) {
    if (name !== ABANDONED || status !== 'open') return
    console.info(`abandoned with ${items.size} items worth ${total()}`)
    items.clear()
    status = 'abandoned'
  },
} satisfies ReminderHandler

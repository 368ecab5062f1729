import { now } from "loom/clock";
import { self } from "loom/context";
import { info } from "loom/log";
import { randomU64 } from "loom/random";
import { Result } from "loom";
import { latest } from "./host/quotes";

/** A price that holds until it expires. */
export class Quote {
  constructor(
    /** Random, so that it cannot be guessed. */
    public id: u64,
    public symbol: string,
    public quantity: u32,
    /** Euros, for all of them. */
    public total: f64,
    /** Milliseconds since 1970-01-01T00:00:00Z. */
    public expiresAt: u64,
  ) {}
}

/** Gives quotes to one customer, and keeps those that are still open. */
@component("acme:quoter/quoter@0.1.0")
export class Quoter {
  private customer: string = self().id;
  private open: Quote[] = [];

  /** Asks the embedder for a price and offers it for ten seconds. */
  offer(symbol: string, quantity: u32): Result<Quote, string> {
    const price = latest(symbol);
    if (isNaN(price)) return Result.err<Quote, string>(`no price for ${symbol}`);
    const quote = new Quote(randomU64(), symbol, quantity, price * <f64>quantity, now() + 10000);
    this.open.push(quote);
    info(`${this.customer} was offered ${quantity} ${symbol} for ${quote.total}`);
    return Result.ok<Quote, string>(quote);
  }

  /** Takes an offer. It must be one of ours and not expired; it can be taken once. */
  accept(id: u64): Result<Quote, string> {
    this.dropExpired();
    for (let i = 0; i < this.open.length; i++) {
      const quote = this.open[i];
      if (quote.id != id) continue;
      this.open.splice(i, 1);
      return Result.ok<Quote, string>(quote);
    }
    return Result.err<Quote, string>("no such offer, or it has expired");
  }

  /** Offers that were open at the last call. */
  offers(): Quote[] {
    return this.open;
  }

  private dropExpired(): void {
    const time = now();
    const fresh: Quote[] = [];
    for (let i = 0; i < this.open.length; i++) {
      if (this.open[i].expiresAt > time) fresh.push(this.open[i]);
    }
    this.open = fresh;
  }
}

import { Result, Unit } from "loom";
import { now } from "loom/clock";
import { warn } from "loom/log";
import {
  Account,
  Movement,
  Refusal,
  RefusalAlreadyOpen,
  RefusalBadAmount,
  RefusalInsufficient,
  RefusalNoReceiver,
  RefusalNotOpen,
} from "./account";
import { Account as OtherAccount } from "./account-client";

const STATEMENT_LENGTH = 10;

/** One account. `account.wit` is the contract, which the accounts in Rust and C have too. */
@component()
export class Bank extends Account {
  private owner: string | null = null;
  private held: u64 = 0;
  private movements: Movement[] = [];

  open(owner: string): Result<Unit, Refusal> {
    const before = this.owner;
    if (before !== null) {
      warn(`already open: ${before}`);
      return refused(new RefusalAlreadyOpen(before));
    }
    this.owner = owner;
    return done();
  }

  deposit(amount: u64): Result<Unit, Refusal> {
    const refusal = this.refusalOf(amount);
    return refusal === null ? this.moveBy(<i64>amount) : refused(refusal);
  }

  withdraw(amount: u64): Result<Unit, Refusal> {
    const refusal = this.refusalToPay(amount);
    return refusal === null ? this.moveBy(-(<i64>amount)) : refused(refusal);
  }

  transfer(actorType: string, id: string, amount: u64): Result<Unit, Refusal> {
    const refusal = this.refusalToPay(amount);
    if (refusal !== null) return refused(refusal);
    const receiver = new OtherAccount(actorType, id);
    const taken = receiver.deposit(amount);
    receiver.drop();
    if (taken.isErr) return refused(new RefusalNoReceiver());
    return this.moveBy(-(<i64>amount));
  }

  balance(): Result<u64, Refusal> {
    if (this.owner === null) return Result.err<u64, Refusal>(new RefusalNotOpen());
    return Result.ok<u64, Refusal>(this.held);
  }

  statement(): Result<Movement[], Refusal> {
    if (this.owner === null) return Result.err<Movement[], Refusal>(new RefusalNotOpen());
    return Result.ok<Movement[], Refusal>(this.movements);
  }

  /** Why the account takes no such amount; null when it may. */
  private refusalOf(amount: u64): Refusal | null {
    if (this.owner === null) return new RefusalNotOpen();
    if (amount == 0 || amount > <u64>i64.MAX_VALUE) return new RefusalBadAmount();
    return null;
  }

  private refusalToPay(amount: u64): Refusal | null {
    const refusal = this.refusalOf(amount);
    if (refusal !== null || amount <= this.held) return refusal;
    const missing = amount - this.held;
    warn(`insufficient: ${missing} missing`);
    return new RefusalInsufficient(missing);
  }

  private moveBy(amount: i64): Result<Unit, Refusal> {
    const after = this.held + <u64>amount;
    if (after > <u64>i64.MAX_VALUE) return refused(new RefusalBadAmount());
    if (this.movements.length == STATEMENT_LENGTH) this.movements.shift();
    this.held = after;
    this.movements.push(new Movement(now(), amount, after));
    return done();
  }
}

function done(): Result<Unit, Refusal> {
  return Result.ok<Unit, Refusal>(true);
}

function refused(refusal: Refusal): Result<Unit, Refusal> {
  return Result.err<Unit, Refusal>(refusal);
}

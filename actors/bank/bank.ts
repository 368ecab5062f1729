import { Result, Unit } from "loom";
import {
  Account,
  AccountError,
  AccountErrorAlreadyOpen,
  AccountErrorInsufficient,
  AccountErrorNotOpen,
  AccountErrorOverflow,
} from "./account";

/** One account. `account.wit` is the contract, which the Rust bank implements too. */
@component()
export class Bank extends Account {
  private owner: string | null = null;
  private held: u64 = 0;

  open(owner: string): Result<Unit, AccountError> {
    if (this.owner !== null) return Result.err<Unit, AccountError>(new AccountErrorAlreadyOpen());
    this.owner = owner;
    return Result.ok<Unit, AccountError>(true);
  }

  deposit(amount: u64): Result<u64, AccountError> {
    if (this.owner === null) return refused(new AccountErrorNotOpen());
    if (amount > u64.MAX_VALUE - this.held) return refused(new AccountErrorOverflow());
    this.held += amount;
    return Result.ok<u64, AccountError>(this.held);
  }

  withdraw(amount: u64): Result<u64, AccountError> {
    if (this.owner === null) return refused(new AccountErrorNotOpen());
    if (amount > this.held) return refused(new AccountErrorInsufficient(this.held));
    this.held -= amount;
    return Result.ok<u64, AccountError>(this.held);
  }

  balance(): u64 {
    return this.held;
  }
}

function refused(error: AccountError): Result<u64, AccountError> {
  return Result.err<u64, AccountError>(error);
}

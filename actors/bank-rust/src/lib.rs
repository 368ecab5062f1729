//! A bank account.
#![deny(unsafe_code)]
loom_actor::bindings!();

use bindings::exports::loom::bank::account::{Guest, Movement, Refusal};
use bindings::loom::bank::account_client;
use loom_actor::{clock, log};
use std::collections::VecDeque;

/// How many movements a statement shows.
const STATEMENT_LENGTH: usize = 10;

/// An account that nobody has opened has no owner.
#[derive(Default)]
struct Account {
    owner: Option<String>,
    held: u64,
    movements: VecDeque<Movement>,
}

impl Account {
    fn check_open(&self) -> Result<(), Refusal> {
        self.owner.as_ref().map(|_| ()).ok_or(Refusal::NotOpen)
    }

    /// The amount as a movement has it. Nothing that an account holds is larger.
    fn check_amount(&self, amount: u64) -> Result<i64, Refusal> {
        self.check_open()?;
        match i64::try_from(amount) {
            Ok(signed) if signed > 0 => Ok(signed),
            _ => Err(Refusal::BadAmount),
        }
    }

    /// As `check_amount`, for an amount that leaves the account.
    fn check_payment(&self, amount: u64) -> Result<i64, Refusal> {
        let signed = self.check_amount(amount)?;
        if amount > self.held {
            let missing = amount - self.held;
            log::warn(&format!("insufficient: {missing} missing"));
            return Err(Refusal::Insufficient(missing));
        }
        Ok(signed)
    }

    fn move_by(&mut self, amount: i64) -> Result<(), Refusal> {
        let balance = self.held.checked_add_signed(amount).ok_or(Refusal::BadAmount)?;
        if i64::try_from(balance).is_err() {
            return Err(Refusal::BadAmount);
        }
        if self.movements.len() == STATEMENT_LENGTH {
            self.movements.pop_front();
        }
        self.held = balance;
        self.movements.push_back(Movement { at: clock::now(), amount, balance });
        Ok(())
    }
}

loom_actor::actor! {
    impl Guest for Account {
        fn open(&mut self, owner: String) -> Result<(), Refusal> {
            if let Some(owner) = &self.owner {
                log::warn(&format!("already open: {owner}"));
                return Err(Refusal::AlreadyOpen(owner.clone()));
            }
            self.owner = Some(owner);
            Ok(())
        }

        fn deposit(&mut self, amount: u64) -> Result<(), Refusal> {
            let signed = self.check_amount(amount)?;
            self.move_by(signed)
        }

        fn withdraw(&mut self, amount: u64) -> Result<(), Refusal> {
            let signed = self.check_payment(amount)?;
            self.move_by(-signed)
        }

        fn transfer(&mut self, actor_type: String, id: String, amount: u64) -> Result<(), Refusal> {
            let signed = self.check_payment(amount)?;
            let receiver = account_client::Account::new(&actor_type, &id);
            receiver.deposit(amount).map_err(|_| Refusal::NoReceiver)?;
            drop(receiver);
            self.move_by(-signed)
        }

        fn balance(&self) -> Result<u64, Refusal> {
            self.check_open()?;
            Ok(self.held)
        }

        fn statement(&self) -> Result<Vec<Movement>, Refusal> {
            self.check_open()?;
            Ok(self.movements.iter().copied().collect())
        }
    }
}

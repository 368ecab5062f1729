//! A chat room that remembers what was said.
#![deny(unsafe_code)]
loom_actor::bindings!();

use bindings::exports::loom::chat::room::{Guest, Message, Refusal};
use loom_actor::clock;
use std::collections::{BTreeSet, VecDeque};

const NAME_LENGTH_MAX: usize = 40;
const TEXT_BYTES_MAX: usize = 4_000;
/// The room keeps this many messages: its state must not grow for ever.
const HISTORY_LENGTH: usize = 1_000;
const WELCOME_LENGTH: usize = 10;

#[derive(Default)]
struct Room {
    members: BTreeSet<String>,
    messages: VecDeque<Message>,
    /// How many messages were ever said.
    count: u64,
}

loom_actor::actor! {
    impl Guest for Room {
        fn join(&mut self, name: String) -> Result<Vec<Message>, Refusal> {
            if name.is_empty() || name.chars().count() > NAME_LENGTH_MAX {
                return Err(Refusal::BadName);
            }
            if !self.members.insert(name) {
                return Err(Refusal::NameTaken);
            }
            let skipped = self.messages.len().saturating_sub(WELCOME_LENGTH);
            Ok(self.messages.iter().skip(skipped).cloned().collect())
        }

        fn leave(&mut self, name: String) -> Result<(), Refusal> {
            if self.members.remove(&name) { Ok(()) } else { Err(Refusal::NotAMember) }
        }

        fn say(&mut self, name: String, text: String) -> Result<u64, Refusal> {
            if !self.members.contains(&name) {
                return Err(Refusal::NotAMember);
            }
            if text.is_empty() || text.len() > TEXT_BYTES_MAX {
                return Err(Refusal::BadText);
            }
            if self.messages.len() == HISTORY_LENGTH {
                self.messages.pop_front();
            }
            self.count += 1;
            let message = Message { number: self.count, at: clock::now(), author: name, text };
            self.messages.push_back(message);
            Ok(self.count)
        }

        fn history(&self, after: u64, limit: u32) -> Vec<Message> {
            let newer = self.messages.iter().filter(|message| message.number > after);
            newer.take(limit as usize).cloned().collect()
        }

        fn members(&self) -> Vec<String> {
            self.members.iter().cloned().collect()
        }
    }
}

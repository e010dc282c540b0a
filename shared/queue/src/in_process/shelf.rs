//! The messages of an in-process queue: plain data and its changes, without locks, waits or clocks.

use std::collections::{BTreeMap, VecDeque};

use tokio::time::Instant;

use crate::message::Message;
use crate::name::QueueName;
use crate::seam::{DeadLetter, DeadLetterVerdict, Depth};

/// All queues by name, and the dead letters.
#[derive(Default)]
pub(super) struct Shelves {
    by_name: BTreeMap<QueueName, Shelf>,
    pub(super) dead: VecDeque<DeadLetter>,
    pub(super) closed: bool,
    /// Numbers delayed messages and dead letters, so that none has the place of another.
    last_number: u64,
}

/// One queue.
#[derive(Default)]
struct Shelf {
    ready: VecDeque<Entry>,
    delayed: BTreeMap<(Instant, u64), Entry>,
    unacknowledged: usize,
    consumers: u64,
}

/// A message that waits.
pub(super) struct Entry {
    pub(super) message: Message,
    pub(super) redelivered: bool,
}

impl Shelves {
    /// Messages that the queue is responsible for.
    pub(super) fn held(&self, name: QueueName) -> usize {
        self.by_name.get(&name).map_or(0, |s| s.ready.len() + s.delayed.len() + s.unacknowledged)
    }

    /// Counts at `now`.
    pub(super) fn depth(&mut self, name: QueueName, now: Instant) -> Depth {
        let shelf = self.shelf(name);
        shelf.ripen(now);
        Depth {
            ready: shelf.ready.len() as u64,
            delayed: shelf.delayed.len() as u64,
            unacknowledged: Some(shelf.unacknowledged as u64),
            consumers: shelf.consumers,
        }
    }

    /// A consumer of `names` begins.
    pub(super) fn join(&mut self, names: &[QueueName]) {
        for name in names {
            self.shelf(*name).consumers += 1;
        }
    }

    /// A consumer of `names` ends.
    pub(super) fn leave(&mut self, names: &[QueueName]) {
        for name in names {
            self.shelf(*name).consumers -= 1;
        }
    }

    /// Removes what waits; returns how much that was.
    pub(super) fn purge(&mut self, name: QueueName) -> u64 {
        let shelf = self.shelf(name);
        let removed = shelf.ready.len() + shelf.delayed.len();
        shelf.ready.clear();
        shelf.delayed.clear();
        removed as u64
    }

    /// A new message, at the end.
    pub(super) fn append(&mut self, name: QueueName, message: Message) {
        self.shelf(name).ready.push_back(Entry { message, redelivered: false });
    }

    /// Lends out the first message that is ready at `now`.
    pub(super) fn take(&mut self, name: QueueName, now: Instant) -> Option<Entry> {
        let shelf = self.shelf(name);
        shelf.ripen(now);
        let entry = shelf.ready.pop_front()?;
        shelf.unacknowledged += 1;
        Some(entry)
    }

    /// When the next delayed message comes due.
    pub(super) fn next_due(&self, name: QueueName) -> Option<Instant> {
        self.by_name.get(&name)?.delayed.keys().next().map(|(due, _)| *due)
    }

    /// A lent message is done.
    pub(super) fn forget(&mut self, name: QueueName) {
        self.shelf(name).unacknowledged -= 1;
    }

    /// A lent message comes back to the front.
    pub(super) fn put_back(&mut self, name: QueueName, message: Message) {
        self.forget(name);
        self.shelf(name).ready.push_front(Entry { message, redelivered: true });
    }

    /// A lent message comes back as the next attempt when it is `due`.
    pub(super) fn delay(&mut self, name: QueueName, mut message: Message, due: Instant) {
        self.forget(name);
        message.headers.attempt = message.headers.attempt.saturating_add(1);
        let number = self.next_number();
        self.shelf(name).delayed.insert((due, number), Entry { message, redelivered: false });
    }

    /// A lent message becomes a dead letter.
    pub(super) fn bury(&mut self, name: QueueName, message: Message, reason: String) {
        self.forget(name);
        let id = self.next_number().to_string();
        self.dead.push_back(DeadLetter { id, queue: name, reason, message });
    }

    /// Whether the dead letter was there; it is not any more.
    pub(super) fn settle_dead_letter(&mut self, id: &str, verdict: DeadLetterVerdict) -> bool {
        let Some(letter) =
            self.dead.iter().position(|letter| letter.id == id).and_then(|place| self.dead.remove(place))
        else {
            return false;
        };
        if verdict == DeadLetterVerdict::Replay {
            let mut message = letter.message;
            message.headers.attempt = 1;
            self.append(letter.queue, message);
        }
        true
    }

    fn shelf(&mut self, name: QueueName) -> &mut Shelf {
        self.by_name.entry(name).or_default()
    }

    fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }
}

impl Shelf {
    /// Moves what is due at `now` to the end of the ready ones.
    fn ripen(&mut self, now: Instant) {
        while let Some(first) = self.delayed.first_entry().filter(|first| first.key().0 <= now) {
            self.ready.push_back(first.remove());
        }
    }
}

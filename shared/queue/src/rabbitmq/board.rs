//! The health of a queue, put together from that of its two connections.

use std::sync::{Mutex, PoisonError};

use tokio::sync::{Notify, watch};

use super::link::Role;
use crate::health::{QueueHealth, QueueState};

/// Where both connections say how they are.
pub(super) struct Board {
    notes: Mutex<[QueueState; 2]>,
    health: watch::Sender<QueueHealth>,
    connected: Notify,
}

impl Board {
    /// Both connections are up.
    pub(super) fn new() -> Self {
        let health = watch::Sender::new(QueueHealth::now(QueueState::Connected));
        Self {
            notes: Mutex::new([QueueState::Connected, QueueState::Connected]),
            health,
            connected: Notify::new(),
        }
    }

    /// The connection for `role` is in this state now. What is worse in either counts; what stays the same keeps its
    /// time.
    pub(super) fn note(&self, role: Role, state: QueueState) {
        // A panic elsewhere can't leave the notes half changed.
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if state == QueueState::Connected {
            self.connected.notify_waiters();
        }
        notes[role as usize] = state;
        let [first, second] = &*notes;
        let worse = if severity(first) >= severity(second) { first } else { second };
        self.health.send_if_modified(|health| {
            let is_news = health.state != *worse;
            if severity(&health.state) != severity(worse) {
                *health = QueueHealth::now(worse.clone());
            } else if is_news {
                health.state.clone_from(worse);
            }
            is_news
        });
    }

    /// Waits until a connection comes up: then the broker is there for the other one too.
    pub(super) async fn connected(&self) {
        self.connected.notified().await;
    }

    /// How it is, and news of it.
    pub(super) fn health(&self) -> watch::Receiver<QueueHealth> {
        self.health.subscribe()
    }
}

fn severity(state: &QueueState) -> u8 {
    match state {
        QueueState::Connected => 0,
        QueueState::Blocked { .. } => 1,
        QueueState::Reconnecting { .. } => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worse_of_two_connections_counts_and_its_time_stays() {
        let board = Board::new();
        let lost = || QueueState::Reconnecting { cause: "gone".to_owned() };
        let blocked = || QueueState::Blocked { reason: "low on memory".to_owned() };
        board.note(Role::Consume, lost());
        let since = board.health().borrow().since;
        board.note(Role::Consume, QueueState::Reconnecting { cause: "nobody listens".to_owned() });
        assert_eq!(board.health().borrow().since, since);
        board.note(Role::Consume, lost());
        board.note(Role::Publish, blocked());
        assert_eq!(*board.health().borrow(), QueueHealth { state: lost(), since });
        board.note(Role::Consume, QueueState::Connected);
        assert_eq!(board.health().borrow().state, blocked());
        assert!(!board.health().borrow().is_ready());
        board.note(Role::Publish, QueueState::Connected);
        assert!(board.health().borrow().is_ready());
    }
}

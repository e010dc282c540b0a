//! How many requests run at once: a bound that the server lowers by asking us to slow down.
//!
//! Additive increase, multiplicative decrease, as networks do it: a request to slow down halves the bound, and each
//! round of successes adds one. Requests begun before the last halving say nothing new and lower it no further.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The places that requests take while they run.
#[derive(Debug, Clone)]
pub(super) struct Slots(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    freed: Notify,
    most: usize,
}

#[derive(Debug)]
struct State {
    limit: usize,
    taken: usize,
    /// Successes since the bound changed.
    successes: usize,
    /// Halvings so far.
    halvings: u64,
}

/// A place, free again when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Slots,
    halvings_before: u64,
}

impl Slots {
    /// At most `most` (at least one) at once.
    pub(super) fn new(most: usize) -> Self {
        let most = most.max(1);
        let state = State { limit: most, taken: 0, successes: 0, halvings: 0 };
        Self(Arc::new(Shared { state: Mutex::new(state), freed: Notify::new(), most }))
    }

    /// Waits for a place.
    pub(super) async fn take(&self) -> Slot {
        loop {
            if let Some(slot) = self.try_take() {
                return slot;
            }
            // Whoever frees a place stores a wake-up if nobody waits yet: none is missed in between.
            self.0.freed.notified().await;
        }
    }

    fn try_take(&self) -> Option<Slot> {
        let mut state = self.state();
        if state.taken >= state.limit {
            return None;
        }
        state.taken += 1;
        if state.taken < state.limit {
            // Wake-ups do not add up: whoever gets a place passes the word on while there are more.
            self.0.freed.notify_one();
        }
        Some(Slot { slots: self.clone(), halvings_before: state.halvings })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock panics half-way.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// The request succeeded.
    pub(super) fn went_well(&self) {
        let mut state = self.slots.state();
        state.successes += 1;
        if state.successes >= state.limit && state.limit < self.slots.0.most {
            state.limit += 1;
            state.successes = 0;
        }
    }

    /// The server asked for fewer requests; returns the bound from now on if this changed it.
    pub(super) fn slow_down(&self) -> Option<usize> {
        let mut state = self.slots.state();
        if state.halvings != self.halvings_before || state.limit == 1 {
            return None;
        }
        state.halvings += 1;
        state.limit = (state.limit / 2).max(1);
        state.successes = 0;
        Some(state.limit)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.state().taken -= 1;
        self.slots.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_more_than_the_bound_run_at_once() {
        let slots = Slots::new(2);
        let first = slots.take().await;
        let second = slots.take().await;
        assert!(slots.try_take().is_none());
        drop(first);
        let third = slots.take().await;
        assert!(slots.try_take().is_none());
        drop((second, third));
    }

    #[tokio::test]
    async fn requests_of_the_same_moment_halve_the_bound_once() {
        let slots = Slots::new(8);
        let running = [slots.take().await, slots.take().await, slots.take().await];
        assert_eq!(running[0].slow_down(), Some(4));
        assert_eq!(running[1].slow_down(), None);
        drop(running);
        assert_eq!(slots.take().await.slow_down(), Some(2));
        assert_eq!(slots.take().await.slow_down(), Some(1));
        assert_eq!(slots.take().await.slow_down(), None);
    }

    #[tokio::test]
    async fn successes_raise_the_bound_again_and_never_above_the_first() {
        let slots = Slots::new(4);
        slots.take().await.slow_down();
        for _ in 0..100 {
            slots.take().await.went_well();
        }
        assert_eq!(slots.state().limit, 4);
    }

    #[tokio::test]
    async fn everybody_who_waits_gets_a_turn() {
        let slots = Slots::new(2);
        let mut workers = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let slots = slots.clone();
            workers.spawn(async move {
                let _slot = slots.take().await;
                tokio::task::yield_now().await;
            });
        }
        assert_eq!(workers.join_all().await.len(), 50);
    }
}

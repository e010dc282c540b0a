//! Services as processes, on a real broker and a real S3 server: whatever dies on the way, an episode ends as the program
//! alone leaves it, byte for byte, and nothing is left over.
//!
//! Needs the programs, the models and the photos: `make test` sees to all of them. `docs/failure-modes.md` tells the
//! same for people.

mod backfill;
mod cancelling;
mod dead_letters;
mod duplicates;
mod episodes;
mod erasing;
mod kills;
mod outages;
mod stages;

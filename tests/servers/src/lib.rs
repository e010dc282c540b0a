//! Real servers for tests.
//!
//! Test runners start each test in a process of its own or many in one; a broker takes seconds to start. So a server
//! belongs to the *run*: to the process that runs the tests (`cargo`, `cargo-nextest`), which is the parent of each.
//! The first test starts the server, later ones find it. A keeper process outlives all tests, waits for the end of the
//! run, kills what was started and removes the folder: panics, time-outs and Ctrl-C change nothing about that.

mod certificates;
pub mod http;
pub mod http_proxy;
pub mod rabbitmq;
mod run;
pub mod seaweedfs;

pub use http_proxy::{HttpFault, HttpProxy};
pub use rabbitmq::Rabbit;
pub use seaweedfs::SeaweedFs;

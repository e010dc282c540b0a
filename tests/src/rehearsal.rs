//! A cluster's autoscaling, played on this machine: the manifests' `ScaledObject`s decide over real service processes by the
//! queues of a real broker.
//!
//! 1. What scales, on what and how, is read from the manifests as kustomize renders them ([`rules`]): nothing of it
//!    is repeated here.
//! 2. How many replicas that makes is KEDA's and the autoscaler's arithmetic ([`scaler`]), without I/O and clock.
//! 3. Replicas are processes ([`play`]): SIGTERM, a grace period and SIGKILL when one is too many, SIGKILL out of the blue
//!    as when a node is lost, and a new one in its place.
//!
//! Only the schedule is faster than a cluster's, by one factor ([`play::FASTER`]); work takes the time that it takes.
//! Deliberately absent: nodes, images, scheduling. A process starts in a second, a pod in some more.

pub mod play;
pub mod rules;
pub mod scaler;

//! kernel: the contract every room of the house agrees on. Types, traits and declarations only:
//! no input or output, no SQL, no HTTP. Every engine, gateway and system depends on this crate,
//! so it stays small and calm: an edit here recompiles everything.

pub mod access;
pub mod alerts;
pub mod applications;
pub mod ask;
pub mod cases;
pub mod city;
pub mod clock;
pub mod crypto;
pub mod decisions;
pub mod declare;
pub mod devices;
pub mod documents;
pub mod events;
pub mod facts;
pub mod fault;
pub mod holds;
pub mod ids;
pub mod items;
pub mod licences;
pub mod lines;
pub mod messages;
pub mod metering;
pub mod network;
pub mod numbers;
pub mod observations;
pub mod office;
pub mod organisations;
pub mod page;
pub mod parties;
pub mod posture;
pub mod records;
pub mod time;
pub mod visits;

pub use access::{Access, Actor, Decision, Policy, Verb};
pub use city::{Bindings, City, System};
pub use clock::{Clock, ManualClock, SystemClock};
pub use facts::{Facts, Filter, Mask};
pub use fault::{Fault, Noted, Problem, Words};
pub use ids::{first_id, new_id};
pub use time::{Span, Time};

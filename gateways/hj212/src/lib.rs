//! hj212: the gateway for HJ 212, the national protocol of pollution sources and air stations,
//! in its editions 2005, 2017 and 2025. Rooms: `codec` (bytes to frames, pure), `vocabulary`
//! (factor codes of both editions to one set of names), `server` (thousands of stations over
//! TCP), `simulator` (stations that do not exist), `replay` (captured traffic sent again).

pub mod codec;
mod explain;
pub mod replay;
pub mod server;
pub mod simulator;
pub mod vocabulary;

pub use explain::{explain, without_passwords};
pub use server::{Config, GatewayCounters, Server};

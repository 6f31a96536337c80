//! Devices: what the gateways know of the machines that speak to them, the frames they refused,
//! and the commands officers send. Kept by the observations engine, shown on the desk.

use crate::fault::Fault;
use crate::time::Time;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a gateway knows of one device. `thing` is the device's own identification (the MN of
/// HJ 212), which is also the name of its thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Default)]
pub struct Device {
    /// Identification sent by the device.
    pub thing: String,
    /// Folder name of the gateway, such as `hj212`.
    pub gateway: String,
    /// `quarantined` until an officer claims it for a station, then `claimed`.
    pub state: DeviceState,
    /// Connected right now.
    pub connected: bool,
    /// Address it last came from.
    pub peer: String,
    /// Edition of the protocol recognised from content, such as `2005`, `2017`, `2025`.
    pub edition: String,
    /// Check-value variant recognised, such as `standard` or `modbus`.
    pub check: String,
    /// System code (ST) last seen.
    pub system_code: String,
    /// First frame ever.
    pub first_seen: Option<Time>,
    /// Last frame.
    pub last_seen: Option<Time>,
    /// The device's own clock minus ours at the last frame, in seconds.
    pub clock_offset_s: Option<f64>,
    /// Frames accepted since first seen.
    pub frames: u64,
    /// Values accepted since first seen.
    pub values: u64,
    /// Frames refused since first seen.
    pub rejected: u64,
    /// Gateway particulars worth showing: heartbeat kind, interval, oddities.
    pub notes: serde_json::Map<String, Value>,
}

/// Whether anybody answers for a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum DeviceState {
    /// Unknown: its data are kept but feed no rule and no publication.
    #[default]
    Quarantined,
    /// Belongs to a station of the register.
    Claimed,
}

/// A frame that was received; kept raw for inspection, bounded in number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// Number in the order of reception.
    pub seq: i64,
    /// When it was received.
    pub at: Time,
    /// Gateway that received it.
    pub gateway: String,
    /// Address it came from.
    pub peer: String,
    /// Device, when the frame said.
    pub thing: String,
    /// `None` when accepted; otherwise the reason, such as `crc`, `length`, `not_a_frame`.
    pub rejected: Option<String>,
    /// The bytes as received (lossy UTF-8 for showing; at most 4 KiB are kept).
    pub raw: String,
}

/// State of a command to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum CommandState {
    /// Written down, not yet sent.
    #[default]
    Queued,
    /// Sent, waiting for the device.
    Sent,
    /// The device accepted the request (QnRtn 1).
    Accepted,
    /// Done (ExeRtn 1).
    Done,
    /// Refused or failed; `answer` says how.
    Failed,
    /// No answer after every retry.
    TimedOut,
}

/// A command to a device and its dialogue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Default)]
pub struct Command {
    /// ULID.
    pub id: String,
    /// Device it is for.
    pub thing: String,
    /// Name known to the gateway, such as `set_time`, `extract_hour`.
    pub name: String,
    /// Its parameters.
    pub parameters: serde_json::Map<String, Value>,
    /// Person who gave it.
    pub by: String,
    /// When.
    pub at: Time,
    /// Where it stands.
    pub state: CommandState,
    /// Every step of the dialogue: time and text (frame sent, frame received, retry, time-out).
    pub steps: Vec<(Time, String)>,
}

/// A command a gateway can carry out, for the form on the desk.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CommandKind {
    /// Stable name.
    pub name: &'static str,
    /// Title in Chinese and English.
    pub title: crate::fault::Words,
    /// Parameters: name, JSON-Schema type (`integer`, `string`, `time`), title.
    pub parameters: Vec<(&'static str, &'static str, crate::fault::Words)>,
}

/// How a page of devices is chosen. All parts are optional and combined with "and".
#[derive(Clone, Debug, Default)]
pub struct DeviceFilter {
    /// Only this state.
    pub state: Option<DeviceState>,
    /// Only connected (or only unconnected) ones.
    pub connected: Option<bool>,
    /// Part of the identification.
    pub text: Option<String>,
    /// Continue after this identification.
    pub after: Option<String>,
    /// At most so many (the engine caps it at 1,000).
    pub limit: usize,
}

/// The book of devices, refused frames and commands. Gateways write, the desk reads.
#[async_trait]
pub trait Devices: Send + Sync {
    /// A device did something: the gateway hands its current knowledge. Kept in memory at once,
    /// on disk within seconds (counters may lag after a crash; observations never do).
    fn touch(&self, device: &Device);
    /// What is known of one device.
    fn get(&self, thing: &str) -> Option<Device>;
    /// A page of devices in order of identification, and how many match in all.
    fn list(&self, filter: &DeviceFilter) -> (Vec<Device>, usize);
    /// Sets the state of a device (claims it, or puts it back); written before it returns.
    async fn set_state(&self, thing: &str, state: DeviceState) -> Result<(), Fault>;
    /// Keeps a received frame for inspection. Refused frames and the last accepted ones of each
    /// device are kept, bounded; never blocks.
    fn keep_frame(&self, frame: Frame);
    /// Frames newest first: of one device, or refused ones only, or of one reason.
    fn frames(
        &self,
        thing: Option<&str>,
        rejected_only: bool,
        reason: Option<&str>,
        limit: usize,
    ) -> Vec<Frame>;
    /// Number of refused frames since the first start, by gateway and reason.
    fn rejected_counts(&self) -> Vec<(String, String, u64)>;
    /// Writes a command down before it is sent; also the audit entry's event.
    async fn put_command(&self, command: &Command) -> Result<(), Fault>;
    /// Commands newest first, of one device or of all.
    async fn commands(&self, thing: Option<&str>, limit: usize) -> Result<Vec<Command>, Fault>;
}

/// A gateway as the program and the desk see it.
#[async_trait]
pub trait Gateway: Send + Sync {
    /// Folder name.
    fn name(&self) -> &'static str;
    /// Commands it knows.
    fn command_kinds(&self) -> Vec<CommandKind>;
    /// Checks and starts a command; its progress is written through [`Devices::put_command`].
    /// Fails with `commands.not_connected`, `commands.unsupported` or `input.invalid`.
    async fn send(&self, command: Command) -> Result<(), Fault>;
    /// Open connections: peer, device (when known), since, frames, bytes.
    fn connections(&self) -> Vec<Connection>;
}

/// One open connection of a gateway.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Connection {
    /// Gateway folder name.
    pub gateway: &'static str,
    /// Peer address.
    pub peer: String,
    /// Device identification once it has said so.
    pub thing: Option<String>,
    /// When it connected.
    pub since: Time,
    /// Frames received on it.
    pub frames: u64,
    /// Bytes received on it.
    pub bytes: u64,
}

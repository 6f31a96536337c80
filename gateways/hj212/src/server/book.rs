//! The gateway's own book of devices: what each frame tells about its sender, the way back to it,
//! and the handing over to the city's book about once a second.

use super::connection::Link;
use crate::codec::{Edition, Frame, Reason, parse_time};
use kernel::City;
use kernel::Time;
use kernel::devices::{Device, DeviceState};
use kernel::observations::ThingId;
use parking_lot::{Mutex, RwLock};
use rustc_hash::FxHashMap;
use serde_json::Value;
use std::sync::Arc;

/// A device that has sent an accepted frame.
pub(super) struct Entry {
    pub thing: ThingId,
    known: Mutex<Known>,
}

struct Known {
    device: Device,
    password: String,
    edition: Edition,
    link: Option<Arc<Link>>,
    dirty: bool,
    /// Request number and DataTime of a message that is coming in several packets.
    split: Option<(String, Time)>,
}

/// What a command needs to know of its device.
pub(super) struct Route {
    pub link: Arc<Link>,
    pub edition: Edition,
    pub system_code: String,
    pub password: String,
    pub modbus: bool,
}

#[derive(Default)]
pub(super) struct Book {
    entries: RwLock<FxHashMap<Box<str>, Arc<Entry>>>,
}

impl Book {
    /// The entry of a device, made when it is new; the reason when it cannot be.
    pub fn entry(&self, city: &City, mn: &str, limit: usize) -> Result<(Arc<Entry>, bool), Reason> {
        if let Some(entry) = self.entries.read().get(mn) {
            return Ok((entry.clone(), false));
        }
        let mut entries = self.entries.write();
        if let Some(entry) = entries.get(mn) {
            return Ok((entry.clone(), false));
        }
        if entries.len() >= limit {
            return Err(Reason::TooManyDevices);
        }
        let thing = city
            .observations
            .thing(mn)
            .map_err(|_| Reason::TooManyDevices)?;
        let device = city.devices.get(mn).unwrap_or_else(|| Device {
            thing: mn.into(),
            gateway: "hj212".into(),
            first_seen: Some(city.clock.now()),
            ..Device::default()
        });
        let entry = Arc::new(Entry {
            thing,
            known: Mutex::new(Known {
                device,
                password: String::new(),
                edition: Edition::default(),
                link: None,
                dirty: true,
                split: None,
            }),
        });
        entries.insert(mn.into(), entry.clone());
        Ok((entry, true))
    }

    /// The entry of a device that has been seen.
    pub fn find(&self, mn: &str) -> Option<Arc<Entry>> {
        self.entries.read().get(mn).cloned()
    }

    /// Hands everything that changed to the city's book.
    pub fn hand_over(&self, city: &City) {
        let entries: Vec<Arc<Entry>> = self.entries.read().values().cloned().collect();
        for entry in entries {
            entry.hand_over(city);
        }
    }
}

impl Entry {
    /// An accepted frame came in over `link`.
    pub fn accepted(&self, frame: &Frame<'_>, link: &Arc<Link>, now: Time, values: u64) {
        let known = &mut *self.known.lock();
        known.dirty = true;
        let device = &mut known.device;
        device.frames += 1;
        device.values += values;
        device.last_seen = Some(now);
        set(&mut device.system_code, readable(frame.st));
        set(&mut known.password, frame.pw);
        known.edition = frame.edition().max(if frame.flag.is_none() {
            known.edition
        } else {
            Edition::E2005
        });
        set(&mut device.edition, known.edition.word());
        if device.check != frame.check.word() {
            if !device.check.is_empty() {
                let change = format!("{} → {} {now}", device.check, frame.check.word());
                device.notes.insert("check_changed".into(), change.into());
            }
            device.check = frame.check.word().into();
        }
        if frame.st.bytes().any(|b| b.is_ascii_control()) {
            device
                .notes
                .insert("unreadable_system_code".into(), true.into());
        }
        if frame.is_heartbeat() {
            device.notes.insert("heartbeat".into(), frame.cn.into());
            let interval = frame
                .field("HeartbeatTime")
                .and_then(|t| t.parse::<u32>().ok());
            if let Some(interval) = interval {
                device
                    .notes
                    .insert("heartbeat_interval_s".into(), interval.into());
            }
        }
        if !known.link.as_ref().is_some_and(|at| Arc::ptr_eq(at, link)) {
            known.link = Some(link.clone());
            device.connected = true;
            device.peer = link.peer.clone();
        }
    }

    /// What the frame says of the device's clock; beyond `tolerance_s` it is noted as wrong.
    pub fn clock(&self, frame: &Frame<'_>, now: Time, tolerance_s: u32) {
        if frame.back_filled || frame.is_answer() {
            return;
        }
        let of_data = matches!(frame.cn, 2011 | 2021 | 9015).then(|| frame.field("DataTime"));
        let Some(told) = frame.qn.or(of_data.flatten()) else {
            return;
        };
        let Some(told) = parse_time(told.as_bytes()) else {
            return;
        };
        let offset_s = told.since(now).as_seconds();
        let mut known = self.known.lock();
        known.device.clock_offset_s = Some(offset_s);
        let wrong = offset_s.abs() > f64::from(tolerance_s);
        if known.device.notes.contains_key("clock_wrong") != wrong {
            match wrong {
                true => known
                    .device
                    .notes
                    .insert("clock_wrong".into(), Value::Bool(true)),
                false => known.device.notes.remove("clock_wrong"),
            };
        }
    }

    /// DataTime of the message this packet (PNUM, PNO) belongs to.
    pub fn split_time(&self, frame: &Frame<'_>) -> Option<Time> {
        let request = frame.qn.filter(|_| frame.pno.is_some())?;
        let known = self.known.lock();
        let (of, time) = known.split.as_ref()?;
        (of == request).then_some(*time)
    }

    /// Remembers DataTime for the further packets of the same message.
    pub fn remember_split(&self, frame: &Frame<'_>, time: Time) {
        if let (Some(request), Some(_)) = (frame.qn, frame.pno) {
            self.known.lock().split = Some((request.to_owned(), time));
        }
    }

    /// A frame that names this device was refused.
    pub fn refused(&self) {
        let mut known = self.known.lock();
        known.device.rejected += 1;
        known.dirty = true;
    }

    /// A remark worth showing.
    pub fn note(&self, name: &str, value: Value) {
        let mut known = self.known.lock();
        if known.device.notes.get(name) != Some(&value) {
            known.device.notes.insert(name.into(), value);
            known.dirty = true;
        }
    }

    /// The connection is gone; another may have taken its place already.
    pub fn disconnected(&self, link: &Arc<Link>) {
        let mut known = self.known.lock();
        if known.link.as_ref().is_some_and(|at| Arc::ptr_eq(at, link)) {
            known.link = None;
            known.device.connected = false;
            known.dirty = true;
        }
    }

    /// The way to the device; `None` while it is not connected.
    pub fn route(&self) -> Option<Route> {
        let known = self.known.lock();
        Some(Route {
            link: known.link.clone()?,
            edition: known.edition,
            system_code: known.device.system_code.clone(),
            password: known.password.clone(),
            modbus: known.device.check == "modbus",
        })
    }

    /// Hands the device to the city's book when anything changed. Whether it is claimed is asked
    /// anew each time: the register of stations and the desk decide, not the gateway.
    pub fn hand_over(&self, city: &City) {
        let mut known = self.known.lock();
        if !std::mem::take(&mut known.dirty) {
            return;
        }
        let mn = &known.device.thing;
        let claimed = city.registers.cached("station", mn).is_some()
            || city
                .devices
                .get(mn)
                .is_some_and(|d| d.state == DeviceState::Claimed);
        known.device.state = match claimed {
            true => DeviceState::Claimed,
            false => DeviceState::Quarantined,
        };
        city.devices.touch(&known.device);
    }
}

fn set(place: &mut String, value: &str) {
    if place != value && !value.is_empty() {
        value.clone_into(place);
    }
}

/// A system code of letters and digits; real devices have sent zero bytes.
fn readable(st: &str) -> &str {
    let readable = st.len() <= 8 && st.bytes().all(|b| b.is_ascii_alphanumeric());
    // 91 is the code of the conversation, not of the station.
    if readable && st != "91" { st } else { "" }
}

//! The book of devices: who speaks to us, which frames were refused, which commands were given.
//! Devices and frames live in memory and go to disk every few seconds; claims and commands are
//! written before they return, each with its event.

use crate::engine::Engine;
use crate::frames::Frames;
use crate::names::MAX_THINGS;
use async_trait::async_trait;
use kernel::Fault;
use kernel::devices::{Command, Device, DeviceFilter, DeviceState, Devices, Frame};
use kernel::events::EventKind;
use parking_lot::{Mutex, RwLock};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use store::devices as tables;

/// How often what changed goes to disk.
const SAVE_EVERY: Duration = Duration::from_secs(3);
/// Refused frames kept on disk.
const REJECTED_ON_DISK: i64 = 20_000;
/// A page holds at most so many devices or frames.
const MAX_PAGE: usize = 1_000;

/// Devices and frames in memory.
pub(crate) struct Book {
    devices: RwLock<BTreeMap<String, Device>>,
    /// Devices that changed since they were saved, and whether they are new.
    changed: Mutex<BTreeMap<String, bool>>,
    frames: Mutex<Frames>,
    /// Held while saving, so that an older picture never overwrites a newer one.
    saving: tokio::sync::Mutex<()>,
}

impl Book {
    pub async fn load(store: &Store) -> Result<Book, Fault> {
        let frames = Frames::load(
            tables::load_rejected(store).await?,
            tables::load_counts(store).await?,
        );
        let mut devices = BTreeMap::new();
        for mut device in tables::load_devices(store).await? {
            // Nobody is connected to a city that has just started.
            device.connected = false;
            devices.insert(device.thing.clone(), device);
        }
        Ok(Book {
            devices: RwLock::new(devices),
            changed: Mutex::default(),
            frames: Mutex::new(frames),
            saving: tokio::sync::Mutex::default(),
        })
    }
}

/// The task that saves what changed.
pub(crate) async fn run(engine: Arc<Engine>) {
    let mut stop = engine.stop.subscribe();
    loop {
        let stopping = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => true,
            () = tokio::time::sleep(SAVE_EVERY) => false,
        };
        if let Err(fault) = save(&engine).await {
            tracing::error!(%fault, "devices and refused frames could not be saved; they stay in memory");
        }
        if stopping {
            return;
        }
    }
}

/// Saves what changed; on a fault it counts as changed again.
pub(crate) async fn save(engine: &Engine) -> Result<(), Fault> {
    let book = &engine.book;
    let _saving = book.saving.lock().await;
    let changed = std::mem::take(&mut *book.changed.lock());
    let (unsaved, counts) = {
        let mut frames = book.frames.lock();
        let unsaved: Vec<Frame> = std::mem::take(&mut frames.unsaved).into();
        let counts: BTreeSet<_> = unsaved
            .iter()
            .map(|f| (f.gateway.clone(), f.rejected.clone().unwrap_or_default()))
            .collect();
        let counts = counts.into_iter().map(|key| {
            let count = frames.counts.get(&key).copied().unwrap_or(0);
            (key.0, key.1, count)
        });
        (unsaved, counts.collect::<Vec<_>>())
    };
    if changed.is_empty() && unsaved.is_empty() {
        return Ok(());
    }
    let outcome = write(engine, &changed, &unsaved, &counts).await;
    if outcome.is_err() {
        let mut again = book.changed.lock();
        for (thing, new) in changed {
            *again.entry(thing).or_insert(false) |= new;
        }
        let mut frames = book.frames.lock();
        for frame in unsaved.into_iter().rev().take(crate::frames::REJECTED) {
            frames.unsaved.push_front(frame);
        }
    }
    outcome
}

async fn write(
    engine: &Engine,
    changed: &BTreeMap<String, bool>,
    unsaved: &[Frame],
    counts: &[(String, String, u64)],
) -> Result<(), Fault> {
    let devices: Vec<Device> = {
        let known = engine.book.devices.read();
        changed
            .keys()
            .filter_map(|thing| known.get(thing).cloned())
            .collect()
    };
    let mut tx = engine.store.begin().await?;
    tables::put_devices(&mut tx, &devices).await?;
    for device in devices
        .iter()
        .filter(|d| changed.get(&d.thing) == Some(&true))
    {
        append(engine, &mut tx, EventKind::Device, &device.thing, device).await?;
    }
    tables::add_rejected(&mut tx, unsaved).await?;
    tables::put_counts(&mut tx, counts).await?;
    if let Some(last) = unsaved.last() {
        tables::prune_rejected(&mut tx, last.seq - REJECTED_ON_DISK).await?;
    }
    tx.commit().await
}

async fn append(
    engine: &Engine,
    tx: &mut store::Tx,
    kind: EventKind,
    about: &str,
    what: &impl serde::Serialize,
) -> Result<(), Fault> {
    let body = serde_json::to_vec(what).map_err(|e| Fault::internal("writing an event", e))?;
    store::events::append(tx, engine.clock.now(), kind, about, &body)
        .await
        .map(drop)
}

#[async_trait]
impl Devices for Engine {
    fn touch(&self, device: &Device) {
        let mut devices = self.book.devices.write();
        let full = devices.len() >= MAX_THINGS;
        let new = match devices.get_mut(&device.thing) {
            Some(known) => {
                // Claims are decided here, and a device was first seen only once.
                let (state, first_seen) = (known.state, known.first_seen.or(device.first_seen));
                *known = Device {
                    state,
                    first_seen,
                    ..device.clone()
                };
                false
            }
            None if full => return,
            None => {
                devices.insert(device.thing.clone(), device.clone());
                true
            }
        };
        drop(devices);
        *self
            .book
            .changed
            .lock()
            .entry(device.thing.clone())
            .or_insert(false) |= new;
    }

    fn get(&self, thing: &str) -> Option<Device> {
        self.book.devices.read().get(thing).cloned()
    }

    fn list(&self, filter: &DeviceFilter) -> (Vec<Device>, usize) {
        let devices = self.book.devices.read();
        let matching = |device: &&Device| {
            filter.state.is_none_or(|state| device.state == state)
                && filter
                    .connected
                    .is_none_or(|connected| device.connected == connected)
                && filter
                    .text
                    .as_ref()
                    .is_none_or(|text| device.thing.contains(text.as_str()))
        };
        let total = devices.values().filter(matching).count();
        let from = filter
            .after
            .as_deref()
            .map_or(Bound::Unbounded, Bound::Excluded);
        let page = devices
            .range::<str, _>((from, Bound::Unbounded))
            .map(|(_, device)| device);
        (
            page.filter(matching)
                .take(filter.limit.min(MAX_PAGE))
                .cloned()
                .collect(),
            total,
        )
    }

    async fn set_state(&self, thing: &str, state: DeviceState) -> Result<(), Fault> {
        let _saving = self.book.saving.lock().await;
        let Some(mut device) = self.get(thing) else {
            return Err(Fault::missing(thing));
        };
        device.state = state;
        let mut tx = self.store.begin().await?;
        tables::put_devices(&mut tx, std::slice::from_ref(&device)).await?;
        append(self, &mut tx, EventKind::Device, thing, &device).await?;
        tx.commit().await?;
        if let Some(known) = self.book.devices.write().get_mut(thing) {
            known.state = state;
        }
        Ok(())
    }

    fn keep_frame(&self, frame: Frame) {
        self.book.frames.lock().keep(frame);
    }

    fn frames(
        &self,
        thing: Option<&str>,
        rejected_only: bool,
        reason: Option<&str>,
        limit: usize,
    ) -> Vec<Frame> {
        self.book
            .frames
            .lock()
            .list(thing, rejected_only, reason, limit.min(MAX_PAGE))
    }

    fn rejected_counts(&self) -> Vec<(String, String, u64)> {
        let frames = self.book.frames.lock();
        frames
            .counts
            .iter()
            .map(|((gateway, reason), count)| (gateway.clone(), reason.clone(), *count))
            .collect()
    }

    async fn put_command(&self, command: &Command) -> Result<(), Fault> {
        let mut tx = self.store.begin().await?;
        tables::put_command(&mut tx, command).await?;
        append(self, &mut tx, EventKind::Command, &command.thing, command).await?;
        tx.commit().await
    }

    async fn commands(&self, thing: Option<&str>, limit: usize) -> Result<Vec<Command>, Fault> {
        tables::commands(&self.store, thing, limit.min(MAX_PAGE)).await
    }
}

//! Who listens to `GET /v1/events`. What is pushed was committed before.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use keyquay_protocol::wire::{DeviceState, Event};
use keyquay_protocol::{Code, DeviceId, Problem};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::authenticate::Caller;
use super::gates::Step;
use super::{Call, Inner};
use crate::message::{Frame, Subscriber};

/// One connection. It is told what concerns its device until it is dropped.
pub struct Subscription {
    pub subscriber: Subscriber,
    /// Ends when the connection is to be closed.
    pub frames: Receiver<Frame>,
    number: u64,
    connections: Arc<Connections>,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut table = self.connections.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = table.by_device.get_mut(&self.subscriber.device) {
            open.retain(|connection| connection.number != self.number);
            if open.is_empty() {
                table.by_device.remove(&self.subscriber.device);
            }
        }
    }
}

impl Inner {
    pub async fn subscribe(&self, call: &Call) -> Result<Subscription, Problem> {
        let Caller::Device(user, device) = self.authenticate(call).await? else {
            return Err(Code::NotAllowed.into());
        };
        self.pass_gate(&user, device, Step::Events)?;
        if user.devices.get(&device).is_none_or(|record| record.state() == DeviceState::Suspended) {
            return Err(Code::Suspended.into());
        }
        Ok(open(&self.connections, Subscriber { user: user.id, device }))
    }
}

/// The open connections by device.
#[derive(Default)]
pub struct Connections(Mutex<Table>);

#[derive(Default)]
struct Table {
    last_number: u64,
    by_device: HashMap<DeviceId, Vec<Connection>>,
}

struct Connection {
    number: u64,
    frames: Sender<Frame>,
}

/// Frames that may wait for a slow connection; one that waits longer is closed and comes back to pull.
const QUEUE: usize = 32;
/// Connections of one device: the newest ones stay.
const OF_ONE_DEVICE: usize = 3;

impl Connections {
    /// Sends an event to all connections of these devices.
    pub fn push(&self, devices: &[DeviceId], event: &Event) {
        self.send(devices, event, false);
    }

    /// Sends a last event to all connections of these devices and ends them.
    pub fn push_last(&self, devices: &[DeviceId], event: &Event) {
        self.send(devices, event, true);
    }

    /// Ends the connections of a device.
    pub fn close(&self, device: DeviceId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).by_device.remove(&device);
    }

    fn send(&self, devices: &[DeviceId], event: &Event, then_close: bool) {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut encoded: Option<Bytes> = None;
        for device in devices {
            let Some(open) = table.by_device.get_mut(device) else {
                continue;
            };
            let event = encoded.get_or_insert_with(|| event.to_bytes().into()).clone();
            let frame = Frame { event, then_close };
            open.retain(|connection| connection.frames.try_send(frame.clone()).is_ok() && !then_close);
            if open.is_empty() {
                table.by_device.remove(device);
            }
        }
    }
}

fn open(connections: &Arc<Connections>, subscriber: Subscriber) -> Subscription {
    let (sender, frames) = channel(QUEUE);
    let mut table = connections.0.lock().unwrap_or_else(PoisonError::into_inner);
    table.last_number += 1;
    let number = table.last_number;
    let open = table.by_device.entry(subscriber.device).or_default();
    if open.len() >= OF_ONE_DEVICE {
        open.remove(0);
    }
    open.push(Connection { number, frames: sender });
    Subscription { subscriber, frames, number, connections: Arc::clone(connections) }
}

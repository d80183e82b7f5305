use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use keyquay_crypto::random_bytes;
use keyquay_protocol::wire::{Event, LogAnswer, Status};
use keyquay_protocol::{Code, LogHead, Problem, Seen, State, Violation};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use super::blobs::fetch_missing;
use super::intake::{Acknowledged, Taken, head_at, take_in};
use super::push::push;
use super::recovery::keep_recovery_record;
use super::share::{open_half, request_share};
use crate::server::{Connection, DeviceSigner, Received, ServerAddress};
use crate::session::{Inner, LastSyncRecord, Link, Open, Session, of_vault, of_violation};
use crate::view::welcome::SyncState;

/// The background task of an enrolled device whose switch is on.
#[derive(Default)]
pub(crate) struct Engine {
    running: Mutex<Option<Running>>,
}

struct Running {
    task: JoinHandle<()>,
    stop: watch::Sender<bool>,
}

impl Engine {
    /// Starts the task, unless it runs.
    pub fn start(&self, session: &Session) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.as_ref().is_some_and(|running| !running.task.is_finished()) {
            session.0.wake.notify_one();
            return;
        }
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(run(session.clone(), stopped));
        *running = Some(Running { task, stop });
    }

    /// Stops the task and waits for it.
    pub async fn stop(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Running { mut task, stop }) = running {
            // It ends by itself at the next wait; a request under way gets a moment.
            let _ = stop.send(true);
            if timeout(Duration::from_secs(3), &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A suspension is often the first half of a removal, which must not wait.
const LONGEST_PAUSE_SUSPENDED: Duration = Duration::from_secs(10);
/// The server sends a sign of life every 25 seconds.
const SILENCE: Duration = Duration::from_secs(70);
/// How often the lease is looked at.
const TICK: Duration = Duration::from_secs(20);

async fn run(session: Session, mut stopped: watch::Receiver<bool>) {
    let inner = &*session.0;
    let mut pause = FIRST_PAUSE;
    while !*stopped.borrow() {
        let started = Instant::now();
        let result = tokio::select! {
            result = connected(inner) => result,
            _ = stopped.changed() => return,
        };
        if let Err(problem) = result
            && ended(inner, problem)
        {
            return;
        }
        if started.elapsed() > LONGEST_PAUSE {
            pause = FIRST_PAUSE;
        }
        let until = Instant::now() + jittered(pause);
        pause = (pause * 2).min(longest_pause(inner));
        tokio::select! {
            () = sleep_until(until) => {}
            () = inner.wake.notified() => pause = FIRST_PAUSE,
            _ = stopped.changed() => return,
        }
    }
}

/// Looks at the lease for as long as the session lives, whatever the engine does meanwhile.
pub(crate) async fn watch_lease(inner: std::sync::Weak<Inner>) {
    let mut tick = tokio::time::interval(TICK);
    loop {
        tick.tick().await;
        let Some(inner) = inner.upgrade() else { return };
        close_when_lease_is_over(&inner);
    }
}

fn longest_pause(inner: &Inner) -> Duration {
    let core = inner.core();
    let is_suspended = core.open.as_ref().is_some_and(|open| open.link.state == SyncState::Suspended);
    if is_suspended { LONGEST_PAUSE_SUSPENDED } else { LONGEST_PAUSE }
}

/// Between half and all of `pause`, so that many devices do not come back at once.
fn jittered(pause: Duration) -> Duration {
    let [random] = random_bytes::<1>();
    pause / 2 + pause * u32::from(random) / 512
}

/// Everything while one connection holds.
async fn connected(inner: &Inner) -> Result<(), Problem> {
    let (connection, signer) = connect(inner).await?;
    renew_share(inner, &connection, &signer).await?;
    // Subscribed before the first pull, so that nothing falls between the two.
    let mut events = connection.events(&signer).await?;
    refresh_status(inner, &connection, &signer).await?;
    in_step(inner, &connection, &signer).await?;
    let mut silent_since = Instant::now();
    // An interval, not a pause: frames that come in between do not put it off.
    let mut tick = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            received = events.next() => match received? {
                Received::Ended => return in_step_or(inner, &connection, &signer).await,
                Received::Alive => silent_since = Instant::now(),
                Received::Event(event) => {
                    silent_since = Instant::now();
                    on_event(inner, &connection, &signer, *event).await?;
                }
            },
            () = inner.wake.notified() => {
                if inner.core().open()?.half.is_none() {
                    renew_share(inner, &connection, &signer).await?;
                }
                in_step(inner, &connection, &signer).await?;
            }
            _ = tick.tick() => {
                if silent_since.elapsed() > SILENCE {
                    return Err(Problem::new(Code::Offline));
                }
                let is_due = inner.core().open()?.half.as_ref().is_none_or(|half| half.lease.is_due(inner.now()));
                if is_due {
                    renew_share(inner, &connection, &signer).await?;
                    in_step(inner, &connection, &signer).await?;
                }
            }
        }
    }
}

async fn connect(inner: &Inner) -> Result<(Connection, DeviceSigner), Problem> {
    let (known, server, name, signer) = {
        let mut core = inner.core();
        let open = core.open_mut()?;
        // What stands in the way is shown until it is out of the way.
        if open.link.problem.is_none() && open.link.state != SyncState::Suspended {
            let has_keys = open.half.is_some();
            open.link = Link::of(if has_keys { SyncState::Syncing } else { SyncState::Connecting });
        }
        let server = open.settings.server.clone().ok_or_else(|| Problem::new(Code::NotSignedIn))?;
        (open.connection.clone(), server, open.settings.server_name.clone(), open.signer()?)
    };
    inner.emit_status();
    let connection = match known {
        Some(connection) => connection,
        None => {
            Connection::open(ServerAddress::parse(&server)?, &inner.platform, inner.clock.clone()).await?
        }
    };
    if name.is_some_and(|name| name != connection.name()) {
        return Err(Problem::new(Code::NotAServer).with_detail("The server changed its name."));
    }
    inner.core().open_mut()?.connection = Some(connection.clone());
    Ok((connection, signer))
}

/// Fetches the share and opens the synced half where it is closed. A device that the server says was removed is
/// believed only with the entry that proves it.
async fn renew_share(inner: &Inner, connection: &Connection, signer: &DeviceSigner) -> Result<(), Problem> {
    let (user, head) = {
        let core = inner.core();
        let open = core.open()?;
        let user = open.settings.user.ok_or_else(|| Problem::new(Code::NotSignedIn))?;
        (user, open.log.as_ref().map(State::head))
    };
    let (share, lease) = match request_share(connection, signer, user, head).await {
        // A removal is believed only with the entry that proves it. A word that the keystore refuses as off its chain
        // means that one of the two was set back, which the log tells.
        Err(problem) if matches!(problem.code, Code::Removed | Code::EntryRefused) => {
            pull(inner, connection, signer).await?;
            return Err(problem);
        }
        other => other?,
    };
    let opened = {
        let mut core = inner.core();
        let open = core.open_mut()?;
        match &mut open.half {
            Some(half) if half.share.expose() == share.expose() => {
                half.lease = lease;
                false
            }
            Some(_) => return Err(Problem::new(Code::ShareMismatch)),
            None => {
                open_half(open, share, lease)?;
                true
            }
        }
    };
    if opened {
        inner.emit_accounts();
        inner.emit_sync();
    }
    Ok(())
}

/// Takes in what others wrote and sends what waits, until neither is left.
async fn in_step(inner: &Inner, connection: &Connection, signer: &DeviceSigner) -> Result<(), Problem> {
    let mut received = 0;
    let mut sent = 0;
    for _round in 0..50 {
        received += pull(inner, connection, signer).await?;
        if fetch_missing(inner, connection, signer).await? {
            inner.emit_accounts();
        }
        keep_recovery_record(inner, connection, signer).await?;
        let waits = inner.core().open()?.half.as_ref().is_some_and(|half| !half.edits.is_empty());
        if !waits {
            synced(inner, received, sent)?;
            return Ok(());
        }
        inner.set_link(Link::of(SyncState::Syncing));
        match push(inner, connection, signer).await {
            Ok(taken) => {
                sent += taken.iter().map(|taken| taken.accounts.len()).sum::<usize>();
                inner.emit_accounts();
            }
            Err(problem) if problem.code == Code::HeadMoved => {}
            Err(problem) => return Err(problem),
        }
    }
    Err(Problem::new(Code::Busy))
}

/// The stream ended: one more look, since a removal or suspension ends it too.
async fn in_step_or(inner: &Inner, connection: &Connection, signer: &DeviceSigner) -> Result<(), Problem> {
    in_step(inner, connection, signer).await?;
    Err(Problem::new(Code::Offline))
}

async fn on_event(
    inner: &Inner,
    connection: &Connection,
    signer: &DeviceSigner,
    event: Event,
) -> Result<(), Problem> {
    match event {
        Event::Entries(entries) => {
            let next = inner.core().open()?.log.as_ref().map_or(1, |log| log.head().seq + 1);
            // Entries that are here already came with the last pull; a gap is filled by the next one.
            let new: Vec<_> = entries
                .into_iter()
                .filter(|entry| entry.decode().is_ok_and(|payload| payload.seq >= next))
                .collect();
            let follows =
                new.first().and_then(|entry| entry.decode().ok()).is_some_and(|first| first.seq == next);
            if follows {
                let taken = take_in(inner.core().open_mut()?, &new, Acknowledged::default(), inner.now())?;
                let received = taken.received;
                after_intake(inner, &taken)?;
                fetch_missing(inner, connection, signer).await?;
                keep_recovery_record(inner, connection, signer).await?;
                synced(inner, received, 0)?;
                return Ok(());
            }
            in_step(inner, connection, signer).await
        }
        Event::Seen(seen) => check_seen(inner, &[seen]),
        Event::Suspended => Err(Problem::new(Code::Suspended)),
        Event::StatusChanged => refresh_status(inner, connection, signer).await,
    }
}

/// Fetches and verifies what follows the own head. Returns how many entries of others came.
pub(crate) async fn pull(
    inner: &Inner,
    connection: &Connection,
    signer: &DeviceSigner,
) -> Result<u32, Problem> {
    let mut received = 0;
    loop {
        let head = inner.core().open()?.log.as_ref().map(State::head);
        let after = head.map_or(0, |head| head.seq);
        let answer = connection.get(signer, &format!("/v1/log?after={after}")).await?;
        let answer = LogAnswer::from_bytes(&answer).map_err(|_| Problem::new(Code::NotAServer))?;
        check_answer_head(head, &answer)?;
        let is_last = answer.entries.is_empty();
        if !is_last {
            let now = inner.now();
            let taken = take_in(inner.core().open_mut()?, &answer.entries, Acknowledged::default(), now)?;
            received += taken.received;
            after_intake(inner, &taken)?;
        }
        check_seen(inner, &answer.seen)?;
        let reached = inner.core().open()?.log.as_ref().map_or(0, |log| log.head().seq);
        if is_last || reached >= answer.head.seq {
            return Ok(received);
        }
    }
}

/// A log that ends before the pinned head, or elsewhere at the same length, is another history.
fn check_answer_head(own: Option<LogHead>, answer: &LogAnswer) -> Result<(), Problem> {
    let Some(own) = own else { return Ok(()) };
    let rolled_back =
        answer.head.seq < own.seq || (answer.head.seq == own.seq && answer.head.hash != own.hash);
    if rolled_back { Err(of_violation(Violation::RolledBack)) } else { Ok(()) }
}

/// Holds the other devices' words against the own chain.
fn check_seen(inner: &Inner, seen: &[Seen]) -> Result<(), Problem> {
    let mut core = inner.core();
    let open = core.open_mut()?;
    let Some(log) = &open.log else { return Ok(()) };
    for word in seen {
        let result = log.check_seen(word, |seq| head_at(open, seq));
        match result {
            // A word of a device that this one does not know yet is held against the chain when it is.
            Ok(()) | Err(Violation::NotActive) => {}
            Err(violation) => {
                let name = open
                    .device_name(word.device)
                    .map_or_else(|| word.device.to_string(), |device| device.name);
                return Err(of_violation(violation).with_detail(format!("The device is {name}.")));
            }
        }
    }
    let newest = seen.iter().map(|word| (word.device, word.time)).collect::<Vec<_>>();
    for (device, time) in newest {
        let known = open.settings.last_seen.entry(device).or_default();
        *known = (*known).max(time);
    }
    Ok(())
}

/// What a screen must show, and what must happen, after entries were taken in.
pub(crate) fn after_intake(inner: &Inner, taken: &Taken) -> Result<(), Problem> {
    if !taken.accounts.is_empty() || taken.removed {
        inner.emit_accounts();
    }
    if taken.devices_changed || taken.removed || taken.ended {
        inner.emit_sync();
    }
    if taken.removed {
        return Err(Problem::new(Code::Removed));
    }
    if taken.ended {
        return Err(Problem::new(Code::SyncEnded));
    }
    Ok(())
}

async fn refresh_status(
    inner: &Inner,
    connection: &Connection,
    signer: &DeviceSigner,
) -> Result<(), Problem> {
    let status: Status = connection.get_json(signer, "/v1/status").await?;
    inner.core().open_mut()?.note_status(&status);
    inner.emit_sync();
    Ok(())
}

fn synced(inner: &Inner, received: u32, sent: usize) -> Result<(), Problem> {
    let record = LastSyncRecord { at: inner.now(), received, sent: u32::try_from(sent).unwrap_or(u32::MAX) };
    let worth_telling = received > 0 || sent > 0;
    {
        let mut core = inner.core();
        let open = core.open_mut()?;
        let before = open.settings.last_sync.take();
        let record =
            if worth_telling { record } else { LastSyncRecord { at: record.at, ..before.unwrap_or(record) } };
        if worth_telling {
            // Written only when something came or went: being told "nothing new" costs no write.
            open.change(|settings| settings.last_sync = Some(record.clone()), |_| Ok(()))?;
        }
        open.settings.last_sync = Some(record);
    }
    inner.set_link(Link::of(SyncState::Synced));
    if worth_telling {
        inner.emit_sync();
    }
    Ok(())
}

/// Sets the link by what ended the connection. `true`: the task is over until a person does something.
fn ended(inner: &Inner, problem: Problem) -> bool {
    tracing::info!(code = problem.code.as_str(), "the connection to the server ended");
    let (link, over) = {
        let mut core = inner.core();
        let Ok(open) = core.open_mut() else { return true };
        match problem.code {
            Code::Suspended => {
                open.half = None;
                (Link::of(SyncState::Suspended), false)
            }
            Code::Removed if open.is_removed() => {
                open.half = None;
                (Link::of(SyncState::Removed), true)
            }
            Code::SyncEnded if open.log.as_ref().is_some_and(State::is_ended) => {
                (Link::with(SyncState::Ended, problem), true)
            }
            Code::OtherHistory | Code::OtherRoot | Code::SeenElsewhere | Code::ShareMismatch => {
                (Link::with(SyncState::Stopped, problem), true)
            }
            _ => {
                if matches!(problem.code, Code::Offline | Code::NotAServer | Code::Certificate) {
                    open.connection = None;
                }
                let state = if open.half.is_some() { SyncState::Offline } else { SyncState::Closed };
                (Link::with(state, problem), false)
            }
        }
    };
    inner.set_link(link);
    inner.emit_accounts();
    inner.emit_sync();
    over
}

/// The lease ends on a clock that counts sleep; the synced accounts close with it.
pub(crate) fn close_when_lease_is_over(inner: &Inner) {
    let closed = {
        let mut core = inner.core();
        let Ok(open) = core.open_mut() else { return };
        let is_over = open.half.as_ref().is_some_and(|half| half.lease.is_over(inner.now()));
        // The keyring is asked only then: it may want its person.
        let closes = is_over && open.vault.offline_share().ok().flatten().is_none();
        if closes {
            open.half = None;
            if open.link.state == SyncState::Offline {
                open.link.state = SyncState::Closed;
            }
        }
        closes
    };
    if closed {
        inner.emit_status();
        inner.emit_accounts();
    }
}

/// Opens the synced half without the server, where its owner allowed it.
///
/// # Errors
/// Those of the keyring and the disk.
pub(crate) fn open_offline(open: &mut Open, now: u64) -> Result<(), Problem> {
    if open.half.is_some() || !open.settings.enrolled || open.is_removed() {
        return Ok(());
    }
    if let Some(share) = open.vault.offline_share().map_err(of_vault)? {
        open_half(open, share, crate::session::Lease::new(std::time::Instant::now(), now))?;
    }
    Ok(())
}

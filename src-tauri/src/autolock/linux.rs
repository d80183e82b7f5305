//! What the desktop says on D-Bus: logind before sleep, and the screen savers.

use gtk::gio::{self, BusType, Cancellable, DBusConnection, DBusSignalFlags};
use keyquay_client::session::Session;
use tauri::AppHandle;

use super::lock;

/// Interfaces whose `ActiveChanged(true)` says that the screen is locked.
const SCREEN_SAVERS: &[&str] = &[
    "org.freedesktop.ScreenSaver",
    "org.gnome.ScreenSaver",
    "org.cinnamon.ScreenSaver",
    "org.mate.ScreenSaver",
    "org.xfce.ScreenSaver",
];

/// Listens on both buses; one that is not there is no error.
pub fn watch(app: &AppHandle, session: &Session) {
    let session = session.clone();
    // The buses belong to the main thread, as everything of GTK does.
    let on_main_thread = move || {
        let system = session.clone();
        gio::bus_get(BusType::System, Cancellable::NONE, move |bus| {
            let Ok(bus) = bus else { return };
            let before_sleep = ("org.freedesktop.login1.Manager", "PrepareForSleep");
            listen(&bus, before_sleep, &system, |session| {
                session.forget_share();
                session.preferences().lock.on_sleep
            });
            let by_system = ("org.freedesktop.login1.Session", "Lock");
            listen(&bus, by_system, &system, |session| session.preferences().lock.on_screen_lock);
        });
        gio::bus_get(BusType::Session, Cancellable::NONE, move |bus| {
            let Ok(bus) = bus else { return };
            for interface in SCREEN_SAVERS {
                let locked = (*interface, "ActiveChanged");
                listen(&bus, locked, &session, |session| session.preferences().lock.on_screen_lock);
            }
        });
    };
    if app.run_on_main_thread(on_main_thread).is_err() {
        tracing::warn!("nothing tells when the screen is locked");
    }
}

/// Locks on a signal that says `true`, or says nothing, if its owner wants it.
fn listen(
    bus: &DBusConnection,
    (interface, member): (&str, &str),
    session: &Session,
    wanted: fn(&Session) -> bool,
) {
    let session = session.clone();
    // The connection lives as long as somebody holds it, so the listener does.
    let held = bus.clone();
    bus.signal_subscribe(
        None,
        Some(interface),
        Some(member),
        None,
        None,
        DBusSignalFlags::NONE,
        move |_, _, _, _, _, parameters| {
            let _ = &held;
            let is_over = parameters.try_child_value(0).and_then(|value| value.get::<bool>()) == Some(false);
            if !is_over && wanted(&session) {
                let session = session.clone();
                tauri::async_runtime::spawn(async move { lock(&session).await });
            }
        },
    );
}

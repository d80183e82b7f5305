//! A desktop to open the app on, a server for it, a mailbox, a browser. Everything that is started here ends with the
//! value that stands for it, and with the test run at the latest.

mod browser;
mod desktop;
mod mailbox;
mod page;
mod phone;
mod process;
mod recorder;
mod server;
mod webdriver;
mod window;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use self::browser::Browser;
pub use self::desktop::Desktop;
pub use self::mailbox::{Mail, Mailbox};
pub use self::page::Page;
pub use self::phone::Phone;
pub use self::recorder::Recorder;
pub use self::server::Server;
pub use self::window::Window;

/// How long a test waits for what should happen. Generous: two cores may run two windows at once.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// Asks `look` again and again until it has an answer; panics with `what` when patience runs out.
pub async fn wait_for<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "waited {} s in vain for {what}", PATIENCE.as_secs());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where a program is that `scripts/install-deps.sh test` installed below `target/tools`.
fn tool(path: &str) -> PathBuf {
    root().join("target/tools").join(path)
}

/// A port of the loopback interface that nobody uses at the moment.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// `true` when every program is there. Otherwise the test that asks is written down as skipped, with the reason,
/// for `make test` to count.
fn has_programs(programs: &[&Path]) -> bool {
    let missing: Vec<String> = programs
        .iter()
        .filter(|program| !is_installed(program))
        .map(|program| program.display().to_string())
        .collect();
    if !missing.is_empty() {
        skip(&format!("needs {}; scripts/install-deps.sh test installs it", missing.join(", ")));
    }
    missing.is_empty()
}

fn is_installed(program: &Path) -> bool {
    if program.components().count() > 1 {
        return program.exists();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).exists())
}

fn skip(reason: &str) {
    use std::io::Write;

    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let folder = root().join("target/test-run");
    std::fs::create_dir_all(&folder).unwrap();
    let mut list =
        std::fs::File::options().create(true).append(true).open(folder.join("skipped.txt")).unwrap();
    writeln!(list, "{test}: {reason}").unwrap();
    eprintln!("skipped {test}: {reason}");
}

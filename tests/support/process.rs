//! Programs beside the tests.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running program. It ends, with all that it started, when this value is dropped; and, since it is watched by a
/// shell that waits for our end of a pipe to close, also when the test process is killed.
pub struct Process {
    guard: Child,
    name: String,
    log: PathBuf,
}

/// Runs its arguments in the background; once its input ends, it ends its whole process group.
const GUARD: &str = r#""$@" </dev/null & read -r _; kill -KILL 0"#;

impl Process {
    /// Starts `command` with its output in `logs`/`name`.log.
    pub fn start(name: &str, command: &Command, logs: &Path) -> Self {
        let log = logs.join(format!("{name}.log"));
        let output = File::create(&log).unwrap();
        let mut guard = Command::new("sh");
        guard.args(["-c", GUARD, name]).arg(command.get_program()).args(command.get_args());
        for (key, value) in command.get_envs() {
            match value {
                Some(value) => guard.env(key, value),
                None => guard.env_remove(key),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            guard.current_dir(folder);
        }
        let guard = guard
            .stdin(Stdio::piped())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} could not be started: {error}"));
        Self { guard, name: name.to_owned(), log }
    }

    /// Waits, but not for long, until the program `name` has ended by itself.
    pub async fn wait_until_ended(&self, name: &str) {
        let end = Instant::now() + Duration::from_secs(5);
        while group(self.guard.id()).any(|it| it == name) && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What it has written so far.
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
        // A killed process holds its locks a moment longer than the signal takes.
        let end = Instant::now() + Duration::from_secs(5);
        while is_group_alive(self.guard.id()) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(10));
        }
        if std::thread::panicking() {
            let output = self.output();
            let start = output.len().saturating_sub(4000);
            let start = (start..output.len()).find(|at| output.is_char_boundary(*at)).unwrap_or(start);
            eprintln!("--- the end of what {} wrote ---\n{}", self.name, &output[start..]);
        }
    }
}

fn is_group_alive(group_id: u32) -> bool {
    group(group_id).next().is_some()
}

/// The names of the processes of a group, without those that have ended and wait for their parent (proc_pid_stat(5)).
fn group(group_id: u32) -> impl Iterator<Item = String> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.filter_map(move |process| {
        let stat = std::fs::read_to_string(process.path().join("stat")).ok()?;
        let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
        let mut fields = rest.split_whitespace();
        let state = fields.next()?;
        let its_group: u32 = fields.nth(1)?.parse().ok()?;
        (its_group == group_id && !matches!(state, "Z" | "X")).then(|| name.to_owned())
    })
}

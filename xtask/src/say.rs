//! What a person sees while a command works.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often a long step reports to a log. On a terminal it counts seconds.
const HEARTBEAT_IN_A_LOG: Duration = Duration::from_secs(30);
const HEARTBEAT_ON_A_TERMINAL: Duration = Duration::from_secs(1);

/// A step that begins.
pub(crate) fn step(text: &str) {
    println!("{} {text}", bold("→"));
}

/// A suite or command that begins.
pub(crate) fn heading(text: &str) {
    println!("\n{}", bold(&format!("── {text} ──")));
}

/// Why the command stops.
pub(crate) fn failure(text: &str) {
    let _ = stdout().flush();
    let mark = if stderr().is_terminal() { "\x1b[1;31merror:\x1b[0m" } else { "error:" };
    eprintln!("{mark} {text}");
}

/// The text, bold on a terminal.
pub(crate) fn bold(text: &str) -> String {
    if stdout().is_terminal() { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
}

/// Counts the time since it was started.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "a program that waits needs a clock, and this is where it is read"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// `1:05` for a minute and five seconds.
pub(crate) fn minutes(duration: Duration) -> String {
    let seconds = duration.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// Says what is being done, and that it still is, until dropped.
pub(crate) struct Heartbeat {
    stop: Option<Sender<()>>,
    speaker: Option<JoinHandle<()>>,
}

impl Heartbeat {
    pub(crate) fn start(text: String) -> Self {
        step(&text);
        let (stop, stopped) = channel::<()>();
        let speaker = std::thread::spawn(move || {
            let terminal = stdout().is_terminal();
            let interval = if terminal { HEARTBEAT_ON_A_TERMINAL } else { HEARTBEAT_IN_A_LOG };
            let watch = Stopwatch::start();
            while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                if terminal {
                    print!("\r  {}", minutes(watch.elapsed()));
                } else {
                    println!("  … {text}: {}", minutes(watch.elapsed()));
                }
                let _ = stdout().flush();
            }
            if terminal {
                print!("\r\x1b[K");
            }
            println!("  took {}", minutes(watch.elapsed()));
        });
        Self { stop: Some(stop), speaker: Some(speaker) }
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(speaker) = self.speaker.take() {
            let _ = speaker.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_written_as_on_a_clock() {
        assert_eq!(minutes(Duration::from_secs(5)), "0:05");
        assert_eq!(minutes(Duration::from_secs(65)), "1:05");
        assert_eq!(minutes(Duration::from_secs(3600)), "60:00");
    }
}

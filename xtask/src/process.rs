//! Programs we start, and that always end with us.
//!
//! Each runs in a process group of its own, so that what it starts (wrangler starts workerd) ends with it.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, PipeReader, pipe};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, atomic::AtomicBool, atomic::Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

use crate::failure::{Failure, Outcome, While, said};
use crate::say::Stopwatch;

/// How often we look whether a program has ended or somebody pressed Ctrl-C.
const GLANCE: Duration = Duration::from_millis(20);
/// How long a program may take to end when asked kindly: workerd closes its databases meanwhile.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long output is still read after its program has ended.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Lines kept to show when a program fails.
const LINES_KEPT_MAX: usize = 60;

static INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From here on Ctrl-C, a closed terminal and a polite kill are noticed instead of ending us on the spot.
pub(crate) fn listen_for_interrupts() -> Outcome {
    let flag = INTERRUPTED.get_or_init(Arc::default);
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(flag)).or_say(|| "listening for Ctrl-C".to_owned())?;
    }
    Ok(())
}

/// Passes on that somebody pressed Ctrl-C.
pub(crate) fn check_interrupt() -> Outcome {
    match INTERRUPTED.get() {
        Some(flag) if flag.load(Ordering::Relaxed) => Err(Failure::Interrupted),
        _ => Ok(()),
    }
}

/// A short wait between two looks at something.
///
/// # Errors
/// Somebody pressed Ctrl-C.
pub(crate) fn pause() -> Outcome {
    thread::sleep(GLANCE);
    check_interrupt()
}

/// Runs a program to its end, its output shown.
///
/// # Errors
/// It cannot be started, fails, or somebody pressed Ctrl-C.
pub(crate) fn run(name: &str, command: &mut Command) -> Outcome {
    succeeded(name, start(name, command)?.wait()?)
}

/// Runs a program to its end, its output kept back and shown only when it fails. Returns the output's last lines.
///
/// # Errors
/// It cannot be started, fails, or somebody pressed Ctrl-C.
pub(crate) fn run_quietly(name: &str, command: &mut Command) -> Outcome<String> {
    let mut last = LastLines::default();
    let status = run_reading(name, command, |line| last.push(line))?;
    if status.success() { Ok(last.text()) } else { said(format!("{name} failed:\n{}", last.text())) }
}

/// Runs a program to its end and hands on every line it writes.
///
/// # Errors
/// It cannot be started, or somebody pressed Ctrl-C.
pub(crate) fn run_reading(
    name: &str,
    command: &mut Command,
    mut on_line: impl FnMut(&str),
) -> Outcome<ExitStatus> {
    let (mut program, lines) = start_reading(name, command)?;
    let mut ended = None;
    loop {
        match lines.recv_timeout(if ended.is_some() { LAST_WORDS } else { GLANCE }) {
            Ok(line) => on_line(&line),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) if ended.is_some() => break,
            Err(RecvTimeoutError::Timeout) => ended = program.ended()?,
        }
        check_interrupt()?;
    }
    match ended {
        Some(status) => Ok(status),
        None => program.wait(),
    }
}

/// A program that runs beside us. Dropping it ends it and all it started.
pub(crate) struct Program {
    /// What we call it when we speak of it.
    pub(crate) name: String,
    child: std::process::Child,
    group: Option<Pid>,
}

/// Starts a program with its output shown.
fn start(name: &str, command: &mut Command) -> Outcome<Program> {
    let child = command
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()
        .or_say(|| format!("starting {name} ({})", command.get_program().display()))?;
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    Ok(Program { name: name.to_owned(), child, group })
}

/// Starts a program; its lines, of both outputs in one order, arrive at the receiver.
fn start_reading(name: &str, command: &mut Command) -> Outcome<(Program, Receiver<String>)> {
    let (reader, writer) = pipe().or_say(|| "making a pipe".to_owned())?;
    let second = writer.try_clone().or_say(|| "making a pipe".to_owned())?;
    let program = start(name, command.stdout(writer).stderr(second));
    // The command holds our copies of the pipe's end; while they live the reader would wait for ever.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let (send, lines) = channel();
    thread::spawn(move || read_lines(reader, |line| send.send(line).is_ok()));
    Ok((program?, lines))
}

fn read_lines(reader: PipeReader, mut keep: impl FnMut(String) -> bool) {
    let mut reader = BufReader::new(reader);
    let mut bytes = Vec::new();
    while matches!(reader.read_until(b'\n', &mut bytes), Ok(count) if count > 0) {
        let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        bytes.clear();
        if !keep(line) {
            return;
        }
    }
}

impl Program {
    /// Waits for its end.
    fn wait(&mut self) -> Outcome<ExitStatus> {
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            check_interrupt()?;
            thread::sleep(GLANCE);
        }
    }

    /// How it ended, if it has.
    fn ended(&mut self) -> Outcome<Option<ExitStatus>> {
        let name = &self.name;
        self.child.try_wait().or_say(|| format!("waiting for {name}"))
    }

    /// Ends it and everything it started: kindly first, then not.
    fn end(&mut self) {
        let Some(group) = self.group.take() else { return };
        for signal in [Signal::INT, Signal::KILL] {
            let watch = Stopwatch::start();
            let _ = kill_process_group(group, signal);
            while watch.elapsed() < FAREWELL {
                // Collects the program itself, so that an empty group can be told from a running one.
                let _ = self.child.try_wait();
                if test_kill_process_group(group).is_err() {
                    return;
                }
                thread::sleep(GLANCE);
            }
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.end();
    }
}

/// A server beside us: its last lines are kept for the day it fails.
pub(crate) struct Server {
    program: Program,
    last: Arc<Mutex<LastLines>>,
}

/// Starts a server; each of its lines is kept and handed to `on_line`.
///
/// # Errors
/// It cannot be started.
pub(crate) fn serve(
    name: &str,
    command: &mut Command,
    on_line: impl Fn(&str) + Send + 'static,
) -> Outcome<Server> {
    let (program, lines) = start_reading(name, command)?;
    let last = Arc::new(Mutex::new(LastLines::default()));
    let keep = Arc::clone(&last);
    thread::spawn(move || {
        for line in lines {
            keep.lock().unwrap_or_else(PoisonError::into_inner).push(&line);
            on_line(&line);
        }
    });
    Ok(Server { program, last })
}

impl Server {
    /// # Errors
    /// It has ended; its last lines say why.
    pub(crate) fn check_alive(&mut self) -> Outcome {
        let Some(status) = self.program.ended()? else { return Ok(()) };
        thread::sleep(LAST_WORDS);
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).text();
        said(format!("{} ended by itself ({status}). It said last:\n{last}", self.program.name))
    }

    /// The last lines it wrote.
    pub(crate) fn last_lines(&self) -> String {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).text()
    }
}

fn succeeded(name: &str, status: ExitStatus) -> Outcome {
    if status.success() { Ok(()) } else { said(format!("{name} failed ({status}), see above")) }
}

#[derive(Default)]
struct LastLines(VecDeque<String>);

impl LastLines {
    fn push(&mut self, line: &str) {
        if self.0.len() == LINES_KEPT_MAX {
            self.0.pop_front();
        }
        self.0.push_back(line.to_owned());
    }

    fn text(&self) -> String {
        self.0.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_program_that_fails_is_an_error_that_names_it() {
        let Err(Failure::Said(text)) = run("the thing", &mut shell("exit 3")) else { panic!("it passed") };
        assert!(text.contains("the thing failed"), "{text}");
    }

    #[test]
    fn output_kept_back_is_shown_when_a_program_fails() {
        let Err(Failure::Said(text)) = run_quietly("it", &mut shell("echo out; echo err >&2; exit 1")) else {
            panic!("it passed")
        };
        assert!(text.contains("out") && text.contains("err"), "{text}");
    }

    #[test]
    fn every_line_of_both_outputs_is_read() {
        let mut lines = Vec::new();
        let status = run_reading("it", &mut shell("echo one; echo two >&2; printf three"), |line| {
            lines.push(line.to_owned());
        });
        assert!(status.unwrap().success());
        assert_eq!(lines, ["one", "two", "three"]);
    }

    #[test]
    fn a_grandchild_ends_with_its_program() {
        // The inner shell ignores Ctrl-C's signal, as a badly kept grandchild would, and tells its number.
        let (program, lines) = start_reading(
            "it",
            &mut shell("sh -c 'trap \"\" INT; echo $$; while :; do sleep 1; done' & wait"),
        )
        .unwrap();
        let number: i32 = lines.recv().unwrap().parse().unwrap();
        let grandchild = Pid::from_raw(number).unwrap();
        assert!(rustix::process::test_kill_process(grandchild).is_ok());
        drop(program);
        assert!(gone(grandchild));
    }

    /// Init collects a dead grandchild, sooner or later; dead it is before.
    fn gone(pid: Pid) -> bool {
        let stat = format!("/proc/{}/stat", pid.as_raw_nonzero());
        let is_dead = || {
            rustix::process::test_kill_process(pid).is_err()
                || std::fs::read_to_string(&stat).is_ok_and(|stat| stat.contains(") Z "))
        };
        let watch = Stopwatch::start();
        while !is_dead() && watch.elapsed() < FAREWELL {
            thread::yield_now();
        }
        is_dead()
    }

    #[test]
    fn a_server_that_ended_says_its_last_words() {
        let mut server = serve("the server", &mut shell("echo no such port; exit 1"), |_| ()).unwrap();
        let text = loop {
            if let Err(Failure::Said(text)) = server.check_alive() {
                break text;
            }
            thread::yield_now();
        };
        assert!(text.contains("the server ended by itself") && text.contains("no such port"), "{text}");
    }
}

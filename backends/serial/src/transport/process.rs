//! A child process that talks on its standard input and output.

use super::{Transport, WallClock, ended};
use crate::error::SerialError;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Pieces of output that wait for a reader; a child that says more waits too.
const PIECES: usize = 16;

/// How long a child has to hear the last that was said to it, and to end.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// How long the status of a child that says no more is waited for, and the rest of its complaints.
const STATUS: Duration = Duration::from_millis(40);
/// Bytes that are kept of what it complained of, and characters that are told of them.
const KEPT: usize = 1024;
const TOLD: usize = 160;
/// How often its end is looked for.
const GLANCE: Duration = Duration::from_millis(2);

/// A child process that talks on its standard input and output. When this is dropped its standard input ends, and half a second later it is ended.
/// What it says on its standard error is passed on, and the end of it told with the status of a child that has ended.
#[derive(Debug)]
pub struct Process {
    command: Vec<String>,
    running: Option<Running>,
    clock: WallClock,
}

#[derive(Debug)]
struct Running {
    child: Child,
    input: SyncSender<Vec<u8>>,
    output: Receiver<Vec<u8>>,
    rest: VecDeque<u8>,
    complaints: Complaints,
}

/// What a child says on its standard error.
#[derive(Debug)]
struct Complaints {
    last: Arc<Mutex<VecDeque<u8>>>,
    /// It is closed when the child says no more.
    end: Receiver<()>,
}

impl Complaints {
    /// Passes on what a child says, and keeps the end of it.
    fn of(mut error: impl Read + Send + 'static) -> Self {
        let (open, end) = sync_channel(0);
        let last = Arc::new(Mutex::new(VecDeque::new()));
        let kept = Arc::clone(&last);
        std::thread::spawn(move || {
            let _open: SyncSender<()> = open;
            let mut piece = [0; 1024];
            while let Ok(n @ 1..) = error.read(&mut piece) {
                // where nobody listens the child is heard all the same
                drop(io::stderr().write_all(&piece[..n]));
                let mut last = lock(&kept);
                last.extend(&piece[..n]);
                let over = last.len().saturating_sub(KEPT);
                last.drain(..over);
            }
        });
        Self { last, end }
    }

    /// Lets the child say the rest, for so long.
    fn hear(&self, time: Duration) {
        // nothing is ever sent: this ends when the other side is closed
        let _: Result<(), RecvTimeoutError> = self.end.recv_timeout(time);
    }

    /// The last line that says something.
    fn last_line(&self) -> String {
        let bytes: Vec<u8> = lock(&self.last).iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        let line = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
        line.chars().filter(|c| !c.is_control()).take(TOLD).collect()
    }
}

fn lock(last: &Mutex<VecDeque<u8>>) -> MutexGuard<'_, VecDeque<u8>> {
    last.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Process {
    /// Starts a program with its arguments.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(command: &[String]) -> io::Result<Self> {
        let mut process = Self { command: command.to_vec(), running: None, clock: WallClock::new() };
        process.reopen()?;
        Ok(process)
    }

    /// Why a child says and hears no more: how it ended, if it did.
    fn obituary(&mut self) -> io::Error {
        let Some(running) = &mut self.running else { return ended() };
        let end = self.clock.now() + STATUS;
        let status: Option<ExitStatus> = loop {
            match running.child.try_wait() {
                Ok(None) if self.clock.now() < end => self.clock.sleep(GLANCE),
                Ok(status) => break status,
                Err(_) => break None,
            }
        };
        let Some(status) = status else { return ended() };
        running.complaints.hear(STATUS);
        let (program, said) = (self.command.join(" "), running.complaints.last_line());
        io::Error::new(io::ErrorKind::BrokenPipe, SerialError::Ended { program, status, said })
    }

    /// Lets the child hear what was said to it, and that no more comes; ends it if it does not end by itself.
    fn end(&mut self) {
        let Some(Running { mut child, input, output, complaints, .. }) = self.running.take() else { return };
        drop(input);
        let end = self.clock.now() + LAST_WORDS;
        while matches!(child.try_wait(), Ok(None)) && self.clock.now() < end {
            // what it says meanwhile is taken from it, or it would wait for a reader
            if let Err(RecvTimeoutError::Disconnected) = output.recv_timeout(GLANCE) {
                self.clock.sleep(GLANCE);
            }
        }
        // a child that has ended already cannot be ended again
        drop(child.kill());
        drop(child.wait());
        // a child of its own may hold its standard error open
        complaints.hear(STATUS);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Hands on what the child says until it says no more. Pipes know no deadline, so that each needs a thread.
fn listen(mut output: impl Read + Send + 'static, to: SyncSender<Vec<u8>>) {
    std::thread::spawn(move || {
        let mut piece = [0; 1024];
        while let Ok(n @ 1..) = output.read(&mut piece) {
            if to.send(piece[..n].to_vec()).is_err() {
                break;
            }
        }
    });
}

/// Hands on what the child is to hear. A child that does not read keeps this thread waiting, not the caller.
fn speak(mut input: impl Write + Send + 'static, from: Receiver<Vec<u8>>) {
    std::thread::spawn(move || {
        while let Ok(piece) = from.recv() {
            if input.write_all(&piece).and_then(|()| input.flush()).is_err() {
                break;
            }
        }
    });
}

impl Transport for Process {
    fn name(&self) -> String {
        self.command.join(" ")
    }

    fn read(&mut self, into: &mut [u8], wait: Duration) -> io::Result<usize> {
        let running = self.running.as_mut().ok_or_else(ended)?;
        if running.rest.is_empty() {
            match running.output.recv_timeout(wait) {
                Ok(piece) => running.rest.extend(piece),
                Err(RecvTimeoutError::Timeout) => return Ok(0),
                Err(RecvTimeoutError::Disconnected) => return Err(self.obituary()),
            }
        }
        running.rest.read(into)
    }

    fn write(&mut self, bytes: &[u8], wait: Duration) -> io::Result<usize> {
        let running = self.running.as_mut().ok_or_else(ended)?;
        match running.input.try_send(bytes.to_vec()) {
            Ok(()) => Ok(bytes.len()),
            Err(TrySendError::Full(_)) => {
                self.clock.sleep(wait.min(Duration::from_millis(1)));
                Ok(0)
            }
            Err(TrySendError::Disconnected(_)) => Err(self.obituary()),
        }
    }

    fn now(&self) -> Duration {
        self.clock.now()
    }

    fn sleep(&mut self, time: Duration) {
        self.clock.sleep(time);
    }

    fn reopen(&mut self) -> io::Result<()> {
        self.end();
        let (program, arguments) =
            self.command.split_first().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no program is named"))?;
        let mut child =
            Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (Some(input), Some(output), Some(error)) = (child.stdin.take(), child.stdout.take(), child.stderr.take()) else {
            return Err(ended());
        };
        let (to, from) = sync_channel(PIECES);
        listen(output, to);
        let (input_to, input_from) = sync_channel(PIECES);
        speak(input, input_from);
        let complaints = Complaints::of(error);
        self.running = Some(Running { child, input: input_to, output: from, rest: VecDeque::new(), complaints });
        Ok(())
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::link::Link;
    use isoform_core::error::ErrorKind;

    fn shell(script: &str) -> Process {
        Process::start(&["sh", "-c", script].map(String::from)).expect("starts")
    }

    #[test]
    fn the_last_words_are_heard_before_the_end() {
        let path = std::env::temp_dir().join(format!("isoform-last-words-{}", std::process::id()));
        let mut child = shell(&format!("while read word; do sleep 0.03; echo $word >> '{}'; done", path.display()));
        for word in [b"p0\n", b"q0\n"] {
            assert_eq!(child.write(word, Duration::from_secs(1)).expect("takes it"), 3);
        }
        drop(child);
        let heard = std::fs::read_to_string(&path).expect("was written");
        std::fs::remove_file(&path).expect("is there");
        assert_eq!(heard, "p0\nq0\n");
    }

    #[test]
    fn a_child_that_ends_is_told_with_its_status_and_its_last_words() {
        let told = |script: &str| {
            let mut link = Link::new(Box::new(shell(script)));
            let end = link.within(Duration::from_secs(10));
            link.line(64, "an identity", end).expect_err("it has ended")
        };
        let error = told("echo 'Traceback:\n  in line 3\nImportError: no module' >&2; exit 3");
        let text = error.to_string();
        assert!(text.contains("(exit status: 3; it said \"ImportError: no module\")"), "{text}");
        assert_eq!((error.kind(), error.is_disconnected()), (ErrorKind::Disconnected, true));
        let text = told("exit 0").to_string();
        assert!(text.starts_with("\"sh -c exit 0\" has ended (exit status: 0): run it"), "{text}");
        let text = told("kill -9 $$").to_string();
        assert!(text.contains("(signal: 9 (SIGKILL))"), "{text}");
        // of much that was said the end is told
        let text = told("i=0; while [ $i -lt 3 ]; do printf '%0500d\\n' $i >&2; i=$((i + 1)); done; exit 1").to_string();
        assert!(text.contains("it said \"00000"), "{text}");
        // one that only says no more has not ended
        let error = told("exec >&-; exec sleep 5");
        assert!(matches!(error, SerialError::HungUp { .. }), "{error}");
    }

    #[test]
    fn a_child_that_does_not_end_is_ended() {
        for script in ["exec sleep 100", "exec yes"] {
            let start = std::time::Instant::now();
            drop(shell(script));
            assert!(start.elapsed() < Duration::from_secs(10), "{script}");
        }
    }
}

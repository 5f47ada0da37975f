//! A child process that talks on its standard input and output.

use super::{Transport, WallClock, ended};
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

/// Pieces of output that wait for a reader; a child that says more waits too.
const PIECES: usize = 16;

/// How long a child has to hear the last that was said to it, and to end.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// How often its end is looked for.
const GLANCE: Duration = Duration::from_millis(2);

/// A child process that talks on its standard input and output. When this is dropped its standard input ends, and half a second later it is ended.
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

    /// Lets the child hear what was said to it, and that no more comes; ends it if it does not end by itself.
    fn end(&mut self) {
        let Some(Running { mut child, input, output, .. }) = self.running.take() else { return };
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
                Err(RecvTimeoutError::Disconnected) => return Err(ended()),
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
            Err(TrySendError::Disconnected(_)) => Err(ended()),
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
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()?;
        let (input, output) = match (child.stdin.take(), child.stdout.take()) {
            (Some(input), Some(output)) => (input, output),
            _ => return Err(ended()),
        };
        let (to, from) = sync_channel(PIECES);
        listen(output, to);
        let (input_to, input_from) = sync_channel(PIECES);
        speak(input, input_from);
        self.running = Some(Running { child, input: input_to, output: from, rest: VecDeque::new() });
        Ok(())
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

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
    fn a_child_that_does_not_end_is_ended() {
        for script in ["exec sleep 100", "exec yes"] {
            let start = std::time::Instant::now();
            drop(shell(script));
            assert!(start.elapsed() < Duration::from_secs(10), "{script}");
        }
    }
}

//! A twin behind a real line, for clients that are not ours.

use crate::transport::{Transport, Twin};
use std::collections::VecDeque;
use std::io;
use std::time::Duration;

/// How long the line is listened to before the twin is asked again.
const GLANCE: Duration = Duration::from_millis(20);
/// Bytes that wait for a client that does not read, more than the longest answer of any device has; older ones are dropped, as a cable would.
const BACKLOG: usize = 1 << 20;

/// Serves a twin at a line, on the clock of the line, until the client hangs up or somebody says stop.
///
/// # Errors
/// What the line says, other than that the client has hung up.
pub fn serve(twin: &mut dyn Twin, line: &mut dyn Transport, stop: &dyn Fn() -> bool) -> io::Result<()> {
    let mut out = VecDeque::new();
    let mut piece = [0; 4096];
    while !stop() {
        let now = line.now();
        twin.transmit(now, &mut out);
        out.drain(..out.len().saturating_sub(BACKLOG));
        let result = if out.is_empty() {
            let patience = twin.next().map_or(GLANCE, |next| next.saturating_sub(now).min(GLANCE));
            line.read(&mut piece, patience).map(|n| twin.receive(&piece[..n], line.now()))
        } else {
            // what the client says is heard even while it does not listen
            let (first, _) = out.as_slices();
            line.write(&first[..first.len().min(1024)], GLANCE).and_then(|n| {
                out.drain(..n);
                line.read(&mut piece, Duration::ZERO).map(|n| twin.receive(&piece[..n], line.now()))
            })
        };
        match result {
            Ok(()) => {}
            Err(e) if is_farewell(&e) => return Ok(()),
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

fn is_farewell(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::exchange::Exchange;
    use crate::link::Link;
    use crate::transport::{Port, Pty, Settings};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// Says back what it hears, in capitals.
    #[derive(Debug, Default)]
    struct Shout(VecDeque<u8>);

    impl Twin for Shout {
        fn receive(&mut self, bytes: &[u8], _: Duration) {
            self.0.extend(bytes.to_ascii_uppercase());
        }

        fn transmit(&mut self, _: Duration, out: &mut VecDeque<u8>) {
            out.append(&mut self.0);
        }

        fn next(&self) -> Option<Duration> {
            None
        }

        fn restart(&mut self, _: Duration) {
            self.0.clear();
        }
    }

    #[test]
    fn a_twin_stands_behind_a_port() {
        let mut pty = Pty::open().expect("a pseudo-terminal");
        let path = pty.path().to_owned();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let server = std::thread::spawn(move || {
            serve(&mut Shout::default(), &mut pty, &|| stopped.load(Ordering::Relaxed)).expect("serves")
        });
        for _ in 0..2 {
            // an even parity is dropped by pseudo-terminals, and must not matter
            let settings = Settings { baud: 921_600, parity: crate::transport::Parity::Even };
            let mut link = Link::new(Box::new(Port::open(&path, settings).expect("opens")));
            let exchange = Exchange::new("an answer", b"hello\n");
            assert_eq!(link.query(&exchange).expect("answers"), b"HELLO");
        }
        stop.store(true, Ordering::Relaxed);
        server.join().expect("ends");
    }
}

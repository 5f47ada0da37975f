//! A TCP connection.

use super::{Transport, WallClock, ended, received, taken};
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(3);

/// Below this the timeouts of the system are too coarse: they are counted in ticks of its clock, of up to ten milliseconds.
const COARSE: Duration = Duration::from_millis(20);
/// Between two looks at a stream that is not waited for by the system.
const GLANCE: Duration = Duration::from_micros(50);

/// A TCP connection.
#[derive(Debug)]
pub struct Tcp {
    address: String,
    stream: Option<TcpStream>,
    clock: WallClock,
    /// What the clock showed at first.
    start: Duration,
}

impl Tcp {
    /// Connects to `HOST:PORT`.
    ///
    /// # Errors
    /// If nobody listens there, or the name has no address.
    pub fn connect(address: &str) -> io::Result<Self> {
        let mut tcp = Self { address: address.to_owned(), stream: None, clock: WallClock::new(), start: Duration::ZERO };
        tcp.reopen()?;
        Ok(tcp)
    }

    /// A connection that somebody else has opened.
    ///
    /// # Errors
    /// If it has ended already.
    pub fn accepted(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self {
            address: stream.peer_addr()?.to_string(),
            stream: Some(stream),
            clock: WallClock::new(),
            start: Duration::ZERO,
        })
    }

    /// The same with a clock that shows a time now.
    #[must_use]
    pub fn starting_at(mut self, time: Duration) -> Self {
        self.start = time;
        self
    }

    /// Ends the connection.
    pub(super) fn hang_up(&mut self) {
        self.stream = None;
    }

    fn stream(&mut self) -> io::Result<&mut TcpStream> {
        self.stream.as_mut().ok_or_else(ended)
    }
}

/// Reads from a stream that does not block, for so long.
fn glance(stream: &mut TcpStream, into: &mut [u8], wait: Duration) -> io::Result<usize> {
    let start = Instant::now();
    loop {
        let read = received(stream.read(into), into.len());
        let left = wait.saturating_sub(start.elapsed());
        if !matches!(read, Ok(0)) || left.is_zero() {
            return read;
        }
        std::thread::sleep(left.min(GLANCE));
    }
}

impl Transport for Tcp {
    fn name(&self) -> String {
        self.address.clone()
    }

    fn read(&mut self, into: &mut [u8], wait: Duration) -> io::Result<usize> {
        let stream = self.stream()?;
        if wait < COARSE {
            stream.set_nonblocking(true)?;
            let read = glance(stream, into, wait);
            stream.set_nonblocking(false)?;
            return read;
        }
        stream.set_read_timeout(Some(wait))?;
        received(stream.read(into), into.len())
    }

    fn write(&mut self, bytes: &[u8], wait: Duration) -> io::Result<usize> {
        let stream = self.stream()?;
        stream.set_write_timeout(Some(wait.max(Duration::from_micros(100))))?;
        taken(stream.write(bytes))
    }

    fn now(&self) -> Duration {
        self.start + self.clock.now()
    }

    fn sleep(&mut self, time: Duration) {
        self.clock.sleep(time);
    }

    fn reopen(&mut self) -> io::Result<()> {
        self.stream = None;
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in self.address.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, CONNECT) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    self.stream = Some(stream);
                    return Ok(());
                }
                Err(e) => last = e,
            }
        }
        Err(last)
    }
}

//! Serves the twin of an instrument to other programs, on a TCP port of this computer or on a pseudo-terminal.
//!
//! ```text
//! cargo run -p isoform-devices --example serve -- photonic --pty
//! cargo run -p isoform-devices --example serve -- "photonic?modes=2&seed=7" --tcp 5025 --line 1
//! ```
//! The path, or the address, is printed on a line of its own once it can be opened; it is served until the program is ended. `--line` chooses
//! one of the lines of an instrument that has several, counted from nought.
#![forbid(unsafe_code)]

use isoform_core::error::Error;
use isoform_core::locator::Locator;
use isoform_devices::kinds::kind;
use isoform_serial::transport::Twin;
use std::collections::VecDeque;
use std::error::Error as AnyError;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

/// The longest that a twin is left alone, so that what it sends by itself is in time.
const BREATH: Duration = Duration::from_millis(2);

fn main() -> Result<(), Box<dyn AnyError>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let usage = "write: serve NAME[?OPTIONS] (--pty | --tcp PORT) [--line N]";
    let name = arguments.first().filter(|a| !a.starts_with("--")).ok_or(usage)?;
    let value = |flag: &str| arguments.iter().position(|a| a == flag).map(|at| arguments.get(at + 1));
    let line: usize = match value("--line") {
        None => 0,
        Some(text) => text.ok_or(usage)?.parse()?,
    };
    let mut twin = twin(name, line)?;
    match (arguments.iter().any(|a| a == "--pty"), value("--tcp")) {
        (true, None) => serve_terminal(twin.as_mut()),
        (false, Some(port)) => serve_tcp(twin.as_mut(), port.ok_or(usage)?.parse()?),
        _ => Err(usage.into()),
    }
}

/// The twin at one of the lines of an instrument.
fn twin(name: &str, line: usize) -> Result<Box<dyn Twin>, Error> {
    let locator: Locator = format!("twin:{name}").parse().map_err(Error::from)?;
    let kind = kind(locator.path())?;
    let mut options = locator.reader();
    let mut twins = (kind.twins)(&mut options)?;
    let known: Vec<&str> = kind.options.iter().map(|(name, _)| *name).collect();
    options.finish(&known)?;
    if line < twins.len() {
        Ok(twins.swap_remove(line))
    } else {
        Err(Error::not_found(format!("{} has {} lines, counted from nought", kind.name, twins.len())))
    }
}

fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

#[cfg(unix)]
fn serve_terminal(twin: &mut dyn Twin) -> Result<(), Box<dyn AnyError>> {
    use serialport::{SerialPort, TTYPort};
    let (mut device, host) = TTYPort::pair()?;
    device.set_timeout(BREATH)?;
    // the host's end stays open here, so that it does not vanish between two openings
    say(&host.name().ok_or("the pseudo-terminal has no name")?)?;
    let start = Instant::now();
    loop {
        serve(twin, &mut device, start)?;
    }
}

#[cfg(not(unix))]
fn serve_terminal(_: &mut dyn Twin) -> Result<(), Box<dyn AnyError>> {
    Err("there are no pseudo-terminals on this system; use --tcp".into())
}

fn serve_tcp(twin: &mut dyn Twin, port: u16) -> Result<(), Box<dyn AnyError>> {
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    say(&listener.local_addr()?.to_string())?;
    let start = Instant::now();
    loop {
        let (mut stream, _) = listener.accept()?;
        stream.set_read_timeout(Some(BREATH))?;
        stream.set_nodelay(true)?;
        // a host that goes away makes room for the next
        while serve(twin, &mut stream, start)? {}
    }
}

/// One round: what has come goes to the twin, what the twin says goes out. Gives whether the host is still there.
fn serve(twin: &mut dyn Twin, line: &mut (impl Read + Write), start: Instant) -> io::Result<bool> {
    let mut bytes = [0; 4096];
    match line.read(&mut bytes) {
        Ok(0) => return Ok(false),
        Ok(n) => twin.receive(&bytes[..n], start.elapsed()),
        Err(e) if matches!(e.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
        Err(e) if matches!(e.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => return Ok(false),
        Err(e) => return Err(e),
    }
    let mut out = VecDeque::new();
    twin.transmit(start.elapsed(), &mut out);
    match line.write_all(out.make_contiguous()) {
        Ok(()) => Ok(true),
        Err(e) if matches!(e.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => Ok(false),
        Err(e) => Err(e),
    }
}

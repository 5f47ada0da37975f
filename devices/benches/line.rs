//! What a line costs beyond a bare port, and what a board's protocol costs beyond its numbers.
//!
//! ```text
//! cargo bench -p isoform-devices --bench line
//! ```
//!
//! The round trip goes through a pseudo-terminal whose other end sends back what comes; bare port and [`Link`] take turns, block by block.
#![expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]

use isoform_core::error::Error;
use isoform_core::functions::li;
use isoform_core::locator::Locator;
use isoform_core::program::Program;
use isoform_core::semantics::Preset;
use isoform_core::session::Blocking;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::Run;
use isoform_devices::kinds::kind;
use isoform_serial::instrument::Instrument;
use isoform_serial::lines::Lines;
use isoform_serial::link::Link;
use isoform_serial::transport::{Faulty, Memory, Parity, Port, Pty, Settings, Transport as _};
use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

const MESSAGE: [u8; 64] = [0x55; 64];
const BLOCKS: usize = 40;
const TRIPS: usize = 250;

fn main() -> Outcome {
    round_trip()?;
    overhead()
}

/// A terminal that sends back what comes, until it is told to stop.
fn echo(stop: &Arc<AtomicBool>) -> Outcome<(String, std::thread::JoinHandle<()>)> {
    let mut pty = Pty::open()?;
    let (path, stop) = (pty.path().to_owned(), Arc::clone(stop));
    let serve = move || {
        let mut bytes = [0; 256];
        while !stop.load(Ordering::Relaxed) {
            if let Ok(n) = pty.read(&mut bytes, Duration::from_millis(50)) {
                let mut done = 0;
                while done < n {
                    done += pty.write(&bytes[done..n], Duration::from_millis(50)).unwrap_or(n);
                }
            }
        }
    };
    Ok((path, std::thread::spawn(serve)))
}

fn round_trip() -> Outcome {
    let stop = Arc::new(AtomicBool::new(false));
    let ((bare_path, bare_end), (link_path, link_end)) = (echo(&stop)?, echo(&stop)?);
    let mut bare = serialport::new(bare_path, 115_200).timeout(Duration::from_secs(1)).open()?;
    let port = Port::open(&link_path, Settings { baud: 115_200, parity: Parity::None })?;
    let mut link = Link::new(Box::new(port));
    let (mut bare_times, mut link_times) = (Vec::new(), Vec::new());
    for _ in 0..BLOCKS {
        for _ in 0..TRIPS {
            let (start, mut back) = (Instant::now(), [0; MESSAGE.len()]);
            bare.write_all(&MESSAGE)?;
            bare.read_exact(&mut back)?;
            bare_times.push(start.elapsed().as_secs_f64());
        }
        for _ in 0..TRIPS {
            let start = Instant::now();
            let deadline = link.within(Duration::from_secs(1));
            link.send(&MESSAGE, deadline)?;
            link.exactly(MESSAGE.len(), "an echo", deadline)?;
            link_times.push(start.elapsed().as_secs_f64());
        }
    }
    stop.store(true, Ordering::Relaxed);
    for end in [bare_end, link_end] {
        end.join().map_err(|_| "an echo has broken down")?;
    }
    let ([bare, bare_99], [link, link_99]) = (quantiles(&mut bare_times), quantiles(&mut link_times));
    println!(
        "64 bytes there and back: bare port {:.1} µs (99 %: {:.1}), link {:.1} µs ({:.1}), ratio {:.2}",
        1e6 * bare,
        1e6 * bare_99,
        1e6 * link,
        1e6 * link_99,
        link / bare
    );
    Ok(())
}

/// The median and the 99th percentile.
fn quantiles(times: &mut [f64]) -> [f64; 2] {
    times.sort_by(f64::total_cmp);
    [times[times.len() / 2], times[times.len() * 99 / 100]]
}

/// Bytes over the line of a board beyond those of the numbers in and out, for a block of 1,000 samples; its blocks and its checks are those
/// of the firmware on an ATmega2560.
fn overhead() -> Outcome {
    let locator: Locator = "twin:board".parse().map_err(Error::from)?;
    let kind = kind("board")?;
    let twin = || -> Outcome<_> { Ok((kind.twins)(&mut locator.reader())?.remove(0)) };
    let line = Faulty::new(Memory::new("the twin", twin()?), Vec::new(), twin()?);
    let observer = line.observer();
    let board = Instrument::open((kind.driver)(&mut locator.reader())?, Lines::one(Box::new(line)))?;
    let mut net = Program::builder();
    let x = net.input("x", [1]);
    let membrane = net.node("n", li().with("tau", 0.02), x);
    net.output("y", membrane);
    let mut session = Blocking::open(&board, &net.build(Preset::Exact.semantics(1e-3))?, &Run::new())?;
    let (x, mut y) = (vec![1.5; 1000], vec![0.0; 1000]);
    session.advance(Signal::Dense(&x), SignalMut::Dense(&mut y), 1000)?;
    let before = observer.tally();
    session.advance(Signal::Dense(&x), SignalMut::Dense(&mut y), 1000)?;
    let after = observer.tally();
    let bytes = (after.sent + after.received - before.sent - before.received) as f64;
    // a number of four bytes in, a number of four bytes out
    let payload = 8000.0;
    println!("1,000 samples in and out, {bytes} bytes for {payload} of numbers, {:+.1} %", 100.0 * (bytes / payload - 1.0));
    Ok(())
}

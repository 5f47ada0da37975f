//! The twin of the LUCIDAC in the network, for clients of other makers.
//!
//! cargo run -p isoform-devices --example serve_lucidac [PORT] [serial]
//!
//! Listens on the loopback, at 15733 unless told otherwise; one client at a time. With `serial` it speaks as at a serial port: it repeats what it
//! hears, and `socat PTY,link=/tmp/lucidac,raw,echo=0 TCP:127.0.0.1:15733` makes it one.

use isoform_devices::lucidac::twin::{Manner, Twin};
use isoform_serial::transport::Twin as _;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// How long a client may be silent before the twin speaks.
const BEAT: Duration = Duration::from_millis(2);

fn serve(mut client: TcpStream, twin: &mut Twin, start: Instant) -> io::Result<()> {
    client.set_read_timeout(Some(BEAT))?;
    client.set_nodelay(true)?;
    let mut piece = [0; 4096];
    let mut out = VecDeque::new();
    loop {
        match client.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(n) => twin.receive(&piece[..n], start.elapsed()),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {}
            Err(e) => return Err(e),
        }
        twin.transmit(start.elapsed(), &mut out);
        client.write_all(out.make_contiguous())?;
        out.clear();
    }
}

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn main() -> io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let port = words.iter().find_map(|w| w.parse::<u16>().ok()).unwrap_or(15_733);
    let is_serial = words.iter().any(|w| w == "serial");
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    println!("a LUCIDAC listens at 127.0.0.1:{}", listener.local_addr()?.port());
    let mut twin = Twin::new(Manner { is_serial, ..Manner::default() });
    let start = Instant::now();
    for client in listener.incoming() {
        if let Err(e) = serve(client?, &mut twin, start) {
            println!("a client has gone: {e}");
        }
    }
    Ok(())
}

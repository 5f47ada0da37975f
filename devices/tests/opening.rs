//! Nobody at a line: every driver gives up soon, however slow the line is.

use isoform_core::error::ErrorKind;
use isoform_core::locator::Locator;
use isoform_devices::kinds::kinds;
use isoform_serial::instrument::Instrument;
use isoform_serial::lines::Lines;
use isoform_serial::transport::Transport;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A line at whose other end nobody is. It takes a byte in this time, or none at all, and no time passes but that which is waited.
#[derive(Debug, Clone)]
struct Deserted {
    byte: Option<Duration>,
    now: Arc<Mutex<Duration>>,
}

impl Transport for Deserted {
    fn name(&self) -> String {
        String::from("a deserted line")
    }

    fn read(&mut self, _: &mut [u8], wait: Duration) -> io::Result<usize> {
        self.sleep(wait);
        Ok(0)
    }

    fn write(&mut self, bytes: &[u8], wait: Duration) -> io::Result<usize> {
        let fits = |byte: Duration| usize::try_from(wait.as_nanos() / byte.as_nanos()).unwrap_or(usize::MAX);
        let taken = self.byte.map_or(0, fits).min(bytes.len());
        let time = self.byte.map_or(wait, |byte| byte * u32::try_from(taken).unwrap_or(u32::MAX));
        self.sleep(time);
        Ok(taken)
    }

    fn pace(&self) -> Duration {
        self.byte.unwrap_or_default()
    }

    fn now(&self) -> Duration {
        *self.now.lock().expect("one thread")
    }

    fn sleep(&mut self, time: Duration) {
        *self.now.lock().expect("one thread") += time;
    }

    fn reopen(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_deserted_line_is_given_up_within_thirteen_seconds() {
    // 115200, 9600 and 300 baud, and a line that takes nothing
    for byte in [Some(87), Some(1042), Some(33_333), None] {
        for kind in kinds() {
            let byte = byte.map(Duration::from_micros);
            let line = Deserted { byte, now: Arc::default() };
            let lines =
                kind.lines.iter().fold(Lines::one(Box::new(line.clone())), |all, name| all.with(name, Box::new(line.clone())));
            let locator: Locator = format!("serial:/dev/none?device={}", kind.name).parse().expect("valid");
            let driver = (kind.driver)(&mut locator.reader()).expect("a driver");
            let error = Instrument::open(driver, lines).expect_err("nobody is there");
            let (name, took) = (kind.name, line.now());
            assert_eq!(error.kind(), ErrorKind::Timeout, "{name} at {byte:?} a byte: {error}");
            // and a breath of the line between two tries to send
            assert!(took < Duration::from_millis(13_100), "{name} at {byte:?} a byte: {took:?}");
        }
    }
}

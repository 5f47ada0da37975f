//! What a bench leaves behind: a generator that is off, whatever the line did.

use super::*;
use std::collections::VecDeque;
use std::sync::MutexGuard;

fn lock(twin: &Mutex<Box<dyn Twin>>) -> MutexGuard<'_, Box<dyn Twin>> {
    twin.lock().expect("nobody has failed while holding it")
}

/// A generator of whose uploads one loses bytes on the way.
#[derive(Debug)]
struct Loses {
    generator: Arc<Mutex<Box<dyn Twin>>>,
    /// The upload, counted from one.
    upload: usize,
    bytes: usize,
}

impl Twin for Loses {
    fn receive(&mut self, bytes: &[u8], now: Duration) {
        let is_upload = bytes.starts_with(b"TRAC:DATA ");
        self.upload = self.upload.saturating_sub(usize::from(is_upload));
        let lost = if is_upload && self.upload == 0 { std::mem::take(&mut self.bytes) } else { 0 };
        lock(&self.generator).receive(&bytes[..bytes.len() - lost], now);
    }

    fn transmit(&mut self, now: Duration, out: &mut VecDeque<u8>) {
        lock(&self.generator).transmit(now, out);
    }

    fn next(&self) -> Option<Duration> {
        lock(&self.generator).next()
    }

    fn restart(&mut self, now: Duration) {
        lock(&self.generator).restart(now);
    }
}

#[test]
fn a_generator_in_the_middle_of_a_block_is_switched_off() {
    // while the program is loaded an edge is played, and then the input
    for (upload, bytes) in [(1, 60), (2, 1), (2, 60)] {
        let locator: Locator = "twin:waveform?vmax=1".parse().expect("valid");
        let clock = VirtualClock::default();
        let [generator, scope] = <[Box<dyn Twin>; 2]>::try_from(twins(&mut locator.reader()).expect("twins")).expect("two");
        let generator = Arc::new(Mutex::new(generator));
        let loses = Loses { generator: Arc::clone(&generator), upload, bytes };
        let line = |name: &str, twin| Box::new(Memory::on(clock.clone(), name, twin));
        let lines = Lines::one(line("generator", Box::new(loses))).with("scope", line("scope", scope));
        let bench = Device::open(driver(&mut locator.reader()).expect("a driver"), lines).expect("opens");
        let program = program(1e-2, 1.0, Semantics::exact(DT));
        let ran = Blocking::open(&bench, &program, &Run::new()).and_then(|mut session| session.run(&[0.5; 64]));
        ran.expect_err("bytes were lost");
        let mut generator = lock(&generator);
        generator.receive(b"OUTP?\n", clock.now());
        let mut out = VecDeque::new();
        generator.transmit(clock.now() + Duration::from_secs(1), &mut out);
        assert_eq!(Vec::from(out), b"0\n", "{bytes} bytes of upload {upload}");
    }
}

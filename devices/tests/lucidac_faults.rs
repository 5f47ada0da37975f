//! What goes wrong on the line of the analog computer: a typed error or the right numbers, and a reset that recovers.

use isoform_core::builder::Builder;
use isoform_core::error::{ErrorKind, Result};
use isoform_core::functions::li;
use isoform_core::program::Program;
use isoform_core::semantics::Semantics;
use isoform_core::session::Blocking;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::Run;
use isoform_devices::lucidac::compile::Wish;
use isoform_devices::lucidac::driver::Lucidac;
use isoform_devices::lucidac::twin::{Manner, Twin};
use isoform_serial::instrument::Instrument;
use isoform_serial::lines::Lines;
use isoform_serial::transcript::{self, Entry, Head};
use isoform_serial::transport::{self, Fault, Faulty, Line, Memory, Mishap, Recorder, Scripted, Transport};
use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn program() -> Program {
    let mut net = Builder::new();
    let x = net.input("i", [1]);
    let v = net.node("membrane", li().with("tau", 20e-3).with("r", 0.5).with("v_leak", 0.1), x);
    net.output("v", v);
    net.build(Semantics::exact(1e-3)).expect("builds")
}

fn instrument(line: Box<dyn Transport>) -> Result<Instrument> {
    Instrument::open(Box::new(Lucidac::new(Wish::default())), Lines::one(line))
}

fn advance(session: &mut Blocking, x: f32, ticks: usize) -> Result<Vec<f32>> {
    let mut y = vec![0.0; ticks];
    session.advance(Signal::Held(&[x]), SignalMut::Dense(&mut y), ticks)?;
    Ok(y)
}

/// Two pieces of a run, and the session if there is one.
fn play(instrument: &Instrument, program: &Program) -> (Result<Vec<f32>>, Option<Blocking>) {
    match Blocking::open(instrument, program, &Run::new()) {
        Ok(mut session) => {
            let first = advance(&mut session, 3.0, 12);
            let both = first.and_then(|first| Ok([first, advance(&mut session, -1.0, 8)?].concat()));
            (both, Some(session))
        }
        Err(e) => (Err(e), None),
    }
}

#[test]
fn another_device_is_recognised() {
    let script = [
        Line::Host(b"\n".to_vec()),
        Line::Pause(Duration::from_millis(60)),
        Line::Host(b"{\"id\":\"1\",\"type\":\"help\",\"msg\":{}}\n".to_vec()),
        Line::Device(b"E11:00\n".to_vec()),
        Line::Pause(Duration::from_secs(60)),
    ];
    let error = instrument(Box::new(Scripted::new(script))).expect_err("another one");
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(error.to_string().contains("E11:00"), "{error}");
}

#[test]
fn a_machine_without_multipliers_is_no_lucidac() {
    let bare = r#"{"id":"2","type":"get_entities","msg":{"entities":{"04-E9":{"class":0,"/0":{"/M0":{},"/U":{},"/C":{},"/I":{}}}}},"code":0}"#;
    let script = [
        Line::Host(b"\n".to_vec()),
        Line::Pause(Duration::from_millis(60)),
        Line::Host(b"{\"id\":\"1\",\"type\":\"help\",\"msg\":{}}\n".to_vec()),
        Line::Device(b"{\"id\":\"1\",\"type\":\"help\",\"msg\":{},\"code\":0}\n".to_vec()),
        Line::Host(b"{\"id\":\"2\",\"type\":\"get_entities\",\"msg\":{}}\n".to_vec()),
        Line::Device(format!("{bare}\n").into_bytes()),
    ];
    let error = instrument(Box::new(Scripted::new(script))).expect_err("another one");
    assert!(error.to_string().contains("no LUCIDAC"), "{error}");
}

/// A file in memory.
#[derive(Debug, Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("one thread").write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A device that says its name to every line.
#[derive(Debug, Default)]
struct Other(VecDeque<u8>);

impl transport::Twin for Other {
    fn receive(&mut self, bytes: &[u8], _: Duration) {
        bytes.iter().filter(|&&b| b == b'\n').for_each(|_| self.0.extend(b"isoform,board,0,1\n"));
    }
    fn transmit(&mut self, _: Duration, out: &mut VecDeque<u8>) {
        out.append(&mut self.0);
    }
    fn next(&self) -> Option<Duration> {
        None
    }
    fn restart(&mut self, _: Duration) {}
}

#[test]
fn every_fault_ends_in_an_error_or_in_the_right_numbers() {
    let program = program();
    for is_serial in [true, false] {
        let manner = Manner { is_serial, ..Manner::default() };
        let twin = || Memory::new("twin", Box::new(Twin::new(manner)));
        let file = Shared::default();
        let head = Head { device: String::from("lucidac"), ..Head::default() };
        let recorder = Recorder::new(Box::new(twin()), head, Box::new(file.clone())).expect("memory");
        let right = play(&instrument(Box::new(recorder)).expect("opens"), &program).0.expect("runs");
        let transcript = transcript::read("", file.0.lock().expect("one thread").as_slice()).expect("reads");
        let bytes = |of: fn(&Entry) -> Option<&Vec<u8>>| -> Vec<u8> {
            transcript.entries.iter().filter_map(|(_, e)| of(e)).flatten().copied().collect()
        };
        let said = bytes(|e| if let Entry::Device(b) = e { Some(b) } else { None });
        let heard = bytes(|e| if let Entry::Host(b) = e { Some(b) } else { None });
        let is_sample = |at: usize| {
            let start = said[..at].iter().rposition(|&b| b == b'\n').map_or(0, |n| n + 1);
            said[start..].starts_with(b"{\"type\":\"run_data\"")
        };
        let (mut errors, mut clean, mut unseen) = (0, 0, 0);
        for &fault in Fault::ALL {
            let length = if fault.is_on_sent() { heard.len() } else { said.len() };
            for part in 0..60 {
                let at = (length * part / 60 + 7 * part) % length;
                let mishap = Mishap { fault, at: at as u64, bit: (part % 7) as u8 };
                let line = Faulty::new(twin(), vec![mishap], Box::new(Other::default()));
                let place = format!("{} at byte {at} of {length}, serial {is_serial}", fault.name());
                let Ok(instrument) = instrument(Box::new(line)) else {
                    errors += 1;
                    continue;
                };
                let (result, session) = play(&instrument, &program);
                match result {
                    Err(_) => errors += 1,
                    Ok(y) if y == right => clean += 1,
                    // a digit of a sample: the protocol has no check sum
                    Ok(_) if !fault.is_on_sent() && is_sample(at) => unseen += 1,
                    Ok(y) => panic!("{place}: silently {y:?} instead of {right:?}"),
                }
                // the last bytes of a clean run are those of closing, so that late faults strike only now: once
                let recovered = match session {
                    Some(mut session) => {
                        let mut again = || session.reset().and_then(|()| advance(&mut session, 3.0, 12));
                        again().or_else(|_| again())
                    }
                    None => play(&instrument, &program).0,
                };
                match recovered {
                    Ok(y) => assert_eq!(y[..12], right[..12], "{place}: after the reset"),
                    Err(e) => panic!("{place}: the reset does not recover: {e}"),
                }
            }
        }
        assert!(errors > 40 && clean > 40 && unseen < 12, "{errors} errors, {clean} clean, {unseen} unseen");
    }
}

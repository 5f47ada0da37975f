//! Layers around the oracle.

use isoform_core::error::{ErrorKind, Integrity, Result};
use isoform_core::functions::{li, lif};
use isoform_core::layer::record::Record;
use isoform_core::layer::replay::Replay;
use isoform_core::layer::{self, Clock, Timeout};
use isoform_core::oracle::OracleSubstrate;
use isoform_core::profile::Profile;
use isoform_core::program::Program;
use isoform_core::registry::{Entry, Registry};
use isoform_core::semantics::Semantics;
use isoform_core::session::Blocking;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::{Realization, Run, Substrate};
use std::future::Future;
use std::io::Write;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn registry() -> Registry {
    let mut registry = Registry::new();
    registry.register("oracle", Entry::new("the reference", |_, _| Ok(Arc::new(OracleSubstrate::new()))));
    layer::register(&mut registry);
    registry
}

fn leak() -> Program {
    let mut net = Program::builder();
    let x = net.input("x", [2]);
    let y = net.node("leak", li().with("tau", 10e-3), x);
    net.output("y", y);
    net.build(Semantics::exact(1e-3)).expect("valid")
}

#[test]
fn noise_has_the_deviation_that_it_declares() {
    let substrate = registry().open_str("noise:?on=(oracle:)&sigma=0.5").expect("opens");
    let mut session = Blocking::open(substrate.as_ref(), &leak(), &Run::new().with_seed(3)).expect("takes it");
    let y = session.run(&[0.0; 20_000]).expect("runs");
    let mean = y.iter().sum::<f32>() / 20_000.0;
    let deviation = (y.iter().map(|v| v * v).sum::<f32>() / 20_000.0).sqrt();
    // five standard errors: .5 / sqrt(20000) and .5 / sqrt(40000)
    assert!(mean.abs() < 0.0177 && (deviation - 0.5).abs() < 0.0125, "{mean} {deviation}");
}

#[test]
fn quantising_rounds_clips_and_counts() {
    let substrate = registry().open_str("quantise:?on=(oracle:)&step=0.25&range=0.5").expect("opens");
    let mut session = Blocking::open(substrate.as_ref(), &leak(), &Run::new()).expect("takes it");
    let mut y = [0.0; 2];
    let report = session.advance(Signal::Dense(&[4.0, 90.0]), SignalMut::Dense(&mut y), 1).expect("runs");
    // 4 (1 - e^-.1) = .381 lies nearer to .5 than to .25
    assert_eq!((y, report.clipped), ([0.5, 0.5], 1));
}

#[test]
fn an_option_that_is_missing_or_unknown_is_named() {
    for (locator, word) in [
        ("noise:?sigma=1", "on=(cpu:)"),
        ("noise:?on=(oracle:)", "sigma"),
        ("noise:?on=(oracle:)&sigma=1&x=2", "\"x\""),
        ("gone:", "noise:"),
        ("quantise:?on=(oracle:)&step=0.3&range=0.1", "holds no level but nought: give a range of 0.3 or more"),
    ] {
        let error = registry().open_str(locator).expect_err(locator).to_string();
        assert!(error.contains(word), "{error}");
    }
}

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("unpoisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn conversation(substrate: &dyn Substrate) -> Result<(Vec<f32>, Vec<f64>, String)> {
    let mut net = Program::builder();
    let x = net.input("x", [1]);
    let y = net.node("neuron", lif().with("tau", 2e-3).with("v_threshold", 0.5), x);
    net.output("y", y);
    let program = net.build(Semantics::exact(1e-3))?;
    let mut session = Blocking::open(substrate, &program, &Run::new())?;
    let y = session.run(&[1.0, 0.5, 2.0, 0.1])?;
    let state = session.save()?;
    session.reset()?;
    session.load(&state)?;
    let set = session.write("neuron", "tau", &[3e-3])?;
    let error = session.read("neuron", "weight").expect_err("is not there").to_string();
    Ok((y, set, error))
}

#[test]
fn a_recording_answers_as_the_substrate_did() {
    let buffer = Buffer::default();
    let record = Record::new(Arc::new(OracleSubstrate::new()), buffer.clone());
    let first = conversation(&record).expect("runs");
    let text = buffer.0.lock().expect("unpoisoned").clone();
    let replay = Replay::new(text.as_slice()).expect("reads");
    assert_eq!(conversation(&replay).expect("runs"), first);
    let replay = Replay::new(text.as_slice()).expect("reads");
    let mut session = Blocking::open(&replay, &leak(), &Run::new());
    assert_eq!(session.as_mut().expect_err("another program").kind(), ErrorKind::Protocol);
}

#[test]
fn a_spoilt_recording_is_refused_by_line() {
    assert!(Replay::new(&b"{}\n"[..]).expect_err("no line").to_string().contains("line 1"));
    assert_eq!(Replay::new(&b""[..]).expect_err("empty").kind(), ErrorKind::InvalidSignal);
}

#[derive(Debug)]
struct Monotonic(Instant);

impl Clock for Monotonic {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }
    fn sleep_until(&self, deadline: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let start = self.0;
        Box::pin(std::future::poll_fn(move |context| {
            if start.elapsed() >= deadline {
                return std::task::Poll::Ready(());
            }
            // each poll may bring another waker
            let waker = context.waker().clone();
            std::thread::spawn(move || {
                std::thread::sleep(deadline.saturating_sub(start.elapsed()));
                waker.wake();
            });
            std::task::Poll::Pending
        }))
    }
}

/// A substrate that never answers.
#[derive(Debug)]
struct Silent;

#[async_trait::async_trait]
impl Substrate for Silent {
    fn profile(&self) -> Arc<Profile> {
        Arc::new(Profile::digital("silent", "1"))
    }
    async fn realize(&self, _: &Program, _: &Run) -> Result<Box<dyn Realization>> {
        std::future::pending().await
    }
}

#[test]
fn silence_ends_at_the_deadline() {
    let clock = Arc::new(Monotonic(Instant::now()));
    let substrate = Timeout::new(Arc::new(Silent), Duration::from_millis(20), clock);
    let start = Instant::now();
    let error = Blocking::open(&substrate, &leak(), &Run::new()).expect_err("silent");
    assert_eq!((error.kind(), error.state()), (ErrorKind::Timeout, Integrity::Lost));
    assert!(start.elapsed() >= Duration::from_millis(20));
}

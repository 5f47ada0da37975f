//! A culture behind a child process: a program that keeps the protocol, programs that do not, and the simulator of Cortical Labs' API.

use isoform_conformance::statistics::permutation;
use isoform_core::error::{Error, ErrorKind, Integrity};
use isoform_core::session::Blocking;
use isoform_core::signal::{Event, Signal, SignalMut};
use isoform_core::substrate::Run;
use isoform_physics::culture::bridge::Bridge;
use isoform_physics::culture::electrodes::CHANNELS;
use isoform_physics::culture::program::program;
use isoform_physics::culture::response::{BINS, groups, histogram, order};
use std::time::Duration;

/// A child that answers each request by the next of these lines.
fn child(answers: &[&str]) -> Bridge {
    let script = answers.iter().map(|line| format!("read -r request; echo '{line}'; ")).collect::<String>();
    let script = format!("echo 'ready 1.0.0 64 25000'; {script} read -r request");
    Bridge::new(vec![String::from("sh"), String::from("-c"), script], Duration::from_secs(20))
}

fn open(bridge: &Bridge) -> Result<Blocking, Error> {
    Blocking::open(bridge, &program().expect("valid"), &Run::new())
}

fn pulse(tick: u32, channel: u32, value: f32) -> Event {
    Event { tick, batch: 0, channel, value }
}

fn advance(session: &mut Blocking, events: &[Event], ticks: usize) -> Result<(Vec<f32>, u64), Error> {
    let mut y = vec![0.0; ticks * CHANNELS];
    let report = session.advance(Signal::Events(events), SignalMut::Dense(&mut y), ticks)?;
    Ok((y, report.lost))
}

fn spikes(y: &[f32]) -> Vec<[usize; 2]> {
    (0..y.len()).filter(|&i| y[i] > 0.0).map(|i| [i / CHANNELS, i % CHANNELS]).collect()
}

#[test]
fn spikes_come_in_their_ticks_and_gaps_are_counted() {
    let mut session = open(&child(&["done 1000 1100 0:5 2:63 2:64 |", "done 1000 1100 0:5 2:63 |"])).expect("greets");
    assert_eq!(advance(&mut session, &[], 4).expect_err("no channel 64").kind(), ErrorKind::Protocol);
    let answers = ["done 1000 1100 0:5 2:1 2:63 |", "refused 3 is grounded", "done 1175 1225 | 1:9", "done 1225 1250 0:1 0:1 |"];
    let mut session = open(&child(&answers)).expect("greets");
    let (y, lost) = advance(&mut session, &[], 4).expect("an answer");
    assert_eq!((spikes(&y), lost), (vec![[0, 5], [2, 1], [2, 63]], 0));
    let error = advance(&mut session, &[pulse(0, 3, 1.0)], 2).expect_err("grounded");
    assert_eq!((error.kind(), error.state()), (ErrorKind::InvalidSignal, Integrity::Intact));
    let (y, lost) = advance(&mut session, &[pulse(1, 9, -1.5)], 2).expect("an answer");
    assert_eq!((spikes(&y), lost), (vec![], 3));
    let (y, lost) = advance(&mut session, &[], 1).expect("an answer");
    assert_eq!((spikes(&y), lost), (vec![[0, 1]], 0));
    assert_eq!(advance(&mut session, &[], 1).expect_err("it has ended").kind(), ErrorKind::Disconnected);
}

#[test]
fn what_breaks_the_protocol_is_named_and_the_state_is_lost() {
    for (answer, kind) in [
        ("done 1000 1051 |", ErrorKind::Protocol),
        ("done 1000 1050 1:5 0:5 |", ErrorKind::Protocol),
        ("done 1000 1050 2:5 |", ErrorKind::Protocol),
        ("done 1000 1050 | 0:9 1:9", ErrorKind::Protocol),
        ("done 1000 1050 | 1:9", ErrorKind::Protocol),
        ("done 1000 1050", ErrorKind::Protocol),
        ("hello", ErrorKind::Protocol),
        ("failed TimeoutError: late", ErrorKind::Fault),
    ] {
        let mut session = open(&child(&[answer])).expect("greets");
        let error = advance(&mut session, &[pulse(0, 9, 1.0)], 2).expect_err("broken");
        assert_eq!((error.kind(), error.state()), (kind, Integrity::Lost), "{answer}: {error}");
        assert!(session.reset().is_err(), "{answer}");
    }
}

/// A child that takes one block with one pulse, as it is written here and in no other way, and ends.
#[test]
fn after_a_child_has_ended_another_one_starts_with_a_clean_log() {
    let script = r#"echo 'ready 1.0.0 64 25000'; read -r request
        if [ "$request" = 'advance 2 1:9:-1.5' ]; then echo 'done 1000 1050 0:5 | 1:9'; else echo "failed $request"; fi"#;
    let bridge = Bridge::new(["sh", "-c", script].map(String::from).to_vec(), Duration::from_secs(20));
    let mut beside = open(&bridge).expect("greets");
    for round in 0..3 {
        let mut session = open(&bridge).expect("greets");
        // neither the clock of the one before nor its last pulse, 1 ms ago, is in the way: no tick is lost and no limit is passed
        let (y, lost) = advance(&mut session, &[pulse(1, 9, -1.5)], 2).expect("an answer");
        assert_eq!((spikes(&y), lost), (vec![[0, 5]], 0), "round {round}");
        let error = advance(&mut session, &[], 2).expect_err("it has ended");
        assert_eq!((error.kind(), error.state()), (ErrorKind::Disconnected, Integrity::Lost), "round {round}");
        // it stays so, and nothing brings it back but another one
        assert!(session.reset().is_err());
        assert!(advance(&mut session, &[], 2).is_err());
    }
    // one that was there all the time is none the wiser
    let (y, lost) = advance(&mut beside, &[pulse(1, 9, -1.5)], 2).expect("an answer");
    assert_eq!((spikes(&y), lost), (vec![[0, 5]], 0));
}

#[test]
fn a_clock_that_goes_back_is_no_clock() {
    let mut session = open(&child(&["done 1000 1050 |", "done 1049 1099 |"])).expect("greets");
    advance(&mut session, &[], 2).expect("an answer");
    assert_eq!(advance(&mut session, &[], 2).expect_err("back").kind(), ErrorKind::Protocol);
}

#[test]
fn a_pulse_beyond_the_limits_never_reaches_the_child() {
    let mut session = open(&child(&["done 1000 1250 | 2:9", "failed it was asked"])).expect("greets");
    let error = advance(&mut session, &[pulse(0, 9, 1.0), pulse(4, 9, 1.0)], 10).expect_err("250 Hz");
    assert_eq!((error.kind(), error.state()), (ErrorKind::InvalidSignal, Integrity::Intact));
    // the first answer is still to come
    advance(&mut session, &[pulse(2, 9, 1.0)], 10).expect("an answer");
}

#[test]
fn a_gap_before_a_pulse_does_not_let_the_next_one_through() {
    let answers = ["done 1000 1025 |", "done 3525 3550 | 0:9", "done 3550 3700 |", "done 3700 3725 | 0:9"];
    let mut session = open(&child(&answers)).expect("greets");
    advance(&mut session, &[], 1).expect("an answer");
    let (_, lost) = advance(&mut session, &[pulse(0, 9, -1.5)], 1).expect("an answer");
    assert_eq!(lost, 100);
    let error = advance(&mut session, &[pulse(0, 9, -1.5)], 1).expect_err("a millisecond after the last one");
    assert!(error.to_string().contains("200 Hz at most") && error.to_string().contains("1000"), "{error}");
    advance(&mut session, &[], 6).expect("an answer");
    advance(&mut session, &[pulse(0, 9, -1.5)], 1).expect("seven milliseconds after it");
}

#[test]
fn a_child_that_is_absent_silent_or_foreign_is_named() {
    let named = |command: &[&str], deadline| {
        let command = command.iter().map(ToString::to_string).collect();
        open(&Bridge::new(command, deadline)).expect_err("no culture").kind()
    };
    assert_eq!(named(&["no-such-program-of-isoform"], Duration::from_secs(1)), ErrorKind::NotFound);
    assert_eq!(named(&["sh", "-c", "read -r request"], Duration::from_millis(100)), ErrorKind::Timeout);
    assert_eq!(named(&["sh", "-c", "echo ready 1 32 25000; read -r request"], Duration::from_secs(20)), ErrorKind::Protocol);
    assert_eq!(named(&["sh", "-c", "exit 0"], Duration::from_secs(20)), ErrorKind::Disconnected);
}

/// The simulator draws its spikes and does not listen, so that the judge of responses must find none; all else is as on the machine.
#[test]
#[ignore = "needs Python 3.12 with cl-sdk 1.0.0: ISOFORM_CL_PYTHON=PATH cargo test -p isoform-physics --test culture_bridge -- --ignored"]
fn the_simulator_of_the_api_keeps_the_protocol_and_does_not_respond() {
    let python = std::env::var("ISOFORM_CL_PYTHON").expect("ISOFORM_CL_PYTHON names a Python 3.12 or later that has cl-sdk");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cl_bridge.py").to_owned();
    // virtual time and a seed: the spikes are nearly the same in every run
    let settings = ["env", "CL_SDK_ACCELERATED_TIME=1", "CL_SDK_RANDOM_SEED=1"].map(String::from);
    let bridge = Bridge::new(settings.into_iter().chain([python, script]).collect(), Duration::from_secs(60));
    let mut session = open(&bridge).expect("greets");
    let error = advance(&mut session, &[pulse(0, 7, 1.0)], 2).expect_err("a corner of the array");
    assert_eq!((error.kind(), error.state()), (ErrorKind::InvalidSignal, Integrity::Intact));
    let (mut heard, mut gaps, mut trials) = (0, 0, Vec::new());
    for stimulated in order(60, 1) {
        let pulses = [8, 27, 36, 54].map(|channel| pulse(2, channel, -1.5));
        let (y, lost) = advance(&mut session, if stimulated { &pulses } else { &[] }, 100).expect("the protocol is kept");
        let totals: Vec<f64> = y.chunks_exact(CHANNELS).map(|row| f64::from(row.iter().sum::<f32>())).collect();
        heard += spikes(&y).len();
        gaps += lost;
        trials.push((stimulated, histogram(&totals[2..])));
    }
    let [evoked, sham] = groups(&trials);
    let p = permutation::same(&[&evoked, &sham], BINS, 1);
    eprintln!("{heard} spikes in 6 s, {gaps} ticks between requests, p = {p}");
    assert!(heard > 100 && p > 0.01, "{heard} spikes, p = {p}");
}

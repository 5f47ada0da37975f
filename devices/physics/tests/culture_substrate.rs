//! The substrate `twin:culture` behind a session.

use isoform_core::error::{Error, ErrorKind, Integrity};
use isoform_core::executor::block_on;
use isoform_core::locator::Locator;
use isoform_core::session::{Blocking, Session};
use isoform_core::signal::{Event, Signal, SignalMut};
use isoform_core::substrate::{Run, Substrate};
use isoform_physics::culture::electrodes::CHANNELS;
use isoform_physics::culture::program::program;
use isoform_physics::culture::stimulation::{Limit, Refusal};
use isoform_physics::culture::{OPTIONS, open};
use proptest::prelude::*;
use std::error::Error as _;
use std::sync::Arc;

fn substrate(locator: &str) -> Result<Arc<dyn Substrate>, Error> {
    let locator: Locator = locator.parse()?;
    let mut options = locator.reader();
    let substrate = open(&mut options)?;
    options.finish(&OPTIONS.iter().map(|(key, _)| *key).collect::<Vec<_>>())?;
    Ok(substrate)
}

fn session(locator: &str, seed: u64) -> Blocking {
    let substrate = substrate(locator).expect("known options");
    let run = Run::new().with_seed(seed);
    block_on(Session::open(substrate.as_ref(), &program().expect("valid"), &run)).expect("fits").blocking()
}

fn pulse(tick: u32, channel: u32, value: f32) -> Event {
    Event { tick, batch: 0, channel, value }
}

fn advance(session: &mut Blocking, events: &[Event], ticks: usize) -> Result<Vec<f32>, Error> {
    let mut y = vec![0.0; ticks * CHANNELS];
    let report = session.advance(Signal::Events(events), SignalMut::Dense(&mut y), ticks)?;
    assert_eq!((report.ticks, report.lost, report.clipped), (ticks, 0, 0));
    Ok(y)
}

#[test]
fn options_that_stand_for_nothing_are_refused() {
    for (locator, says) in [
        ("twin:culture?source=brain", "expects \"culture\" or \"poisson\""),
        ("twin:culture?delays=yes", "expects \"off\" or \"on\""),
        ("twin:culture?source=poisson&plasticity=on", "leave the two options away"),
        ("twin:culture?colour=red", "colour"),
    ] {
        let error = substrate(locator).expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn seeds_choose_the_culture_and_the_run() {
    let spikes = |locator: &str, seed| advance(&mut session(locator, seed), &[], 100).expect("spikes");
    for control in ["", "&source=poisson", "&delays=on"] {
        let [first, second] = [1, 2].map(|seed| format!("twin:culture?seed={seed}{control}"));
        let run = spikes(&first, 1);
        assert!(run.iter().all(|&y| y == 0.0 || y == 1.0) && run.contains(&1.0));
        assert_eq!(spikes(&first, 1), run);
        assert_ne!(spikes(&second, 1), run);
        assert_ne!(spikes(&first, 2), run);
    }
}

#[test]
fn a_stimulus_beyond_the_limits_is_refused_whole() {
    let mut tried = session("twin:culture", 0);
    let mut quiet = session("twin:culture", 0);
    // the first pulse is within the limits, the second is too soon after it
    let error = advance(&mut tried, &[pulse(2, 5, -1.0), pulse(6, 5, 1.0)], 10).expect_err("too soon");
    assert_eq!((error.kind(), error.state(), error.node()), (ErrorKind::InvalidSignal, Integrity::Intact, Some("culture")));
    let cause = error.source().and_then(|s| s.downcast_ref::<Refusal>());
    assert_eq!(cause, Some(&Refusal::Limit { channel: 5, limit: Limit::Rate, value: 250.0 }));
    // more than 3 uA never reaches the substrate
    let error = advance(&mut tried, &[pulse(0, 0, 3.5)], 10).expect_err("too much");
    assert_eq!((error.kind(), error.state()), (ErrorKind::InvalidSignal, Integrity::Intact));
    assert_eq!(advance(&mut tried, &[], 50).expect("spikes"), advance(&mut quiet, &[], 50).expect("spikes"));
}

#[test]
fn the_rate_is_limited_across_calls() {
    let mut session = session("twin:culture?source=poisson", 0);
    advance(&mut session, &[pulse(3, 9, 1.0)], 4).expect("within the limits");
    assert!(advance(&mut session, &[pulse(3, 9, 1.0)], 4).is_err());
    advance(&mut session, &[], 4).expect("within the limits");
    advance(&mut session, &[pulse(0, 9, 1.0)], 4).expect("within the limits");
}

#[test]
fn a_culture_cannot_be_reset() {
    let mut session = session("twin:culture", 0);
    session.reset().expect("nothing has passed");
    advance(&mut session, &[], 1).expect("spikes");
    assert_eq!(session.reset().expect_err("refused").kind(), ErrorKind::Unsupported);
    assert_eq!(session.save().expect_err("refused").kind(), ErrorKind::Unsupported);
    advance(&mut session, &[], 1).expect("it goes on");
}

#[test]
fn time_passes_while_nobody_listens() {
    let mut session = session("twin:culture", 0);
    let mut listened = self::session("twin:culture", 0);
    let heard = advance(&mut listened, &[], 130).expect("spikes");
    advance(&mut session, &[], 30).expect("spikes");
    // half a tick is kept until another half makes it whole
    session.rest(0.0205).expect("passes");
    session.rest(0.0295).expect("passes");
    assert!((session.age().expect("a clock") - 0.08).abs() < 1e-9);
    let mut y = vec![0.0; 50 * CHANNELS];
    let report = session.advance(Signal::Events(&[]), SignalMut::Dense(&mut y), 50).expect("spikes");
    assert_eq!((report.ticks, report.lost), (50, 50));
    assert_eq!(y, heard[80 * CHANNELS..]);
    advance(&mut session, &[], 1).expect("nothing is lost twice");
}

#[test]
fn a_year_passes_at_once_unless_the_culture_learns() {
    const YEAR: f64 = 365.25 * 86_400.0;
    for locator in ["twin:culture?delays=on", "twin:culture?source=poisson"] {
        let mut session = session(locator, 0);
        session.rest(YEAR).expect("passes");
        assert!((session.age().expect("a clock") - YEAR).abs() < 1e-3);
        let mut y = vec![0.0; CHANNELS];
        let report = session.advance(Signal::Events(&[pulse(0, 3, 1.0)]), SignalMut::Dense(&mut y), 1).expect("spikes");
        assert_eq!(report.lost, 31_557_600_000);
    }
    let mut learning = session("twin:culture?plasticity=on", 0);
    assert_eq!(learning.rest(YEAR).expect_err("too long").kind(), ErrorKind::Unsupported);
    learning.rest(0.1).expect("passes");
    assert_eq!(learning.rest(1e300).expect_err("no clock").kind(), ErrorKind::InvalidSignal);
}

#[test]
fn the_exemplar_is_taken_and_the_promises_are_some() {
    for locator in ["twin:culture", "twin:culture?plasticity=on", "twin:culture?source=poisson"] {
        let substrate = substrate(locator).expect("known options");
        substrate.profile().medium.expect("promises").check().expect("they are");
        let [program] = &substrate.exemplars()[..] else { panic!("one exemplar") };
        let mut session = Blocking::open(substrate.as_ref(), program, &Run::new()).expect("fits");
        advance(&mut session, &[], 3).expect("spikes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// Chunks do not matter, whatever is stimulated.
    #[test]
    fn two_calls_are_one(cut in 0..60_usize, channel in 0..64_u32, current in prop_oneof![-3.0_f32..-0.1, 0.1_f32..3.0], at in 0..54_u32) {
        let events = [pulse(at, channel, current), pulse(at + 5, channel, -current)];
        let whole = advance(&mut session("twin:culture?delays=on", 3), &events, 60).expect("within the limits");
        let mut parts = session("twin:culture?delays=on", 3);
        let split = events.partition_point(|e| (e.tick as usize) < cut);
        let later: Vec<Event> = events[split..].iter().map(|e| Event { tick: e.tick - cut as u32, ..*e }).collect();
        let mut both = advance(&mut parts, &events[..split], cut).expect("within the limits");
        both.extend(advance(&mut parts, &later, 60 - cut).expect("within the limits"));
        prop_assert_eq!(both, whole);
    }
}

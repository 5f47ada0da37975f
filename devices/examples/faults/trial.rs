//! One session over a bad line, and what is asked of it.
//!
//! - Each call gives what a clean line gives, or an error of the line: no other kind, and no panic.
//! - An error that says that the state is intact leaves it so: the same call, made again, goes on from there.
//! - After an error that says that the state is lost, nothing but a reset is taken, and a reset brings the device back.
//! - No wait lasts more than a tenth of a second longer than it may.

use crate::subject::{Placed, Subject};
use isoform_core::error::{Error, ErrorKind, Integrity, Result};
use isoform_core::report::Report;
use isoform_core::session::Blocking;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::state::State;
use isoform_core::substrate::{Run, Substrate};
use isoform_serial::transport::Fault;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// A session with a source is over by then, in seconds.
const MINUTE: f64 = 60.0;
/// How much longer than it may a wait may last.
const LATE: Duration = Duration::from_millis(100);

/// What a clean line gives.
#[derive(Debug)]
pub(crate) struct Reference {
    /// The outputs of the whole session; of a source, all that can be heard in a minute.
    y: Vec<f32>,
    /// How far an output may be from them: thrice the furthest that clean sessions with other noise were, or what the profile declares.
    tolerance: f32,
    resets: bool,
    /// Bytes that passed over each line: from the device, to the device.
    pub(crate) bytes: Vec<[u64; 2]>,
    longest: Duration,
}

/// How a session over a bad line went.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) struck: usize,
    /// The first error.
    pub(crate) error: Option<ErrorKind>,
    /// Whether something wrong was given that nobody could see.
    pub(crate) unseen: Option<String>,
    pub(crate) failures: usize,
    pub(crate) longest: Duration,
    pub(crate) overrun: Duration,
    /// What must not be.
    pub(crate) violations: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Advance(usize),
    Save,
    Load,
    Reset,
}

/// Where a session stands.
#[derive(Default)]
struct Place {
    at: usize,
    saved: Option<(State, usize)>,
}

/// What an advance gave, and from which tick on.
struct Heard {
    from: usize,
    ticks: usize,
    y: Vec<f32>,
    report: Report,
}

impl Place {
    /// Takes a step; an advance gives what was heard.
    fn take(&mut self, step: Step, subject: &Subject, session: &mut Blocking) -> Result<Option<Heard>> {
        match step {
            Step::Advance(ticks) => {
                let (y, report) = advance(subject, session, self.at, ticks)?;
                let from = self.at;
                self.at += ticks;
                return Ok(Some(Heard { from, ticks, y, report }));
            }
            Step::Save => self.saved = Some((session.save()?, self.at)),
            Step::Load => {
                if let Some((state, then)) = &self.saved {
                    session.load(state)?;
                    self.at = *then;
                }
            }
            Step::Reset => {
                session.reset()?;
                self.at = 0;
            }
        }
        Ok(None)
    }
}

/// What one clean session gave.
struct Clean {
    y: Vec<f32>,
    resets: bool,
    bytes: Vec<[u64; 2]>,
    longest: Duration,
    declared: f64,
}

/// What is done in a session, as far as the device has what it takes.
fn script(subject: &Subject, session: &Blocking, resets: bool) -> Vec<Step> {
    let [first, second] = subject.pieces;
    let mut script = vec![Step::Advance(first)];
    if session.session().profile().facets.memory {
        script.extend([Step::Save, Step::Advance(second), Step::Load]);
    }
    script.extend((second > 0).then_some(Step::Advance(second)));
    script.extend(if resets { vec![Step::Reset, Step::Advance(first)] } else { Vec::new() });
    script
}

fn clean(subject: &Subject, seed: u64) -> Result<Clean> {
    let bench = subject.open(seed, &[])?;
    let instrument = bench.instrument?;
    let mut session = Blocking::open(&instrument, &subject.program, &Run::new())?;
    let (mut y, mut place, mut longest, mut resets) = (Vec::new(), Place::default(), Duration::ZERO, true);
    let height = subject.program.output_channels();
    for step in script(subject, &session, true) {
        let start = bench.clock.now();
        match place.take(step, subject, &mut session) {
            Ok(Some(heard)) => {
                // what was heard before is done again after a load or a reset
                let known = (y.len() - heard.from * height).min(heard.y.len());
                y.extend_from_slice(&heard.y[known..]);
            }
            Ok(None) => {}
            Err(_) if step == Step::Reset => {
                resets = false;
                break;
            }
            Err(e) => return Err(e),
        }
        longest = longest.max(bench.clock.now() - start);
    }
    let bytes = bench.observers.iter().map(|o| o.tally()).map(|t| [t.received, t.sent]).collect();
    Ok(Clean { y, resets, bytes, longest, declared: (subject.declared)(&instrument.profile()) })
}

/// Makes clean sessions.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a minute has few ticks, and signals are in single precision"
)]
pub(crate) fn reference(subject: &Subject) -> Result<Reference> {
    let Clean { mut y, resets, bytes, longest, declared } = clean(subject, 0)?;
    let mut spread = 0.0_f32;
    if let Some(truth) = subject.truth {
        y = (0..(MINUTE / subject.program.nodes()[0].semantics.dt) as u64).flat_map(truth).collect();
    } else {
        for seed in 1..=16 {
            spread = y.iter().zip(&clean(subject, seed)?.y).map(|(a, b)| (a - b).abs()).fold(spread, f32::max);
        }
    }
    Ok(Reference { y, tolerance: (3.0 * spread).max(declared as f32), resets, bytes, longest })
}

fn advance(subject: &Subject, session: &mut Blocking, at: usize, ticks: usize) -> Result<(Vec<f32>, Report)> {
    if subject.input.is_empty() {
        return session.listen(ticks);
    }
    let (width, height) = (subject.program.input_channels(), subject.program.output_channels());
    let mut y = vec![0.0; ticks * height];
    let report =
        session.advance(Signal::Dense(&subject.input[at * width..][..ticks * width]), SignalMut::Dense(&mut y), ticks)?;
    Ok((y, report))
}

/// Makes a session over a line on which things go wrong.
pub(crate) fn trial(subject: &Subject, reference: &Reference, mishaps: &[Placed]) -> Outcome {
    let attempt = || {
        let mut player = Player { subject, reference, budget: mishaps.len() + 2, out: Outcome::default() };
        player.play(mishaps);
        player.out
    };
    catch_unwind(AssertUnwindSafe(attempt))
        .unwrap_or_else(|_| Outcome { violations: vec![String::from("a panic")], ..Outcome::default() })
}

struct Player<'a> {
    subject: &'a Subject,
    reference: &'a Reference,
    /// How often a call may fail.
    budget: usize,
    out: Outcome,
}

impl Player<'_> {
    fn play(&mut self, mishaps: &[Placed]) {
        let bench = match self.subject.open(0, mishaps) {
            Ok(bench) => bench,
            Err(e) => return self.violates(format!("the twin is not made: {e}")),
        };
        match &bench.instrument {
            Ok(instrument) => {
                self.sessions(instrument, &|| bench.clock.now());
                self.out.overrun = instrument.latest();
            }
            Err(e) => {
                self.fails(e);
                self.out.longest = bench.clock.now();
            }
        }
        let struck: Vec<Fault> = bench.observers.iter().flat_map(|o| o.tally().struck).map(|m| m.fault).collect();
        self.out.struck = struck.len();
        if self.out.overrun > LATE {
            self.violates(format!("a wait lasts {:?} longer than it may", self.out.overrun));
        }
        // no call of a clean session lasts long; a bad one may wait for what it repeats
        let most = 20 * self.reference.longest + Duration::from_secs(60);
        if self.out.longest > most {
            self.violates(format!("a call lasts {:?}", self.out.longest));
        }
        let changes = |f: &Fault| {
            use Fault::{Drop, DropSent, Duplicate, DuplicateSent, Flip, FlipSent};
            matches!(f, Drop | DropSent | Duplicate | DuplicateSent | Flip | FlipSent)
        };
        let may_be_blind = self.subject.blind.is_some() && struck.iter().any(changes);
        if let Some(wrong) = self.out.unseen.clone().filter(|_| !may_be_blind) {
            self.violates(wrong);
        }
    }

    fn sessions(&mut self, instrument: &dyn Substrate, now: &dyn Fn() -> Duration) {
        while self.out.violations.is_empty() {
            let start = now();
            let opened = Blocking::open(instrument, &self.subject.program, &Run::new());
            self.out.longest = self.out.longest.max(now() - start);
            match opened {
                Ok(mut session) => {
                    if self.session(&mut session, now) {
                        return;
                    }
                }
                Err(e) => self.fails(&e),
            }
        }
    }

    /// Plays one session; gives whether it came to its end.
    fn session(&mut self, session: &mut Blocking, now: &dyn Fn() -> Duration) -> bool {
        let script = script(self.subject, session, self.reference.resets);
        let (mut step, mut place) = (0, Place::default());
        while let Some(&this) = script.get(step) {
            let start = now();
            let done = place.take(this, self.subject, session);
            self.out.longest = self.out.longest.max(now() - start);
            match done {
                Ok(heard) => {
                    if let Some(heard) = heard {
                        self.judge(&heard);
                    }
                    step += 1;
                }
                Err(e) => {
                    self.fails(&e);
                    if e.state() == Integrity::Lost {
                        if advance(self.subject, session, 0, 1).is_ok() {
                            self.violates(String::from("a lost state goes on"));
                        }
                        if !self.recovers(session) {
                            return false;
                        }
                        (step, place.at) = (0, 0);
                    }
                }
            }
            // what is wrong once may be wrong from then on
            if self.out.unseen.is_some() || !self.out.violations.is_empty() {
                return true;
            }
        }
        true
    }

    /// Brings a session back whose state is lost; gives whether it could, or has to be made anew.
    fn recovers(&mut self, session: &mut Blocking) -> bool {
        while self.out.violations.is_empty() {
            match session.reset() {
                Ok(()) => return true,
                // a medium that cannot be reset is realised anew
                Err(e) if e.kind() == ErrorKind::Unsupported => return false,
                Err(e) => self.fails(&e),
            }
        }
        false
    }

    fn judge(&mut self, Heard { from, ticks, y, report }: &Heard) {
        let (at, ticks) = (*from, *ticks);
        let height = self.subject.program.output_channels();
        if report.ticks != ticks || y.len() != ticks * height {
            return self.violates(format!("{} ticks of {ticks} are done without an error", report.ticks));
        }
        let whole = &self.reference.y;
        let agreed =
            |from: usize, tolerance: f32| y.iter().zip(&whole[from..]).take_while(|(a, b)| (*a - *b).abs() <= tolerance).count();
        let agreed = if self.subject.truth.is_none() {
            agreed(at * height, self.reference.tolerance)
        } else if report.lost > 0 {
            // what is lost is counted
            y.len()
        } else {
            // without a loss it is a piece of what the tissue does
            (0..whole.len() - y.len()).step_by(height).map(|from| agreed(from, 0.0)).max().unwrap_or(0)
        };
        if agreed < y.len() {
            let (tick, got) = (agreed / height, y[agreed]);
            self.out.unseen.get_or_insert(format!(
                "tick {tick} of {ticks} is silently {got}, where {:?} within {} was due",
                whole.get(at * height + agreed),
                self.reference.tolerance
            ));
        }
    }

    fn fails(&mut self, error: &Error) {
        self.out.failures += 1;
        self.out.error.get_or_insert(error.kind());
        if !matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Protocol | ErrorKind::Disconnected | ErrorKind::Fault) {
            self.violates(format!("a bad line is called {}: {error}", error.kind()));
        }
        if self.out.failures > self.budget {
            self.violates(format!("it does not recover: {error}"));
        }
    }

    fn violates(&mut self, what: String) {
        self.out.violations.push(what);
    }
}

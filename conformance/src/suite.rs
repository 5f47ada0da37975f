//! Running the laws on a substrate, judging what they left, and saying what may be claimed.

use crate::bench::{Bench, REFUSED_ITS_OWN, now};
use crate::chance::Chance;
use crate::law::{Law, Verdict, pending};
use crate::laws::{laws, peer_laws};
use crate::record::{Claim, Dossier, Evidence, Ledger, Level, Outcome, Provenance, Requirement, SCHEMA, SUITE, Status};
use crate::untried::{NOT_BEGUN, beyond, unmeasured, untried};
use crate::waiver::{self, Waiver};
use crate::watch::{Limit, Watched};
use isoform_core::error::{Error, ErrorKind, Result};
use isoform_core::profile::{Class, Profile};
use isoform_core::substrate::{Cancel, Substrate};
use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// How the suite is to be run.
pub struct Options<'a> {
    level: Level,
    laws: Vec<String>,
    seed: u64,
    budget: Option<Duration>,
    locator: String,
    started: String,
    notes: BTreeMap<String, String>,
    peers: Vec<(String, Arc<dyn Substrate>)>,
    waivers: Vec<Waiver>,
    stop: Cancel,
    progress: Option<&'a (dyn Fn(Progress<'_>) + 'a)>,
}

/// What happens during a run.
#[derive(Debug, Clone, Copy)]
pub enum Progress<'a> {
    /// A law is about to be tried.
    Started {
        /// Which.
        law: &'a Law,
        /// How many were tried before.
        done: usize,
        /// How many there are to try.
        of: usize,
    },
    /// A law was tried.
    Finished {
        /// What came out.
        outcome: &'a Outcome,
        /// How many were tried so far.
        done: usize,
        /// How many there are to try.
        of: usize,
    },
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> Options<'a> {
    /// All laws up to L4, seed nought, without a limit of time.
    #[must_use]
    pub fn new() -> Self {
        Self {
            level: Level::L4,
            laws: Vec::new(),
            seed: 0,
            budget: None,
            locator: String::new(),
            started: String::new(),
            notes: BTreeMap::new(),
            peers: Vec::new(),
            waivers: Vec::new(),
            stop: Cancel::default(),
            progress: None,
        }
    }

    /// The same up to another level.
    #[must_use]
    pub fn with_level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// The same with one law more, by its id; once one is named, only named ones are tried, whatever the level.
    #[must_use]
    pub fn with_law(mut self, id: impl Into<String>) -> Self {
        self.laws.push(id.into());
        self
    }

    /// The same with another seed of everything that is drawn.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The same with a limit of time; laws that it leaves no time for are inconclusive.
    #[must_use]
    pub fn with_budget(mut self, budget: Duration) -> Self {
        self.budget = Some(budget);
        self
    }

    /// The same with the locator of the substrate, for the record.
    #[must_use]
    pub fn with_locator(mut self, locator: impl Into<String>) -> Self {
        self.locator = locator.into();
        self
    }

    /// The same with the time of the start in RFC 3339, for the record.
    #[must_use]
    pub fn with_started(mut self, started: impl Into<String>) -> Self {
        self.started = started.into();
        self
    }

    /// The same with something else that the caller knows, for the record.
    #[must_use]
    pub fn with_note(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.notes.insert(name.into(), value.into());
        self
    }

    /// The same with another substrate and its locator: the laws between two substrates are then tried with it.
    #[must_use]
    pub fn with_peer(mut self, locator: impl Into<String>, peer: Arc<dyn Substrate>) -> Self {
        self.peers.push((locator.into(), peer));
        self
    }

    /// The same with a law that is known to be broken; see [`crate::waiver`].
    #[must_use]
    pub fn with_waiver(mut self, waiver: Waiver) -> Self {
        self.waivers.push(waiver);
        self
    }

    /// The same with a flag that ends the run: no law is begun after it is raised, and the law in progress is given up. What was found until
    /// then stands; everything else is inconclusive.
    #[must_use]
    pub fn with_stop(mut self, stop: Cancel) -> Self {
        self.stop = stop;
        self
    }

    /// The same with somebody to tell how it goes.
    #[must_use]
    pub fn with_progress(mut self, progress: &'a (dyn Fn(Progress<'_>) + 'a)) -> Self {
        self.progress = Some(progress);
        self
    }
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("level", &self.level)
            .field("laws", &self.laws)
            .field("seed", &self.seed)
            .field("budget", &self.budget)
            .field("locator", &self.locator)
            .field("peers", &self.peers)
            .finish_non_exhaustive()
    }
}

/// Tries laws on a substrate.
///
/// Laws are tried in a random order that the seed determines and `provenance.notes["order"]` names, level by level where there is a budget or
/// a cell may not bear all of them; outcomes stand in the order of the table. A law that might wear a cell out is not begun. A substrate that panics or fails inside a law makes that law an error, not the run.
///
/// # Errors
/// `NotFound` if a law was asked for that does not exist, naming those there are.
pub fn run(substrate: &dyn Substrate, options: &Options<'_>) -> Result<Dossier> {
    let profile = match catch_unwind(AssertUnwindSafe(|| substrate.profile())) {
        Ok(profile) => profile,
        Err(panic) => return Err(Error::fault(format!("the substrate panicked when asked for its profile: {}", text(&*panic)))),
    };
    let chosen = choose(options, profile.class)?;
    let mut order: Vec<usize> = (0..chosen.len()).collect();
    Chance::new(options.seed, "order").shuffle(&mut order);
    let start = Instant::now();
    let end = options.budget.map(|budget| now(substrate, start) + budget);
    let mut ledger = Ledger::default();
    // what may not come to its end begins with the lowest level, on which the others rest
    if options.budget.is_some() || beyond(&profile, &chosen, 0).is_some() {
        order.sort_by_key(|&index| chosen[index].level);
    }
    let mut found: Vec<Option<(Outcome, Evidence)>> = vec![None; chosen.len()];
    // laws without an answer, one after the other
    let mut unanswered: Vec<&str> = Vec::new();
    let tell = |progress: Progress<'_>| {
        if let Some(listener) = options.progress {
            listener(progress);
        }
    };
    for (done, &index) in order.iter().enumerate() {
        let law = chosen[index];
        tell(Progress::Started { law, done, of: chosen.len() });
        let late = if options.stop.is_raised() {
            Some("the run was stopped before its turn")
        } else {
            end.is_some_and(|end| now(substrate, start) >= end).then_some("the budget was spent before its turn")
        };
        let evidence = match (beyond(&profile, &[law], ledger.writes), late) {
            (Some(why), _) => unmeasured(law, &why),
            (None, Some(why)) => untried(substrate, law, (options.seed, &options.peers), why),
            (None, None) if unanswered.len() >= PATIENCE => {
                let why = format!("not begun: {} had no answer from the substrate", unanswered.join(", "));
                Evidence { law: law.id.to_owned(), broke_off: Some(why), ..Evidence::default() }
            }
            (None, None) => {
                let evidence = measure(substrate, law, options, (start, end), &mut ledger);
                if evidence.facts.contains_key(UNANSWERED) {
                    unanswered.push(law.id);
                } else {
                    unanswered.clear();
                }
                evidence
            }
        };
        let outcome = outcome(law, &evidence, &profile);
        tell(Progress::Finished { outcome: &outcome, done: done + 1, of: chosen.len() });
        found[index] = Some((outcome, evidence));
    }
    let (mut outcomes, evidence): (Vec<_>, Vec<_>) = found.into_iter().flatten().unzip();
    waiver::apply(&options.waivers, &options.started, &mut outcomes);
    let mut notes = options.notes.clone();
    if !options.peers.is_empty() {
        notes.insert(String::from("peers"), options.peers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" "));
    }
    notes.insert(String::from("order"), order.iter().map(|&i| chosen[i].id).collect::<Vec<_>>().join(" "));
    let provenance = Provenance {
        locator: options.locator.clone(),
        suite: env!("CARGO_PKG_VERSION").to_owned(),
        seed: options.seed,
        started: options.started.clone(),
        profile: (*profile).clone(),
        notes,
        waivers: options.waivers.clone(),
    };
    let claim = claim(&outcomes, profile.class, options.level);
    Ok(Dossier { schema: SCHEMA, provenance, asked: options.level, claim, outcomes, ledger, evidence })
}

/// Judges evidence again: the same outcomes and the same claim, with no substrate present.
#[must_use]
pub fn judge(dossier: &Dossier) -> Dossier {
    let profile = &dossier.provenance.profile;
    let known = |evidence: &Evidence| laws().iter().chain(peer_laws()).find(|law| law.id == evidence.law);
    let mut outcomes: Vec<Outcome> = Vec::with_capacity(dossier.outcomes.len());
    for evidence in &dossier.evidence {
        outcomes.push(match known(evidence) {
            Some(law) => outcome(law, evidence, profile),
            None => unknown(evidence),
        });
    }
    waiver::apply(&dossier.provenance.waivers, &dossier.provenance.started, &mut outcomes);
    let claim = claim(&outcomes, profile.class, dossier.asked);
    Dossier { outcomes, claim, ..dossier.clone() }
}

/// Tries one law and panics with the reason unless it holds or is about an ability that is not claimed: the body of a test.
///
/// # Panics
/// If the law does not hold.
pub fn assert_law(substrate: &dyn Substrate, id: &str) {
    let dossier = run(substrate, &Options::new().with_law(id)).unwrap_or_else(|e| panic!("{e}"));
    if dossier.outcomes.is_empty() {
        eprintln!("NOT OWED: {id} is impossible by nature for a substrate of class {}", substrate.profile().class);
    }
    for outcome in &dossier.outcomes {
        assert!(
            holds(outcome),
            "{} ({}) is {}: {}; figures: {:?}",
            outcome.law,
            outcome.title,
            outcome.status,
            outcome.reason,
            outcome.figures
        );
    }
}

/// What a run may claim: the highest level such that on it and below it every law that is owed holds.
///
/// An optional law counts once its ability is claimed: it then has to hold like any other. A level is claimed only if all of its
/// laws were tried and nothing that its class owes is [pending].
#[must_use]
pub fn claim(outcomes: &[Outcome], class: Class, asked: Level) -> Option<Claim> {
    let mut best = None;
    for &level in Level::ALL.iter().filter(|&&level| level <= asked) {
        let owed: Vec<&Law> = laws().iter().filter(|law| law.level == level).collect();
        let kept = owed.iter().all(|law| match (law.requirement)(class) {
            Requirement::Impossible => true,
            Requirement::Required | Requirement::Optional => outcomes.iter().any(|o| o.law == law.id && holds(o)),
        });
        let proven = outcomes.iter().any(|o| o.level == level && o.status == Status::Pass);
        if owed.is_empty() || !kept || !proven || pending(class, level).is_some() {
            break;
        }
        best = Some(Claim { class, level, suite: SUITE });
    }
    best
}

/// Whether an outcome does not stand in the way of a claim.
#[must_use]
pub fn holds(outcome: &Outcome) -> bool {
    match outcome.status {
        Status::Pass => true,
        Status::NotClaimed => outcome.requirement == Requirement::Optional,
        _ => false,
    }
}

/// Why nothing could be said of a substrate, where that is because it was opened to be something that not even the programs fit that it shows of
/// itself.
#[must_use]
pub fn refused_its_own(dossier: &Dossier) -> Option<&str> {
    let refused = |o: &Outcome| o.status == Status::Inconclusive && o.reason.contains(REFUSED_ITS_OWN);
    let first = dossier.outcomes.first()?;
    dossier.outcomes.iter().all(refused).then_some(first.reason.as_str())
}

/// The exit code of a run: 0 conforms, 1 does not, 3 inconclusive, 4 the substrate failed or was lost.
///
/// A run of named laws conforms if all of them hold and at least one passed; any other must claim the level that was asked for, and the
/// laws between it and its peers must hold where they were tried. A run of which nothing is broken but what is waived ends like one that
/// conforms, without its claim.
#[must_use]
pub fn exit_code(dossier: &Dossier) -> u8 {
    let any = |status: Status| dossier.outcomes.iter().any(|o| o.status == status);
    let class = dossier.provenance.profile.class;
    let whole = laws()
        .iter()
        .filter(|law| law.level <= dossier.asked && (law.requirement)(class) != Requirement::Impossible)
        .all(|law| dossier.outcomes.iter().any(|o| o.law == law.id));
    let between = |o: &&Outcome| peer_laws().iter().any(|law| law.id == o.law);
    let conforms = if whole {
        dossier.claim.is_some_and(|claim| claim.level >= dossier.asked) && dossier.outcomes.iter().filter(between).all(holds)
    } else {
        any(Status::Pass) && dossier.outcomes.iter().all(holds)
    };
    let accepted = |o: &Outcome| holds(o) || o.status == Status::Waived;
    let refuted = |o: &Outcome| !accepted(o) && o.status != Status::Inconclusive;
    if conforms || (any(Status::Waived) && dossier.outcomes.iter().all(accepted)) {
        0
    } else if dossier.outcomes.iter().any(|o| o.status == Status::Error && !waiver::is_needless(o)) {
        4
    } else if dossier.outcomes.iter().any(refuted) {
        1
    } else {
        3
    }
}

/// The laws that a run with these options tries on a substrate of a class.
///
/// # Errors
/// `NotFound` for a law that there is not, or that needs a peer.
pub fn choose(options: &Options<'_>, class: Class) -> Result<Vec<&'static Law>> {
    let there_is = |id: &str| laws().iter().chain(peer_laws()).any(|law| law.id.eq_ignore_ascii_case(id));
    for (place, waiver) in options.waivers.iter().enumerate() {
        if options.waivers[..place].iter().any(|other| other.law.eq_ignore_ascii_case(&waiver.law)) {
            return Err(Error::invalid_signal(format!("the law {} is waived twice: leave one of its waivers", waiver.law)));
        }
        if let Some(fault) = waiver.fault() {
            return Err(Error::invalid_signal(fault));
        }
        if !there_is(&waiver.law) {
            return Err(Error::not_found(format!("there is no law \"{}\" to waive; see isoform conform --laws", waiver.law)));
        }
    }
    for wanted in &options.laws {
        if options.peers.is_empty() && peer_laws().iter().any(|law| law.id.eq_ignore_ascii_case(wanted)) {
            return Err(Error::not_found(format!("the law {wanted} is about two substrates; name a peer")));
        }
        if !there_is(wanted) {
            let level = wanted.split('.').next().unwrap_or_default();
            let near: Vec<&str> = laws().iter().map(|law| law.id).filter(|id| id.split('.').next() == Some(level)).collect();
            let known = if near.is_empty() { String::new() } else { format!("of {level} there are {}; ", near.join(", ")) };
            return Err(Error::not_found(format!("there is no law {wanted:?}; {known}see isoform conform --laws")));
        }
    }
    let named = |law: &Law| options.laws.iter().any(|id| law.id.eq_ignore_ascii_case(id));
    let wanted = |law: &Law| if options.laws.is_empty() { law.level <= options.level } else { named(law) };
    let between = if options.peers.is_empty() { &[] } else { peer_laws() };
    let all = laws().iter().chain(between);
    let mut chosen: Vec<&Law> = all.filter(|law| wanted(law) && (law.requirement)(class) != Requirement::Impossible).collect();
    chosen.sort_by_key(|law| law.level);
    Ok(chosen)
}

/// Laws that look at the whole process, its clock or its memory, are alone in it.
static QUIET: RwLock<()> = RwLock::new(());

fn measure(
    substrate: &dyn Substrate,
    law: &Law,
    options: &Options<'_>,
    (begin, until): (Instant, Option<Duration>),
    ledger: &mut Ledger,
) -> Evidence {
    let alone = law.level >= Level::L3 && !law.statistical;
    let shared = (!alone).then(|| QUIET.read().unwrap_or_else(PoisonError::into_inner));
    let exclusive = alone.then(|| QUIET.write().unwrap_or_else(PoisonError::into_inner));
    let start = Instant::now();
    let mut evidence = Evidence { law: law.id.to_owned(), ..Evidence::default() };
    let limit = Limit::new(options.stop.clone(), options.budget.and_then(|budget| begin.checked_add(budget)));
    let watched = Watched::new(substrate, ledger.writes, limit.clone()).with_finite_outputs(law.statistical);
    // laws of cost time the substrate itself, unless that wears
    let wears = substrate.profile().medium.is_some_and(|medium| medium.endurance.is_some());
    let substrate: &dyn Substrate = if law.level == Level::L4 && !wears { substrate } else { &watched };
    let bench = Bench::new(substrate, options.seed, law.id).with_peers(&options.peers).with_end(begin, until);
    let measure = || catch_unwind(AssertUnwindSafe(|| (law.measure)(&bench, &mut evidence)));
    let result = watched.within_limit(measure);
    let ended = result.as_ref().is_ok_and(Result::is_ok);
    evidence.broke_off = match result {
        Ok(Ok(())) => None,
        Ok(Err(error)) if error.kind() == ErrorKind::Unsupported && (bench.is_foreign() || bench.home().is_err()) => {
            evidence.note("foreign", error.to_string());
            None
        }
        Ok(Err(error)) => {
            if matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Disconnected) {
                evidence.note(UNANSWERED, true);
            }
            Some(error.to_string())
        }
        Err(panic) => Some(format!("the substrate panicked: {}", text(&*panic))),
    };
    if let Some(why) = watched.spared() {
        evidence.broke_off = None;
        evidence.note("foreign", why);
    }
    if let Some(why) = limit.over().filter(|_| !ended) {
        evidence = unmeasured(law, why);
    }
    drop((shared, exclusive));
    evidence.seconds = start.elapsed().as_secs_f64();
    ledger.add(watched.ledger());
    evidence
}

/// The fact of a law that ended because no answer came.
const UNANSWERED: &str = "unanswered";
/// How many laws in a row may have no answer before no other is begun.
const PATIENCE: usize = 3;

fn outcome(law: &Law, evidence: &Evidence, profile: &Profile) -> Outcome {
    let verdict = if let Some(why) = &evidence.broke_off {
        Verdict::error(why.clone())
    } else if let Some(why) = evidence.fact::<String>(NOT_BEGUN) {
        Verdict::new(Status::Inconclusive, why)
    } else {
        // evidence may come from a file that somebody changed
        catch_unwind(AssertUnwindSafe(|| (law.judge)(evidence, profile)))
            .unwrap_or_else(|panic| Verdict::error(format!("the evidence cannot be judged: {}", text(&*panic))))
    };
    // what was seen before no program was found may break the law, but cannot prove it
    let verdict = match evidence.fact::<String>("foreign") {
        Some(why) if verdict.status != Status::Fail => Verdict::new(Status::Inconclusive, why),
        _ => verdict,
    };
    Outcome {
        law: law.id.to_owned(),
        title: law.title.to_owned(),
        level: law.level,
        requirement: (law.requirement)(profile.class),
        status: verdict.status,
        reason: verdict.reason,
        figures: verdict.figures,
        seconds: evidence.seconds,
    }
}

fn unknown(evidence: &Evidence) -> Outcome {
    Outcome {
        law: evidence.law.clone(),
        title: String::from("not a law of this version of the suite"),
        level: Level::L0,
        requirement: Requirement::Required,
        status: Status::Error,
        reason: String::from("this version of the suite has no such law"),
        figures: Vec::new(),
        seconds: evidence.seconds,
    }
}

fn text(panic: &(dyn std::any::Any + Send)) -> String {
    let known = panic.downcast_ref::<&str>().map(|s| (*s).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
    known.unwrap_or_else(|| String::from("without a message"))
}

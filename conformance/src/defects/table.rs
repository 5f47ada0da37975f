//! Which law catches which defect.

use super::{Defect, Faulty, PHYSICAL, PLANTED, Subject};
use crate::law::Law;
use crate::laws::{laws, peer_laws};
use crate::record::{Level, Status};
use crate::suite::{self, Options};
use isoform_core::substrate::Substrate;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The law that needs a healthy peer.
const MIGRATION: &str = "L1.migration";

/// One planted defect and what caught it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct DefectRow {
    /// The defect, in words.
    pub defect: &'static str,
    /// The law that has to catch it; none for the healthy layer.
    pub law: Option<&'static str>,
    /// The laws that did not hold.
    pub caught_by: Vec<&'static str>,
    /// Whether the law named caught it, or, for the healthy layer, none complained.
    pub caught: bool,
    /// What the law named said.
    pub reason: String,
}

impl Defect {
    /// Every defect, the healthy layer first: what it is, and the law that has to catch it.
    pub const TABLE: &'static [(Self, &'static str, Option<&'static str>)] = &[
        (Self::None, "none", None),
        (Self::ProfileChanges, "the profile is another one each time", Some("L0.descriptor")),
        (Self::DeniesFacet, "the profile denies a facet", Some("L0.honesty")),
        (Self::ClaimsFacet, "the profile claims a facet that is not there", Some("L0.honesty")),
        (Self::FailureAdvances, "a failed call advances the state", Some("L0.bad-input")),
        (Self::TakesAnything, "programs beyond the profile are taken", Some("L0.refusal")),
        (Self::ReopensDirty, "a second opening starts where the first was closed", Some("L0.reopen")),
        (Self::FailsSecond, "a second realization fails, but not as busy", Some("L0.two-realizations")),
        (Self::CancelIgnored, "cancelling is ignored", Some("L0.cancel")),
        (Self::SeedShows, "the seed shows where nothing is drawn", Some("L0.seed")),
        (Self::NamesAccepted, "a name that stands for nothing is accepted", Some("L0.names")),
        (Self::ResetLeavesResidue, "reset leaves 5 %", Some("L1.reset-histories")),
        (Self::ResetSkipsChannel, "reset skips a channel", Some("L1.reset")),
        (Self::LoadIgnoresBlock, "load ignores one block", Some("L1.branch")),
        (Self::LostBoundary, "lost chunk boundary", Some("L1.split")),
        (Self::StaleReply, "stale reply", Some("L1.split")),
        (Self::EmptyFails, "an advance by no ticks fails", Some("L1.empty-chunk")),
        (Self::TuningResets, "writing a parameter resets the state", Some("L1.theta")),
        (Self::TuningIgnored, "writing a parameter has no effect", Some("L1.theta")),
        (Self::LanesLeak, "lanes leak", Some("L1.lanes")),
        (Self::SharedState, "state shared by two handles", Some("L1.instances")),
        (Self::SavedTickLost, "saved states are numbered from nought", Some("L1.portability")),
        (Self::Offset, "an offset of 2 %", Some("L2.functions")),
        (Self::DroppedSample, "dropped sample", Some("L2.functions")),
        (Self::DuplicatedSample, "duplicated sample", Some("L2.time-shift")),
        (Self::PeeksAhead, "peeks at the future", Some("L2.causality")),
        (Self::CrossTalk, "cross-talk 2 %", Some("L2.cross-talk")),
        (Self::MergedInputs, "two inputs are one", Some("L2.capacity")),
        (Self::CountsReplaced, "counts replace what is there", Some("L2.signals")),
        (Self::HeldOnce, "a held input is only seen once", Some("L2.signals")),
        (Self::OtherCycleRule, "the other rule for cycles", Some("L2.cycles")),
        (Self::Gain, "gain +3 %", Some("L2.range")),
        (Self::LowRail, "rail lower than declared", Some("L2.range")),
        (Self::NanSwallowed, "what is not finite comes out as nought", Some("L2.overflow")),
        (Self::EulerAsExact, "Euler declared as exact", Some("L2.fingerprint")),
        (Self::LateByOne, "latency +1", Some("L2.fingerprint")),
        (Self::ZeroAsSubtract, "zero reset declared as subtract", Some("L2.fingerprint")),
        (Self::FiresAtThreshold, "fires at the threshold, declared as above", Some("L2.fingerprint")),
        (Self::SlowDrift, "slow drift", Some("L3.endurance")),
        (Self::Wearout, "worn out after a long run", Some("L3.reopen")),
        (Self::MemoryLeak, "memory leak", Some("L3.memory")),
        (Self::OverrideIgnored, "semantics of a single node are ignored", Some("L2.programs")),
        (Self::LoadsTwice, "the fourth load ignores a block", Some("L2.commands")),
        (Self::SwapsStates, "two states change places when saved and loaded", Some(MIGRATION)),
        (Self::Panics, "it panics in a long chunk", Some("L1.split")),
        (Self::LooseTable, "any error of a division is declared", Some("L0.descriptor")),
        (Self::DeadLanes, "lanes from the fourth on are dead", Some("L1.lanes")),
        (Self::OpensFromOther, "what is opened beside another starts from its state", Some("L1.instances")),
        (Self::WritesShared, "what is written to one shows in another", Some("L1.instances")),
        (Self::WeightsCached, "a weight that is written after its first use is ignored", Some("L1.theta")),
        (Self::DeadChannels, "channels from the 64th on are dead", Some("L2.functions")),
        (Self::Rail, "inputs saturate far within their range", Some("L2.functions")),
        (Self::DeafToLarge, "neurons of large thresholds never fire", Some("L2.functions")),
        (Self::FastDecaysLost, "membranes faster than a third of a tick keep nothing", Some("L2.functions")),
        (Self::RefusesPromised, "what the profile admits is refused", Some("L2.linear")),
        (Self::SeedIgnored, "draws do not depend on the seed", Some("L0.seed")),
        (Self::EventsOnce, "events of later chunks are lost", Some("L2.signals")),
        (Self::LeaksInSteps, "a leak in steps", Some("L3.memory")),
        (Self::DelaysShort, "delays are a tick too short", Some("L2.delays")),
        (Self::NestedGain, "neurons in graphs within the program are 3 % too strong", Some("L2.nested")),
        (Self::TausShort, "time constants 1 % too short", Some("L2.step")),
        (Self::Tires, "nothing comes out after 64 ticks", Some("L2.trains")),
    ];
}

/// Which laws a defect is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// The law that has to catch it.
    Alone,
    /// Every law up to the level of the one that has to catch it: what lies above proves nothing about that law.
    UpToItsLevel,
}

/// Makes a healthy substrate, on any thread.
type Healthy<'a> = &'a (dyn Fn() -> Arc<dyn Substrate> + Sync);

/// How many rows a self-test has.
#[must_use]
pub fn rows() -> usize {
    Defect::TABLE.len() + PLANTED.len() + PHYSICAL.len()
}

/// Runs the suite on every planted defect around a healthy substrate with the facets memory and tuning, telling each row as it comes.
///
/// Those of noisy media and of devices with physics of their own follow, each tried with its law alone. The healthy layer is tried with all
/// laws. Those that come to laws which measure time and memory are tried
/// one after the other, all others several at once where the healthy substrate has room for any number of programs.
#[must_use]
pub fn self_test(healthy: Healthy<'_>, tried: Tried, tell: &(dyn Fn(&DefectRow) + Sync)) -> Vec<DefectRow> {
    let attempt = |at: usize| {
        let (defect, words, expected) = Defect::TABLE[at];
        let row = try_defect((&Faulty::new(healthy(), defect), healthy), tried, words, expected);
        tell(&row);
        (at, row)
    };
    let (deep, quick): (Vec<usize>, Vec<usize>) = (0..Defect::TABLE.len()).partition(|&at| is_deep(Defect::TABLE[at].2));
    let next = AtomicUsize::new(0);
    let work = || {
        let taken = std::iter::from_fn(|| quick.get(next.fetch_add(1, Ordering::Relaxed)));
        taken.map(|&at| attempt(at)).collect::<Vec<_>>()
    };
    let roomy = healthy().profile().limits.realizations == usize::MAX;
    let threads = if roomy { std::thread::available_parallelism().map_or(1, NonZero::get) } else { 1 };
    let mut rows: Vec<(usize, DefectRow)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|w| w.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    rows.extend(deep.into_iter().map(attempt));
    rows.sort_by_key(|(at, _)| *at);
    let noisy = PLANTED.iter().chain(PHYSICAL).map(|subject| {
        let row = try_subject(subject, healthy());
        tell(&row);
        row
    });
    rows.into_iter().map(|(_, row)| row).chain(noisy).collect()
}

fn try_subject(subject: &Subject, healthy: Arc<dyn Substrate>) -> DefectRow {
    let options = subject.law.iter().fold(Options::new(), |options, id| options.with_law(*id));
    let (mut caught_by, mut reason) = (Vec::new(), String::new());
    match suite::run(subject.make(healthy).as_ref(), &options) {
        Ok(dossier) => {
            for outcome in &dossier.outcomes {
                reason.clone_from(&outcome.reason);
                if outcome.status == Status::Fail {
                    caught_by.extend(subject.law);
                }
            }
        }
        Err(error) => reason = error.to_string(),
    }
    DefectRow { defect: subject.name, law: subject.law, caught: !caught_by.is_empty(), caught_by, reason }
}

/// Whether it takes the laws of cost and of long runs to catch it.
fn is_deep(expected: Option<&str>) -> bool {
    expected.is_none_or(|id| id > "L3")
}

fn try_defect(
    (faulty, healthy): (&Faulty, Healthy<'_>),
    tried: Tried,
    words: &'static str,
    expected: Option<&'static str>,
) -> DefectRow {
    let level = expected.and_then(|id| laws().iter().chain(peer_laws()).find(|law| law.id == id)).map(|law| law.level);
    let mut options = Options::new().with_level(level.unwrap_or(Level::L4));
    if let (Tried::Alone, Some(id)) = (tried, expected) {
        options = options.with_law(id);
    }
    if expected.is_none_or(|id| id == MIGRATION) {
        options = options.with_peer("healthy", healthy());
    }
    let (mut caught_by, mut reason) = (Vec::new(), String::new());
    match suite::run(faulty, &options) {
        Ok(dossier) => {
            for outcome in dossier.outcomes.iter().filter(|o| !suite::holds(o) || o.status == Status::Error) {
                let law: Option<&Law> = laws().iter().chain(peer_laws()).find(|law| law.id == outcome.law);
                caught_by.extend(law.map(|law| law.id));
                if expected.is_none_or(|id| id == outcome.law) {
                    reason = outcome.reason.clone();
                }
            }
        }
        Err(error) => reason = error.to_string(),
    }
    let caught = match expected {
        Some(id) => caught_by.contains(&id),
        None => caught_by.is_empty() && reason.is_empty(),
    };
    DefectRow { defect: words, law: expected, caught_by, caught, reason }
}

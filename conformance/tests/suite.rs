//! The engine: claims, verdicts from evidence alone, refusals, and substrates that fail inside a law.

use async_trait::async_trait;
use isoform_conformance::defects::{Defect, Faulty};
use isoform_conformance::record::{Dossier, Level, Requirement, Status};
use isoform_conformance::waiver::Waiver;
use isoform_conformance::{Options, Progress, exit_code, judge, laws, output, run};
use isoform_core::error::{Error, ErrorKind, Result};
use isoform_core::oracle::OracleSubstrate;
use isoform_core::profile::{Class, Facets, Limits, Profile, Takes};
use isoform_core::program::Program;
use isoform_core::report::Report;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::{Cancel, Realization, Run, Substrate};
use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The oracle as a third party would wrap it: no facets, one neuron, few lanes.
#[derive(Debug)]
struct Bare {
    inner: OracleSubstrate,
    class: Class,
    neuron: &'static str,
}

impl Bare {
    fn new(class: Class) -> Self {
        Self { inner: OracleSubstrate::new(), class, neuron: "isoform.lif/1" }
    }
}

#[derive(Debug)]
struct Handle(Box<dyn Realization>);

#[async_trait]
impl Substrate for Bare {
    fn profile(&self) -> Arc<Profile> {
        let takes = Takes { nodes: vec![self.neuron.to_owned()], cycles: false, ..Takes::default() };
        let limits = Limits { input: [-4.0, 4.0], batch: 2, channels: 3, ticks: 50, ..Limits::default() };
        let profile = Profile::digital("bare", "1").with_takes(takes).with_limits(limits).with_class(self.class);
        Arc::new(profile.with_facets(Facets::default()))
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        self.profile().admit(program)?;
        Ok(Box::new(Handle(self.inner.realize(program, run).await?)))
    }
}

#[async_trait]
impl Realization for Handle {
    async fn advance(&mut self, x: Signal<'_>, y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        self.0.advance(x, y, ticks).await
    }

    async fn reset(&mut self) -> Result<()> {
        self.0.reset().await
    }
}

fn up_to(level: Level) -> Options<'static> {
    Options::new().with_level(level).with_seed(7).with_locator("oracle:").with_started("2026-01-01T00:00:00Z")
}

#[test]
fn the_oracle_claims_the_whole_suite_and_its_evidence_says_so_again() {
    let dossier = run(&OracleSubstrate::new(), &up_to(Level::L4)).expect("runs");
    for o in &dossier.outcomes {
        eprintln!("{:24} {:12} {:7.3} s  {}", o.law, o.status, o.seconds, o.reason);
    }
    assert_eq!(dossier.claim.map(|c| c.to_string()).as_deref(), Some("exact-digital/L4/1"));
    assert_eq!(exit_code(&dossier), 0);
    let owed = laws().iter().filter(|law| (law.requirement)(Class::ExactDigital) != Requirement::Impossible).count();
    assert_eq!(dossier.outcomes.len(), owed);
    let text = serde_json::to_string(&dossier.evidence).expect("serialises");
    let mut kept = dossier.clone();
    kept.evidence = serde_json::from_str(&text).expect("parses");
    kept.outcomes.clear();
    kept.claim = None;
    assert_eq!(judge(&kept), dossier);
}

#[test]
fn a_substrate_of_one_neuron_without_facets_conforms() {
    let dossier = run(&Bare::new(Class::ExactDigital), &up_to(Level::L4)).expect("runs");
    for o in &dossier.outcomes {
        eprintln!("{:24} {:12} {}", o.law, o.status, o.reason);
    }
    assert_eq!(dossier.claim.map(|c| c.level), Some(Level::L4));
    let status = |id: &str| dossier.outcomes.iter().find(|o| o.law == id).map(|o| o.status);
    let lacks = [
        "L0.names",
        "L1.branch",
        "L1.theta",
        "L1.portability",
        "L2.linear",
        "L2.cycles",
        "L2.range",
        "L2.overflow",
        "L2.pinched",
        "L3.calibration",
    ];
    for id in lacks {
        assert_eq!(status(id), Some(Status::NotClaimed), "{id}");
    }
    let unclaimed = dossier.outcomes.iter().filter(|o| o.status == Status::NotClaimed).count();
    assert_eq!(unclaimed, lacks.len());
}

#[test]
fn nothing_is_counted_where_nothing_spikes() {
    let membranes = Bare { neuron: "isoform.li/1", ..Bare::new(Class::ExactDigital) };
    let dossier = run(&membranes, &up_to(Level::L2).with_law("L2.signals")).expect("runs");
    assert_eq!(dossier.outcomes[0].status, Status::Pass, "{}", dossier.outcomes[0].reason);
    let pairs: Vec<&str> = dossier.evidence[0].samples.iter().map(|s| s.name.as_str()).collect();
    assert!(pairs.contains(&"simple/held") && !pairs.contains(&"simple/counts"), "{pairs:?}");
}

#[test]
fn a_failing_law_caps_the_claim_below_its_level() {
    let faulty = Faulty::new(Arc::new(OracleSubstrate::new()), Defect::CrossTalk);
    let dossier = run(&faulty, &up_to(Level::L2)).expect("runs");
    // portability and tuning are optional, but once claimed they have to hold
    assert_eq!(dossier.claim.map(|c| c.level), Some(Level::L0));
    assert_eq!(exit_code(&dossier), 1);
}

#[test]
fn a_panic_is_an_error_of_its_law_and_not_of_the_run() {
    let faulty = Faulty::new(Arc::new(OracleSubstrate::new()), Defect::Panics);
    let dossier = run(&faulty, &up_to(Level::L4).with_law("L1.split")).expect("runs");
    assert_eq!(dossier.outcomes[0].status, Status::Error);
    assert!(dossier.outcomes[0].reason.contains("a planted panic"), "{}", dossier.outcomes[0].reason);
    assert_eq!(exit_code(&dossier), 4);
}

#[test]
fn a_law_that_does_not_exist_is_not_found() {
    let error = run(&OracleSubstrate::new(), &Options::new().with_law("L1.nothing")).expect_err("refused");
    assert!(error.to_string().contains("L1.split"), "{error}");
}

#[test]
fn named_laws_are_tried_alone_and_claim_nothing() {
    let dossier = run(&OracleSubstrate::new(), &Options::new().with_law("l2.causality")).expect("runs");
    assert_eq!(dossier.outcomes.len(), 1);
    assert_eq!((dossier.claim, exit_code(&dossier)), (None, 0));
}

#[test]
fn the_seed_determines_the_order_and_the_evidence() {
    let order = |seed: u64| {
        let seen = RefCell::new(Vec::new());
        let note = |p: Progress<'_>| {
            if let Progress::Started { law, .. } = p {
                seen.borrow_mut().push(law.id);
            }
        };
        let options = Options::new().with_level(Level::L0).with_seed(seed).with_progress(&note);
        let dossier = run(&OracleSubstrate::new(), &options).expect("runs");
        let order = seen.borrow().join(" ");
        assert_eq!(dossier.provenance.notes.get("order"), Some(&order));
        order
    };
    assert_eq!(order(1), order(1));
    assert_ne!(order(1), order(2));
}

#[test]
fn a_spent_budget_is_inconclusive() {
    let options = up_to(Level::L1).with_budget(Duration::ZERO);
    let dossier = run(&OracleSubstrate::new(), &options).expect("runs");
    assert!(dossier.outcomes.iter().all(|o| o.status == Status::Inconclusive));
    assert_eq!((dossier.claim, exit_code(&dossier)), (None, 3));
}

#[test]
fn a_spent_budget_leaves_what_is_not_claimed_as_it_is() {
    let options = up_to(Level::L2).with_budget(Duration::ZERO);
    let dossier = run(&OracleSubstrate::new(), &options).expect("runs");
    let status = |id: &str| dossier.outcomes.iter().find(|o| o.law == id).map(|o| o.status);
    assert_eq!(status("L2.pinched"), Some(Status::NotClaimed));
    assert_eq!(status("L2.linear"), Some(Status::Inconclusive));
    assert_eq!(judge(&dossier), dossier);
}

#[test]
fn a_program_that_the_profile_admits_has_to_be_taken() {
    let refuses = Faulty::new(Arc::new(OracleSubstrate::new()), Defect::RefusesPromised);
    let dossier = run(&refuses, &Options::new().with_law("L2.linear")).expect("runs");
    let outcome = &dossier.outcomes[0];
    assert_eq!(outcome.status, Status::Fail, "{}", outcome.reason);
    assert!(outcome.reason.contains("the profile admits it") && outcome.reason.contains("today"), "{}", outcome.reason);
}

#[test]
fn the_figure_of_a_sample_that_was_changed_is_by_how_much() {
    let mut dossier = run(&OracleSubstrate::new(), &Options::new().with_law("L2.linear")).expect("runs");
    let sample = dossier.evidence[0].samples.iter_mut().find(|s| s.name == "dense/substrate").expect("is there");
    sample.values[0] += 1e-3;
    let outcome = &judge(&dossier).outcomes[0];
    let figure = outcome.figures.iter().find(|f| f.name == "largest error over its bound").expect("is there");
    assert!(figure.value > 10.0 && figure.value < 1e6, "{}", figure.value);
}

#[test]
fn laws_that_had_no_answer_are_named() {
    let dossier = run(&Silent, &up_to(Level::L0)).expect("runs");
    let order: Vec<&str> = dossier.provenance.notes["order"].split(' ').collect();
    let reason = |id: &str| dossier.outcomes.iter().find(|o| o.law == id).map_or("", |o| o.reason.as_str());
    assert_eq!(reason(order[3]), format!("not begun: {} had no answer from the substrate", order[..3].join(", ")));
}

/// Nobody answers.
#[derive(Debug)]
struct Silent;

#[async_trait]
impl Substrate for Silent {
    fn profile(&self) -> Arc<Profile> {
        Arc::new(Profile::digital("silent", "1"))
    }

    async fn realize(&self, _: &Program, _: &Run) -> Result<Box<dyn Realization>> {
        Err(Error::new(ErrorKind::Timeout, "no answer"))
    }
}

#[test]
fn a_class_that_owes_laws_of_a_later_version_does_not_claim_their_level() {
    let dossier = run(&Bare::new(Class::AnalogNoisy), &up_to(Level::L4)).expect("runs");
    assert_eq!(dossier.claim.map(|c| c.level), Some(Level::L0));
    assert!(dossier.outcomes.iter().all(|o| o.requirement != Requirement::Impossible));
    assert!(!dossier.outcomes.iter().any(|o| o.law == "L1.split"));
}

/// A source: no inputs, and none of the functions that the suite knows.
#[derive(Debug)]
struct Spring;

#[async_trait]
impl Substrate for Spring {
    fn profile(&self) -> Arc<Profile> {
        let takes = Takes { nodes: vec![String::from("somebody.source/1")], cycles: false, ..Takes::default() };
        Arc::new(Profile::digital("spring", "1").with_takes(takes).with_class(Class::FreeRunning))
    }

    async fn realize(&self, program: &Program, _: &Run) -> Result<Box<dyn Realization>> {
        self.profile().admit(program)?;
        Err(Error::fault("no program of the suite gets here"))
    }
}

#[test]
fn a_source_is_inconclusive_and_no_error() {
    let dossier = run(&Spring, &up_to(Level::L4)).expect("runs");
    assert_eq!((dossier.claim, exit_code(&dossier)), (None, 3));
    for outcome in &dossier.outcomes {
        let status = outcome.status;
        assert!(matches!(status, Status::Inconclusive | Status::NotClaimed), "{} is {status}: {}", outcome.law, outcome.reason);
    }
    assert_eq!(judge(&dossier), dossier);
}

#[test]
fn learning_is_never_claimed() {
    let dossier = run(&OracleSubstrate::new(), &up_to(Level::L5).with_budget(Duration::ZERO)).expect("runs");
    assert_eq!(dossier.claim, None);
    assert!(laws().iter().all(|law| law.level != Level::L5));
}

#[test]
fn evidence_that_was_damaged_is_an_error_and_no_panic() {
    let mut dossier = run(&OracleSubstrate::new(), &up_to(Level::L2)).expect("runs");
    for evidence in &mut dossier.evidence {
        evidence.samples.iter_mut().for_each(|s| s.values.truncate(1));
    }
    let judged = judge(&dossier);
    let passed: Vec<_> = judged.outcomes.iter().filter(|o| o.status == Status::Pass).map(|o| o.law.as_str()).collect();
    // what has answers and no records is left; two records of one number are still equal
    assert!(!passed.contains(&"L2.functions") && !passed.contains(&"L2.programs") && !passed.contains(&"L2.step"), "{passed:?}");
}

#[test]
fn a_run_that_is_stopped_keeps_what_it_found() {
    let stop = Cancel::default();
    let tell = |step: Progress<'_>| {
        if let Progress::Finished { done: 5, .. } = step {
            stop.raise();
        }
    };
    let dossier = run(&OracleSubstrate::new(), &up_to(Level::L1).with_stop(stop.clone()).with_progress(&tell)).expect("runs");
    let stopped: Vec<_> = dossier.outcomes.iter().filter(|o| o.reason.contains("the run was stopped")).collect();
    assert_eq!(stopped.len(), dossier.outcomes.len() - 5);
    assert!(stopped.iter().all(|o| o.status == Status::Inconclusive));
    assert_eq!((dossier.claim, exit_code(&dossier)), (None, 3));
    assert_eq!(judge(&dossier), dossier);
}

/// The oracle, at whose third call somebody loses patience.
#[derive(Debug)]
struct Slow(OracleSubstrate, Cancel);

#[async_trait]
impl Substrate for Slow {
    fn profile(&self) -> Arc<Profile> {
        self.0.profile()
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        let inner = self.0.realize(program, run).await?;
        Ok(Box::new(Slowly { inner, calls: 0, stop: self.1.clone() }))
    }
}

#[derive(Debug)]
struct Slowly {
    inner: Box<dyn Realization>,
    calls: usize,
    stop: Cancel,
}

#[async_trait]
impl Realization for Slowly {
    async fn advance(&mut self, x: Signal<'_>, y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        self.calls += 1;
        if self.calls == 3 {
            self.stop.raise();
        }
        assert!(self.calls <= 3, "nothing is asked of it after that");
        self.inner.advance(x, y, ticks).await
    }

    async fn reset(&mut self) -> Result<()> {
        self.inner.reset().await
    }

    isoform_core::hand_on_facets!(inner);
}

#[test]
fn a_law_in_progress_is_given_up() {
    let stop = Cancel::default();
    let options = Options::new().with_law("L1.split").with_stop(stop.clone());
    let dossier = run(&Slow(OracleSubstrate::new(), stop), &options).expect("runs");
    let outcome = &dossier.outcomes[0];
    assert_eq!((outcome.status, outcome.reason.as_str()), (Status::Inconclusive, "the run was stopped amid it"));
}

/// A device that takes an hour for each call, and stops when it is asked to.
#[derive(Debug)]
struct Hours(OracleSubstrate);
#[derive(Debug)]
struct Waiting(Box<dyn Realization>, Cancel);

#[async_trait]
impl Substrate for Hours {
    fn profile(&self) -> Arc<Profile> {
        self.0.profile()
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        Ok(Box::new(Waiting(self.0.realize(program, run).await?, run.cancel.clone())))
    }
}

#[async_trait]
impl Realization for Waiting {
    async fn advance(&mut self, _: Signal<'_>, _: SignalMut<'_>, _: usize) -> Result<Report> {
        let start = Instant::now();
        while !self.1.is_raised() && start.elapsed() < Duration::from_secs(3600) {
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(Report::of(0))
    }

    async fn reset(&mut self) -> Result<()> {
        self.0.reset().await
    }
}

#[test]
fn a_budget_ends_what_takes_longer() {
    let start = Instant::now();
    let options = Options::new().with_level(Level::L1).with_budget(Duration::from_millis(300));
    let dossier = run(&Hours(OracleSubstrate::new()), &options).expect("runs");
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    let said: Vec<&str> = dossier.outcomes.iter().map(|o| o.reason.as_str()).collect();
    assert!(said.contains(&"the budget was spent amid it") && said.contains(&"the budget was spent before its turn"), "{said:?}");
    assert!(
        dossier.outcomes.iter().all(|o| matches!(o.status, Status::Inconclusive | Status::Pass | Status::NotClaimed)),
        "{said:?}"
    );
}

fn waiver(law: &str, until: &str) -> Waiver {
    let [law, reason, who, until] = [law, "the driver is known to be late", "the lab", until].map(String::from);
    Waiver { law, reason, who, until }
}

#[test]
fn what_is_waived_is_broken_and_accepted() {
    let faulty = || Faulty::new(Arc::new(OracleSubstrate::new()), Defect::Gain);
    let tried = |waivers: &[&str]| {
        let options = Options::new().with_started("2026-06-01T00:00:00Z").with_law("L2.functions").with_law("L0.seed");
        let options = waivers.iter().fold(options, |options, until| options.with_waiver(waiver("L2.functions", until)));
        run(&faulty(), &options).expect("runs")
    };
    let status = |dossier: &Dossier| dossier.outcomes.iter().find(|o| o.law == "L2.functions").map(|o| o.status);
    let plain = tried(&[]);
    assert_eq!((status(&plain), exit_code(&plain)), (Some(Status::Fail), 1));
    let waived = tried(&["2026-06-01"]);
    assert_eq!((status(&waived), exit_code(&waived), waived.claim), (Some(Status::Waived), 0, None));
    assert_eq!(judge(&waived), waived);
    let over = tried(&["2026-05-31"]);
    assert_eq!((status(&over), exit_code(&over)), (Some(Status::Fail), 1));
    assert!(over.outcomes.iter().any(|o| o.reason.ends_with("the waiver of the lab was until 2026-05-31")));
}

#[test]
fn a_waiver_of_what_holds_is_an_error() {
    let options =
        Options::new().with_started("2026-06-01T00:00:00Z").with_law("L0.seed").with_waiver(waiver("l0.seed", "2027-01-01"));
    let dossier = run(&OracleSubstrate::new(), &options).expect("runs");
    assert_eq!((dossier.outcomes[0].status, exit_code(&dossier)), (Status::Error, 1));
    assert!(dossier.outcomes[0].reason.starts_with("it holds, and is waived until 2027-01-01"));
    let told = output::Verdict::of(&dossier).obstacle;
    assert!(told.contains("L0.seed is not as its waiver says: it holds, and is waived until 2027-01-01"), "{told}");
    for (law, until, why) in
        [("L0.seed", "soon", "which is no day"), ("L0.sed", "2027-01-01", "there is no law"), (" ", "2027-01-01", "has no law")]
    {
        let refused = run(&OracleSubstrate::new(), &Options::new().with_waiver(waiver(law, until))).expect_err("is refused");
        assert!(refused.to_string().contains(why), "{refused}");
    }
    // of two waivers of one law one would say what the other does not
    let twice = ["L0.seed", "l0.seed"].iter().fold(Options::new(), |o, law| o.with_waiver(waiver(law, "2027-01-01")));
    let refused = run(&OracleSubstrate::new(), &twice).expect_err("is refused").to_string();
    assert!(refused.contains("the law l0.seed is waived twice: leave one of its waivers"), "{refused}");
}

//! Calibrations, clipped samples and ages in reports, and the law of calibration on substrates that keep to it and that do not.

use async_trait::async_trait;
use isoform_conformance::output::{html, json, junit, table};
use isoform_conformance::record::{Dossier, Status};
use isoform_conformance::{Options, judge, run};
use isoform_core::calibration::{Calibration, Certificate};
use isoform_core::error::{Error, ErrorKind, Result};
use isoform_core::oracle::OracleSubstrate;
use isoform_core::profile::{Facets, Profile};
use isoform_core::program::Program;
use isoform_core::report::Report;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::{Realization, Rest, Run, Substrate};
use std::sync::Arc;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Habit {
    /// It does what it says.
    Honest,
    /// It works on when its calibration is over.
    Careless,
    /// It makes no new calibration.
    Stuck,
}

/// The oracle with a calibration that holds for ten seconds, and one clipped sample a call.
#[derive(Debug)]
struct Dated(Habit);

#[derive(Debug)]
struct Dating {
    inner: Box<dyn Realization>,
    habit: Habit,
    dt: f64,
    now: f64,
    made: f64,
}

const VALID: f64 = 10.0;

impl Dating {
    fn in_force(&self) -> Certificate {
        Certificate {
            id: Certificate::id_of(&[self.made]),
            method: String::from("a date"),
            age: self.now - self.made,
            valid: VALID,
            before: 0.5,
            after: 0.25,
        }
    }
}

#[async_trait]
impl Substrate for Dated {
    fn profile(&self) -> Arc<Profile> {
        let below = OracleSubstrate::new().profile();
        Arc::new(Profile { facets: Facets { calibration: true, rest: true, ..Facets::default() }, ..(*below).clone() })
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        let inner = OracleSubstrate::new().realize(program, run).await?;
        Ok(Box::new(Dating { inner, habit: self.0, dt: program.semantics().dt, now: 3.0, made: 3.0 }))
    }
}

#[async_trait]
impl Realization for Dating {
    async fn advance(&mut self, x: Signal<'_>, y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        if self.habit != Habit::Careless {
            self.in_force().check()?;
        }
        let report = self.inner.advance(x, y, ticks).await?;
        self.now += ticks as f64 * self.dt;
        Ok(Report { clipped: 1, ..report })
    }

    async fn reset(&mut self) -> Result<()> {
        self.inner.reset().await
    }

    fn calibration(&mut self) -> Option<&mut dyn Calibration> {
        Some(self)
    }

    fn rest(&mut self) -> Option<&mut dyn Rest> {
        Some(self)
    }
}

#[async_trait]
impl Calibration for Dating {
    async fn calibrate(&mut self) -> Result<Certificate> {
        if self.habit == Habit::Stuck {
            return Err(Error::new(ErrorKind::Calibration, "nothing fits"));
        }
        self.made = self.now;
        Ok(self.in_force())
    }

    async fn certificate(&mut self) -> Result<Option<Certificate>> {
        Ok(Some(self.in_force()))
    }
}

#[async_trait]
impl Rest for Dating {
    async fn rest(&mut self, seconds: f64) -> Result<()> {
        self.now += seconds;
        Ok(())
    }

    async fn age(&mut self) -> Result<f64> {
        Ok(self.now)
    }
}

fn tried(substrate: &dyn Substrate, law: &str) -> Dossier {
    run(substrate, &Options::new().with_law(law)).expect("runs")
}

#[test]
fn a_calibration_is_held_to_its_date() {
    for (habit, status, why) in [
        (Habit::Honest, Status::Pass, "6 answers are as they must be"),
        (Habit::Careless, Status::Fail, "a tick under a calibration whose time is over: accepted instead of calibration"),
        (Habit::Stuck, Status::Fail, "a new calibration: calibration instead of accepted"),
    ] {
        let dossier = tried(&Dated(habit), "L3.calibration");
        let outcome = &dossier.outcomes[0];
        assert_eq!((outcome.status, outcome.reason.as_str()), (status, why), "{habit:?}");
        assert_eq!(judge(&dossier).outcomes, dossier.outcomes);
    }
    let dossier = tried(&OracleSubstrate::new(), "L3.calibration");
    assert_eq!(dossier.outcomes[0].status, Status::NotClaimed);
}

#[test]
fn every_report_names_the_calibration_and_counts_what_was_clipped() {
    let dossier = tried(&Dated(Habit::Honest), "L1.split");
    let [certificate] = dossier.ledger.calibrations.as_slice() else { panic!("{:?}", dossier.ledger) };
    assert_eq!(certificate.id, Certificate::id_of(&[3.0]));
    assert!(certificate.age > 0.0 && certificate.age < VALID, "{certificate:?}");
    assert!(dossier.ledger.clipped > 0 && dossier.ledger.samples > dossier.ledger.clipped);
    assert_eq!(dossier.ledger.age, Some(3.0));
    let id = &certificate.id[..12];
    let clipped = format!("{} clipped of {}", dossier.ledger.clipped, dossier.ledger.samples);
    let wide = table(&dossier, isoform_conformance::output::Style::default().with_width(300));
    for report in [wide, html(&dossier, &isoform_conformance::output::Page::default()), junit(&dossier).expect("is XML")] {
        for text in [format!("{id}, up to "), String::from("holds for 10 s; rms error 0.5 before, 0.25 after"), clipped.clone()] {
            assert!(report.contains(&text), "{text:?} is missing in {report}");
        }
    }
    let json = json(&dossier).expect("is JSON");
    assert!(json.contains(&format!("\"id\": \"{}\"", certificate.id)) && json.contains("\"clipped\": "), "{json}");
    let none = tried(&OracleSubstrate::new(), "L1.split");
    assert!(junit(&none).expect("is XML").contains("none; the substrate cannot be calibrated"));
    assert_eq!((none.ledger.clipped, none.ledger.age), (0, None));
}

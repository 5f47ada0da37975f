//! Every driver behind a bad line: each fault alone, and sequences of them.
//!
//! ```text
//! cargo run --release -p isoform-devices --example faults                # 1,000 sequences for each driver
//! cargo run -p isoform-devices --example faults -- --sequences 20        # a short one
//! cargo run -p isoform-devices --example faults -- --only board --seed 7
//! ```
//!
//! Devices are twins on virtual clocks, so that a stall of ten seconds takes no time. The exit code is 1 if anything was wrong.
#![expect(clippy::print_stdout, reason = "a command says what it found")]

mod subject;
mod trial;

use clap::{CommandFactory, Parser};
use isoform_core::draw::Key;
use isoform_core::error::Result;
use isoform_serial::transport::{Fault, Mishap};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;
use subject::{Placed, Subject, subjects};
use trial::{Outcome, Reference, reference, trial};

/// Tries every driver behind a bad line.
#[derive(Debug, Parser)]
struct Options {
    /// How many sequences of one to four faults each driver has to stand.
    #[arg(long, default_value_t = 1000)]
    sequences: u32,
    /// At how many places of a session each fault strikes alone.
    #[arg(long, default_value_t = 40)]
    places: u32,
    /// The seed of the places.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only this driver.
    #[arg(long)]
    only: Option<String>,
}

/// Draws between nought and one for one trial.
struct Dice {
    key: Key,
    at: u64,
    trial: u32,
}

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        let mut u = [0.0_f32];
        self.key.fill_uniform(self.trial, 0, self.at, &mut u);
        self.at += 1;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between nought and n")]
        let drawn = (f64::from(u[0]) * n as f64) as u64;
        drawn.min(n.saturating_sub(1))
    }

    fn place(&mut self, fault: Fault, reference: &Reference) -> Placed {
        let line = self.below(reference.bytes.len() as u64) as usize;
        let length = reference.bytes[line][usize::from(fault.is_on_sent())];
        Placed { line, mishap: Mishap { fault, at: self.below(length), bit: self.below(8) as u8 } }
    }
}

/// What several trials came to.
#[derive(Debug, Default)]
struct Sum {
    right: u32,
    unseen: u32,
    errors: BTreeMap<String, u32>,
    struck: usize,
    longest: Duration,
    overrun: Duration,
    failures: usize,
}

impl Sum {
    fn add(&mut self, outcome: &Outcome) {
        match outcome.error {
            _ if outcome.unseen.is_some() => self.unseen += 1,
            Some(kind) => *self.errors.entry(kind.to_string()).or_default() += 1,
            None => self.right += 1,
        }
        self.struck += outcome.struck;
        self.longest = self.longest.max(outcome.longest);
        self.overrun = self.overrun.max(outcome.overrun);
        self.failures = self.failures.max(outcome.failures);
    }

    fn cell(&self) -> String {
        let mut parts = vec![format!("{} right", self.right)];
        parts.extend(self.errors.iter().map(|(kind, n)| format!("{n} {kind}")));
        parts.extend((self.unseen > 0).then(|| format!("{} unseen", self.unseen)));
        parts.join(", ")
    }
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    let mut violations = Vec::new();
    let all = subjects()?;
    if let Some(name) = &options.only
        && all.iter().all(|s| s.name != name)
    {
        let names: Vec<&str> = all.iter().map(|s| s.name).collect();
        let message = format!("no driver is named \"{name}\"; there are {}", names.join(", "));
        Options::command().error(clap::error::ErrorKind::InvalidValue, message).exit();
    }
    let subjects: Vec<Subject> = all.into_iter().filter(|s| options.only.as_ref().is_none_or(|name| name == s.name)).collect();
    let mut prepared = Vec::new();
    for subject in &subjects {
        prepared.push((subject, reference(subject)?));
    }
    println!("| driver | fault | sessions in which it struck |\n|---|---|---|");
    for (subject, reference) in &prepared {
        for (number, &fault) in Fault::ALL.iter().enumerate() {
            let mut sum = Sum::default();
            for place in 0..options.places {
                let mut dice = Dice { key: Key::new(options.seed, number as u32), at: 0, trial: place };
                let mishaps = [dice.place(fault, reference)];
                let outcome = trial(subject, reference, &mishaps);
                note(&mut violations, subject, &mishaps, &outcome);
                if outcome.struck > 0 {
                    sum.add(&outcome);
                }
            }
            println!("| {} | {} | {} |", subject.name, fault.name(), sum.cell());
        }
    }
    println!(
        "\n| driver | sequences | faults | outcome | most failures | longest call | latest end of a wait |\n|---|---|---|---|---|---|---|"
    );
    for (subject, reference) in &prepared {
        let mut sum = Sum::default();
        for sequence in 0..options.sequences {
            let mut dice = Dice { key: Key::new(options.seed, 1000), at: 0, trial: sequence };
            let count = 1 + dice.below(4);
            let mishaps: Vec<Placed> = (0..count)
                .map(|_| {
                    let fault = Fault::ALL[dice.below(Fault::ALL.len() as u64) as usize];
                    dice.place(fault, reference)
                })
                .collect();
            let outcome = trial(subject, reference, &mishaps);
            note(&mut violations, subject, &mishaps, &outcome);
            sum.add(&outcome);
        }
        println!(
            "| {} | {} | {} | {} | {} | {:.1} s | {:.0} ms |",
            subject.name,
            options.sequences,
            sum.struck,
            sum.cell(),
            sum.failures,
            sum.longest.as_secs_f64(),
            1e3 * sum.overrun.as_secs_f64()
        );
    }
    println!();
    for (subject, _) in &prepared {
        if let Some(why) = subject.blind {
            println!("{}: a changed byte may go unseen, since {why}.", subject.name);
        }
    }
    for violation in &violations {
        println!("WRONG {violation}");
    }
    println!("{} wrong", violations.len());
    Ok(if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn note(violations: &mut Vec<String>, subject: &Subject, mishaps: &[Placed], outcome: &Outcome) {
    for violation in &outcome.violations {
        let list: Vec<String> = mishaps
            .iter()
            .map(|p| format!("{} at byte {} of line {} (bit {})", p.mishap.fault.name(), p.mishap.at, p.line, p.mishap.bit))
            .collect();
        violations.push(format!("{}: {violation}; {}", subject.name, list.join(", ")));
    }
}

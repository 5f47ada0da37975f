//! From observations to answers.

use super::candidates::{Question, candidates, unnamed};
use super::probes::Observation;
use super::{Answer, Fingerprint};
use crate::blind;
use isoform_core::bound::Accuracy;
use isoform_core::oracle::Oracle;
use isoform_core::semantics::{Decay, Number, Semantics, Test};
use isoform_core::substrate::Run;
use std::collections::HashMap;

/// A candidate, and by how much each probe is off under it.
struct Explanation {
    semantics: Semantics,
    off: Vec<f64>,
}

impl Explanation {
    fn holds(&self) -> bool {
        self.off.iter().all(|&off| off <= 1.0)
    }

    /// The probe that ruled it out, and how much it spoke against it.
    fn worst(&self) -> (usize, f64) {
        self.off.iter().copied().enumerate().fold((0, 0.0), |best, (i, off)| if off > best.1 { (i, off) } else { best })
    }
}

/// Infers answers from observations.
pub(crate) fn infer(observations: &[Observation], declared: &Semantics, accuracy: &Accuracy) -> Fingerprint {
    let mut memory: HashMap<(usize, Vec<String>), f64> = HashMap::new();
    let mut explanations: Vec<Explanation> =
        candidates(declared).into_iter().map(|semantics| Explanation { semantics, off: Vec::new() }).collect();
    let mut unexplained = None;
    for (n, observation) in observations.iter().enumerate() {
        // one probe that speaks against a candidate is enough
        for explanation in explanations.iter_mut().filter(|e| e.holds()) {
            let key = (n, observation.depends.iter().map(|q| q.answer(&explanation.semantics)).collect());
            let off = *memory.entry(key).or_insert_with(|| misfit(observation, &explanation.semantics, accuracy));
            explanation.off.push(off);
        }
        if unexplained.is_none() && !explanations.iter().any(Explanation::holds) {
            unexplained = Some(n + 1);
        }
    }
    let left: Vec<&Explanation> = explanations.iter().filter(|e| e.holds()).collect();
    let answers = Question::ALL.iter().map(|&q| answer(q, declared, &left, &explanations)).collect();
    let probes = observations.iter().map(|o| o.name.clone()).collect();
    Fingerprint { declared: unnamed(declared), answers, probes, unexplained }
}

fn answer(question: Question, declared: &Semantics, left: &[&Explanation], all: &[Explanation]) -> Answer {
    let mut inferred: Vec<String> = Vec::new();
    for explanation in left {
        let found = question.answer(&explanation.semantics);
        if !inferred.contains(&found) {
            inferred.push(found);
        }
    }
    // the rival with another answer that comes nearest to what was seen
    let rival = all
        .iter()
        .filter(|e| !inferred.contains(&question.answer(&e.semantics)))
        .map(Explanation::worst)
        .min_by(|a, b| a.1.total_cmp(&b.1));
    let note = if inferred.len() < 2 { String::new() } else { excuse(question, left) };
    Answer {
        question: question.name().to_owned(),
        declared: question.answer(declared),
        inferred,
        probe: rival.map(|(n, _)| n + 1),
        margin: rival.map_or(0.0, |(_, off)| off.min(1e12)),
        note,
    }
}

/// Why two answers cannot be told apart.
fn excuse(question: Question, left: &[&Explanation]) -> String {
    let euler = left.iter().all(|e| e.semantics.decay == Decay::Euler);
    let late = left.iter().all(|e| e.semantics.input_delay > 0);
    let under = match question {
        Question::Drive if euler => "under euler",
        Question::Reset if left.iter().all(|e| e.semantics.test == Test::Located) => {
            "where the crossing is located, which leaves no overshoot to keep"
        }
        Question::Order if left.iter().all(|e| e.semantics.number != Number::Real) => {
            "in fixed numbers, whose states are updated in order"
        }
        Question::Cycle if late => "with an input that is late, which breaks every cycle by itself",
        _ => "by the probes that the substrate takes",
    };
    format!("not distinguishable {under}")
}

/// By how many times what is allowed a prediction is off: rounding for numbers, half a spike for spikes.
fn misfit(observation: &Observation, semantics: &Semantics, accuracy: &Accuracy) -> f64 {
    let plan = observation.plan.clone().with_semantics(*semantics);
    // what a function cannot have is no explanation
    let Ok(program) = plan.build() else { return f64::MAX };
    let run = Run::new();
    let predicted = Oracle::new(&program, &run).run(&observation.x);
    if predicted.len() != observation.y.len() {
        return f64::MAX;
    }
    let spikes = program.outputs().iter().all(|o| o.port.domain == isoform_core::dynamics::Domain::Spikes);
    let ticks = observation.x.len() / program.input_channels().max(1);
    let largest = predicted.iter().chain(std::iter::once(&1.0)).fold(0.0_f64, |m, v| m.max(v.abs()));
    let input = observation.x.iter().fold(0.0_f64, |m, v| m.max(f64::from(v.abs())));
    // what comes out is in single precision, whatever the substrate computes in
    let leaving = largest * f64::from(f32::EPSILON);
    let allowed = if spikes { 0.5 } else { ticks as f64 * blind::growth(&program, accuracy, largest.max(input)) + leaving };
    let off = predicted.iter().zip(&observation.y).map(|(p, y)| (p - f64::from(*y)).abs());
    // spikes that differ are counted, deviations of a membrane are not
    let off = if spikes { off.sum::<f64>() } else { off.fold(0.0, f64::max) };
    if off.is_finite() { off / allowed } else { f64::MAX }
}

#[cfg(test)]
mod tests {
    use super::super::{fingerprint, observe};
    use super::*;
    use crate::defects::Pretends;
    use isoform_core::oracle::OracleSubstrate;
    use isoform_core::semantics::{Compare, Cycle, Drive, Order, Preset, Reset};

    const DT: f64 = 1e-3;

    /// Every answer to every question, changed alone.
    fn changed(s: &Semantics) -> Vec<(Question, Semantics)> {
        let mut all = Vec::new();
        all.extend(Decay::ALL.iter().map(|&a| (Question::Decay, s.with_decay(a))));
        all.extend(Drive::ALL.iter().map(|&a| (Question::Drive, s.with_drive(a))));
        all.extend(Order::ALL.iter().map(|&a| (Question::Order, s.with_order(a))));
        all.extend(Test::ALL.iter().map(|&a| (Question::Test, s.with_test(a))));
        all.extend(Compare::ALL.iter().map(|&a| (Question::Compare, s.with_compare(a))));
        all.extend(Reset::ALL.iter().map(|&a| (Question::Reset, s.with_reset(a))));
        all.extend(Cycle::ALL.iter().map(|&a| (Question::Cycle, s.with_cycle(a))));
        all.extend([0, 1, 2].map(|a| (Question::Delay, s.with_input_delay(a))));
        let loihi = Preset::Loihi.semantics(DT).number;
        all.extend([Number::Real, loihi].map(|a| (Question::Number, s.with_number(a))));
        all.retain(|(q, c)| c.check().is_ok() && q.answer(c) != q.answer(s));
        all
    }

    #[test]
    fn every_preset_is_named_rightly() {
        for &preset in Preset::ALL {
            let found = fingerprint(&OracleSubstrate::new(), &preset.semantics(DT)).expect("is taken");
            assert!(found.agrees(), "{preset}:\n{found}");
            for answer in &found.answers {
                let open = answer.inferred.len() > 1;
                assert_eq!(open, !answer.note.is_empty());
                let expected = match answer.question.as_str() {
                    "drive" => preset.semantics(DT).decay == Decay::Euler && preset != Preset::Loihi,
                    "order" => preset == Preset::Loihi,
                    "reset" => preset == Preset::Events,
                    "cycle" => preset.semantics(DT).input_delay > 0,
                    _ => false,
                };
                assert_eq!(open, expected, "{preset}: {}:\n{found}", answer.question);
            }
        }
    }

    #[test]
    fn every_wrong_declaration_is_refused() {
        let accuracy = Accuracy::single();
        for &preset in Preset::ALL {
            let actual = preset.semantics(DT);
            let truth = fingerprint(&OracleSubstrate::new(), &actual).expect("is taken");
            for (question, declared) in changed(&actual) {
                let substrate = Pretends::new(std::sync::Arc::new(OracleSubstrate::new()), actual);
                let seen = observe(&substrate, &declared)
                    .unwrap_or_else(|e| panic!("{preset} declared with {}: {e}", question.answer(&declared)));
                let found = infer(&seen, &declared, &accuracy);
                let open = truth
                    .answers
                    .iter()
                    .find(|a| a.question == question.name())
                    .is_some_and(|a| a.inferred.contains(&question.answer(&declared)));
                assert_eq!(
                    found.agrees(),
                    open,
                    "{preset} declared with {} {}:\n{found}",
                    question.name(),
                    question.answer(&declared)
                );
            }
        }
    }
}

//! What substrates promise together.

use super::rules::Rules;
use crate::bound::{Accuracy, Form, Precision};
use crate::medium::{Drift, Medium, Price};
use crate::profile::{Facets, Limits, OutOfRange, Profile, Takes};
use std::sync::Arc;

/// The profile of a program that is split: the worst of everything, and the union of what can be taken.
pub(super) fn together(rules: &Rules, parts: &[(String, Arc<Profile>)]) -> Profile {
    let profiles = || parts.iter().map(|(_, profile)| profile.as_ref());
    let device: Vec<String> = parts.iter().map(|(key, p)| format!("{key}: {} on {}", p.name, p.device)).collect();
    let all = |has: fn(&Facets) -> bool| profiles().all(|p| has(&p.facets));
    let mut whole = Profile::digital("place", env!("CARGO_PKG_VERSION"));
    whole.device = device.join("; ");
    // by their order in the table of laws, which is that of what can be asked of them
    whole.class = profiles().map(|p| p.class).max_by_key(|class| *class as usize).unwrap_or(whole.class);
    // rows go from substrate to substrate in single precision
    whole.accuracy = profiles().fold(Accuracy::single(), |worst, p| worse(worst, &p.accuracy));
    let any = |has: fn(&Facets) -> bool| profiles().any(|p| has(&p.facets));
    whole.facets = Facets {
        memory: all(|f| f.memory),
        tuning: all(|f| f.tuning),
        plasticity: false,
        calibration: any(|f| f.calibration),
        renewal: any(|f| f.calibration) && all(|f| f.renewal || !f.calibration),
        rest: any(|f| f.rest),
    };
    whole.medium = profiles().filter_map(|p| p.medium).reduce(|a, b| noisier(&a, &b));
    whole.limits = profiles().fold(Limits::default(), |limits, p| tighter(limits, &p.limits));
    let takes = |has: fn(&Takes) -> bool| profiles().any(|p| has(&p.takes));
    whole.takes = Takes {
        nodes: kinds(rules, parts),
        located: takes(|t| t.located),
        fixed: takes(|t| t.fixed),
        cycles: takes(|t| t.cycles),
    };
    whole
}

/// The kinds that are taken where they go; empty if that may be any.
fn kinds(rules: &Rules, parts: &[(String, Arc<Profile>)]) -> Vec<String> {
    if parts.iter().any(|(_, p)| p.takes.nodes.is_empty()) {
        return Vec::new();
    }
    let mut kinds: Vec<String> = Vec::new();
    for (place, (_, profile)) in parts.iter().enumerate() {
        for kind in &profile.takes.nodes {
            // a key may also be the name of a node, so that a kind that goes nowhere by itself can still be taken
            let goes = rules.of_kind(kind).is_none_or(|to| to == place || parts[to].1.takes.nodes.contains(kind));
            if goes && !kinds.contains(kind) {
                kinds.push(kind.clone());
            }
        }
    }
    kinds
}

fn worse(a: Accuracy, b: &Accuracy) -> Accuracy {
    let worse = |a: Precision, b: Precision| Precision { ulp: a.ulp.max(b.ulp), absolute: a.absolute.max(b.absolute) };
    Accuracy {
        unit_roundoff: a.unit_roundoff.max(b.unit_roundoff),
        smallest_normal: a.smallest_normal.max(b.smallest_normal),
        largest: a.largest.min(b.largest),
        subnormals: a.subnormals && b.subnormals,
        contraction: a.contraction || b.contraction,
        division: worse(a.division, b.division),
        sqrt: worse(a.sqrt, b.sqrt),
        exp: worse(a.exp, b.exp),
        ln: worse(a.ln, b.ln),
        tanh: worse(a.tanh, b.tanh),
        sin: worse(a.sin, b.sin),
        cos: worse(a.cos, b.cos),
        angle: a.angle.min(b.angle),
        form: if a.form == b.form { a.form } else { Form::Either },
    }
}

/// What both keep to: a program that stays on one of them is off by no more. What others make of an error on its way is the program's own.
fn noisier(a: &Medium, b: &Medium) -> Medium {
    let drift = match (a.drift, b.drift) {
        (Some(a), Some(b)) => Some(Drift { most: a.most.max(b.most), within: a.within.min(b.within) }),
        (one, other) => one.or(other),
    };
    let either = |a: Option<u64>, b: Option<u64>, of: fn(u64, u64) -> u64| match (a, b) {
        (Some(a), Some(b)) => Some(of(a, b)),
        (one, other) => one.or(other),
    };
    Medium {
        margin: a.margin.max(b.margin),
        noise: a.noise.max(b.noise),
        flicker: a.flicker || b.flicker,
        drift,
        washout: either(a.washout, b.washout, u64::max),
        endurance: either(a.endurance, b.endurance, u64::min),
        price: Price {
            seconds: a.price.seconds + b.price.seconds,
            joules: a.price.joules + b.price.joules,
            writes: a.price.writes.max(b.price.writes),
        },
    }
}

fn tighter(a: Limits, b: &Limits) -> Limits {
    Limits {
        input: [a.input[0].max(b.input[0]), a.input[1].min(b.input[1])],
        // the one that would clip may not be the one that the input goes to
        out_of_range: OutOfRange::Refuse,
        ticks: a.ticks.min(b.ticks),
        batch: a.batch.min(b.batch),
        channels: a.channels.min(b.channels),
        realizations: a.realizations.min(b.realizations),
        spacing: a.spacing.max(b.spacing),
    }
}

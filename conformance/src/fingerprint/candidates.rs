//! The sets of answers that are tried as explanations.

use isoform_core::semantics::{Compare, Cycle, Decay, Drive, Fixed, Number, Order, Reset, Semantics, Test};

/// A question of the semantics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub(crate) enum Question {
    Decay,
    Drive,
    Order,
    Test,
    Compare,
    Reset,
    Delay,
    Cycle,
    Number,
}

impl Question {
    pub(crate) const ALL: [Self; 9] =
        [Self::Decay, Self::Drive, Self::Order, Self::Test, Self::Compare, Self::Reset, Self::Delay, Self::Cycle, Self::Number];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Decay => "decay",
            Self::Drive => "drive",
            Self::Order => "order",
            Self::Test => "test",
            Self::Compare => "compare",
            Self::Reset => "reset",
            Self::Delay => "input delay",
            Self::Cycle => "cycle",
            Self::Number => "number",
        }
    }

    pub(crate) fn answer(self, s: &Semantics) -> String {
        match self {
            Self::Decay => s.decay.to_string(),
            Self::Drive => s.drive.to_string(),
            Self::Order => s.order.to_string(),
            Self::Test => s.test.to_string(),
            Self::Compare => s.compare.to_string(),
            Self::Reset => s.reset.to_string(),
            Self::Delay => s.input_delay.to_string(),
            Self::Cycle => s.cycle.to_string(),
            Self::Number => s.number.to_string(),
        }
    }
}

/// The same answers without the name of a platform, so that every neuron can be had.
pub(crate) fn unnamed(semantics: &Semantics) -> Semantics {
    semantics.with_decay(semantics.decay)
}

/// Every set of answers that does not contradict itself, at the time step of a declaration.
pub(crate) fn candidates(declared: &Semantics) -> Vec<Semantics> {
    let mut delays = vec![0, 1, 2, 3];
    if !delays.contains(&declared.input_delay) {
        delays.push(declared.input_delay);
    }
    let mut numbers = vec![Number::Real];
    let fixed = [8, 10, 11, 12, 13, 14, 16]
        .into_iter()
        .flat_map(|decay_bits| [64, 640].map(|unit| Number::Fixed(Fixed { decay_bits, unit })));
    numbers.extend(fixed);
    if !numbers.contains(&declared.number) {
        numbers.push(declared.number);
    }
    let mut all = vec![unnamed(declared)];
    let mut spread = |each: &dyn Fn(Semantics) -> Vec<Semantics>| all = all.iter().flat_map(|&s| each(s)).collect();
    // steps within a tick mean nothing to an exact decay
    let steps = |a: Decay| if a == Decay::Exact { 1 } else { declared.substeps };
    spread(&|s| Decay::ALL.iter().map(|&a| s.with_decay(a).with_substeps(steps(a))).collect());
    spread(&|s| Drive::ALL.iter().map(|&a| s.with_drive(a)).collect());
    spread(&|s| Order::ALL.iter().map(|&a| s.with_order(a)).collect());
    spread(&|s| Test::ALL.iter().map(|&a| s.with_test(a)).collect());
    spread(&|s| Compare::ALL.iter().map(|&a| s.with_compare(a)).collect());
    spread(&|s| Reset::ALL.iter().map(|&a| s.with_reset(a)).collect());
    spread(&|s| Cycle::ALL.iter().map(|&a| s.with_cycle(a)).collect());
    spread(&|s| delays.iter().map(|&a| s.with_input_delay(a)).collect());
    spread(&|s| numbers.iter().map(|&a| s.with_number(a)).collect());
    all.retain(|s| s.check().is_ok());
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use isoform_core::semantics::Preset;

    #[test]
    fn every_preset_is_among_the_candidates() {
        for &preset in Preset::ALL {
            let declared = preset.semantics(1e-3);
            let all = candidates(&declared);
            assert!(all.contains(&unnamed(&declared)), "{preset}");
            assert!(all.iter().all(|s| s.check().is_ok()));
        }
    }
}

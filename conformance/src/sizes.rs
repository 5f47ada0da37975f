//! Programs as wide as a profile allows, and numbers over the whole of their ranges.
//!
//! Substrates work in blocks of channels and lanes, of which small programs see the first alone; and what saturates, or is rounded to
//! nought, shows only where numbers are large or small.

use crate::bench::{Bench, DT, narrow};
use crate::plan::{Plan, What};
use crate::record::Evidence;
use crate::trial::REFUSED;
use isoform_core::error::{ErrorKind, Result};
use isoform_core::semantics::Semantics;
use isoform_core::substrate::Run;

/// Three of the widest blocks that are known, and a rest.
pub(crate) const WIDE: usize = 389;
const TICKS: usize = 10;
/// Below this many there is one block.
const NARROW: usize = 8;
/// Thresholds, levels and scales are multiplied by these at most.
const SCALES: [f64; 3] = [1.0, 1e3, 1e-3];
/// Time constants in ticks.
const TAUS: [f64; 6] = [0.2, 1000.0, 3.0, 0.3, 30.0, 1.0];
/// Inputs a decade.
const DECADE: i32 = 3;

/// What a wide program has many of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Axis {
    Channels,
    Lanes,
}

impl Bench<'_> {
    /// Records a run of a neuron at as many channels or lanes as there are, up to some hundreds, with one of the other. No profile says how much
    /// room there is: what is refused for its size is noted and tried at half of it.
    pub(crate) fn wide(&self, evidence: &mut Evidence, axis: Axis) -> Result<()> {
        let home = self.home()?;
        let What::Neuron { function, .. } = &home.nodes[0].what else { return Ok(()) };
        let mut size = match axis {
            Axis::Channels => self.channels(WIDE),
            Axis::Lanes => self.batch(WIDE),
        };
        while size > NARROW {
            let [channels, batch] = if axis == Axis::Channels { [size, 1] } else { [1, size] };
            let plan = Plan::single(self.wide_neuron(function, channels), channels, home.semantics);
            let program = plan.build()?;
            let name = format!("{function} of {channels} channels in {batch} lanes");
            match self.open(&program, &Run::new().with_batch(batch)) {
                Ok(session) => {
                    drop(session);
                    let x = self.drive(&mut self.chance(), TICKS * size);
                    self.trial(evidence, &name, &plan, batch, &x)?;
                    return Ok(());
                }
                Err(e) if e.kind() == ErrorKind::Unsupported => {
                    evidence.refuse(REFUSED, &name, e.to_string());
                    size /= 2;
                }
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// A neuron whose parameters repeat after a few channels, since some grow from channel to channel.
    fn wide_neuron(&self, function: &str, channels: usize) -> What {
        let mut what = self.neuron(function, channels.min(4));
        if let What::Neuron { parameters, .. } = &mut what {
            parameters.iter_mut().for_each(|(_, values)| *values = values.iter().copied().cycle().take(channels).collect());
        }
        what
    }

    /// A neuron with time constants from a fifth of a tick to a thousand, and thresholds and levels over six decades, as far as the number
    /// format holds them, with inputs that rise over the range of inputs. None where it takes no input in every tick.
    pub(crate) fn scaled(&self, function: &str, semantics: Semantics) -> Option<(Plan, Vec<f32>)> {
        let limits = &self.profile.limits;
        let accuracy = &self.profile.accuracy;
        if limits.spacing > 1 {
            return None;
        }
        let [low, high] = limits.input;
        let mut top = low.abs().max(high.abs()).min(1e6);
        let (mut large, mut small) = ((top * self.gain() / 3.0).clamp(1.0, SCALES[1]), SCALES[2]);
        if accuracy.is_uniform() {
            let room = accuracy.largest / 16.0;
            (top, large) = (top.min(room), large.min(room.max(1.0)));
            small = small.max(256.0 * accuracy.spacing(0.0)).min(1.0);
        }
        let channels = self.channels(TAUS.len());
        let scale = |c: usize| [1.0, large, small][c % 3];
        // an explicit step is not stable for time constants below a tick or two
        let plan = [0.0, 2.0].into_iter().find_map(|least| {
            let tau = |c: usize| DT * f64::max(TAUS[c % TAUS.len()], least);
            let mut what = self.neuron(function, channels);
            if let What::Neuron { parameters, .. } = &mut what {
                for (name, values) in parameters {
                    for (c, value) in values.iter_mut().enumerate() {
                        match name.as_str() {
                            "tau" | "tau_mem" => *value = tau(c),
                            "tau_syn" => *value = tau(c + 1),
                            // drives and weights are as they were
                            "r" | "w_in" => {}
                            _ => *value *= scale(c),
                        }
                    }
                }
            }
            let plan = Plan::single(what, channels, semantics);
            plan.build().is_ok().then_some(plan)
        })?;
        let decades = (-9 * DECADE..=0).map(|i| top * 10_f64.powf(f64::from(i) / f64::from(DECADE)));
        let levels = decades.filter(|v| *v >= 0.9e-3).flat_map(|v| [v, -v]).filter(|v| (low..=high).contains(v));
        let row = |level: f64| (0..channels).map(move |c| if c % 2 == 0 { level } else { -level });
        let x = levels.flat_map(row).map(|v| narrow(v.clamp(low, high), low, high)).collect();
        Some((plan, x))
    }
}

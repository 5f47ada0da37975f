//! The facet by which the state is saved and loaded.

use crate::plan::Plan;
use crate::realization::CpuRealization;
use crate::shard::{Shard, States};
use async_trait::async_trait;
use isoform_core::error::Result;
use isoform_core::plan::Location;
use isoform_core::state::State;
use isoform_core::substrate::Memory;

#[async_trait]
impl Memory for CpuRealization {
    async fn save(&mut self) -> Result<State> {
        let mut state = State::initial(&self.program, self.run.batch);
        state.tick = self.tick;
        for (block, &location) in state.blocks.iter_mut().zip(&self.plan.layout.memory) {
            block.values.clear();
            for shard in &self.shards {
                (0..shard.batch).for_each(|lane| shard.save(&self.plan, location, lane, &mut block.values));
            }
        }
        Ok(state)
    }

    async fn load(&mut self, state: &State) -> Result<()> {
        state.check(&self.program, self.run.batch)?;
        self.adopt(state);
        Ok(())
    }
}

impl CpuRealization {
    /// Takes over a state that was checked.
    pub(crate) fn adopt(&mut self, state: &State) {
        self.tick = state.tick;
        for ((block, spec), &location) in state.blocks.iter().zip(&self.program.schedule().memory).zip(&self.plan.layout.memory) {
            for shard in &mut self.shards {
                for lane in 0..shard.batch {
                    let at = (shard.first + lane) * spec.len;
                    shard.load(&self.plan, location, lane, &block.values[at..at + spec.len]);
                }
            }
        }
    }
}

impl Shard {
    /// Appends the values of one lane.
    fn save(&self, plan: &Plan, location: Location, lane: usize, values: &mut Vec<f64>) {
        match location {
            Location::State { node, state } => {
                let channels = plan.neurons[node].as_ref().map_or(0, |neuron| neuron.channels);
                let lanes = lane * channels..(lane + 1) * channels;
                match &self.states[node] {
                    States::Single(all) => {
                        values.extend(all.row(state).iter().skip(lanes.start).take(channels).map(|&v| f64::from(v)))
                    }
                    States::Double(all, _) => {
                        let first = state * channels * self.batch;
                        values.extend_from_slice(&all[first + lanes.start..first + lanes.end]);
                    }
                }
            }
            Location::Line(line) => self.rings[line].save(plan.layout.lines[line].channels, lane, values),
            Location::Previous(buffer) => {
                let channels = plan.layout.buffers[buffer].channels;
                values.extend(self.buffers[buffer].data[lane * channels..][..channels].iter().map(|&v| f64::from(v)));
            }
        }
    }

    /// Takes over the values of one lane.
    fn load(&mut self, plan: &Plan, location: Location, lane: usize, values: &[f64]) {
        let narrow = |(to, &v): (&mut f32, &f64)| *to = v as f32;
        match location {
            Location::State { node, state } => {
                let lanes = lane * values.len()..(lane + 1) * values.len();
                let first = state * values.len() * self.batch;
                match &mut self.states[node] {
                    States::Single(all) => all.row_mut(state).iter_mut().skip(lanes.start).zip(values).for_each(narrow),
                    States::Double(all, _) => all[first + lanes.start..first + lanes.end].copy_from_slice(values),
                }
            }
            Location::Line(line) => self.rings[line].load(plan.layout.lines[line].channels, lane, values),
            Location::Previous(buffer) => {
                self.buffers[buffer].data[lane * values.len()..].iter_mut().zip(values).for_each(narrow);
            }
        }
    }
}

//! The facets of a realization with a planted defect.

use super::Defect;
use super::layer::Write;
use super::realization::Planted;
use async_trait::async_trait;
use isoform_core::error::{Error, Result};
use isoform_core::state::State;
use isoform_core::substrate::{Memory, Tuning};

/// The facet that every planted realization has, if what it wraps has it.
pub(super) fn there<T>(facet: Option<T>) -> Result<T> {
    facet.ok_or_else(|| Error::unsupported("the substrate underneath lost a facet"))
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Memory for Planted {
    async fn save(&mut self) -> Result<State> {
        let state = there(self.inner.memory())?.save().await?;
        let mut state = Self::readdressed(&state, &self.program);
        if self.defect == Defect::SavedTickLost {
            state.tick = 0;
        }
        if self.defect == Defect::SwapsStates {
            state = Self::swapped(state);
        }
        Ok(state)
    }

    async fn load(&mut self, state: &State) -> Result<()> {
        let mut state = state.clone();
        if state.program == self.program.digest().to_string() {
            state = Self::readdressed(&state, &self.taken);
        }
        if self.defect == Defect::SwapsStates {
            state = Self::swapped(state);
        }
        self.loads += 1;
        if self.defect == Defect::LoadIgnoresBlock || self.defect == Defect::LoadsTwice && self.loads > 3 {
            let own = there(self.inner.memory())?.save().await?;
            if let (Some(to), Some(from)) = (state.blocks.last_mut(), own.blocks.last()) {
                *to = from.clone();
            }
        }
        let result = there(self.inner.memory())?.load(&state).await;
        if self.defect == Defect::FailureAdvances && result.is_err() {
            self.slip().await?;
        }
        if result.is_ok() && self.defect == Defect::LateByOne {
            self.last.clear();
        }
        result
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Tuning for Planted {
    async fn read(&mut self, node: &str, parameter: &str) -> Result<Vec<f64>> {
        let result = there(self.inner.tuning())?.read(node, parameter).await;
        if let Some(values) = self.unused.get(&(node.to_owned(), parameter.to_owned())) {
            return Ok(values.clone());
        }
        if self.defect == Defect::NamesAccepted { Ok(result.unwrap_or_default()) } else { result }
    }

    async fn write(&mut self, node: &str, parameter: &str, values: &[f64]) -> Result<Vec<f64>> {
        match self.defect {
            Defect::TuningIgnored => {
                there(self.inner.tuning())?.read(node, parameter).await?;
                return Ok(values.to_vec());
            }
            Defect::TuningResets => {
                let set = there(self.inner.tuning())?.write(node, parameter, values).await?;
                self.inner.reset().await?;
                return Ok(set);
            }
            Defect::WeightsCached if self.used && matches!(parameter, "weight" | "bias") => {
                there(self.inner.tuning())?.read(node, parameter).await?;
                self.unused.insert((node.to_owned(), parameter.to_owned()), values.to_vec());
                return Ok(values.to_vec());
            }
            Defect::WritesShared => self.hear().await?,
            _ => {}
        }
        let result = there(self.inner.tuning())?.write(node, parameter, values).await;
        if self.defect == Defect::FailureAdvances && result.is_err() {
            self.slip().await?;
        }
        if let (Defect::WritesShared, Ok(set), Ok(mut writes)) = (self.defect, &result, self.shared.writes.lock()) {
            let (program, node, parameter) = (self.program.digest().to_string(), node.to_owned(), parameter.to_owned());
            writes.push(Write { program, node, parameter, values: set.clone() });
            self.heard = writes.len();
        }
        result
    }
}

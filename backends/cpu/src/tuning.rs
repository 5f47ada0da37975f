//! The facet by which parameters are read and written.

use crate::error::CpuError;
use crate::linear::Kernel;
use crate::neuron::Neuron;
use crate::realization::CpuRealization;
use async_trait::async_trait;
use isoform_core::error::Result;
use isoform_core::oracle::{read_parameter, tuned};
use isoform_core::program::NodeKind;
use isoform_core::substrate::Tuning;

#[async_trait]
impl Tuning for CpuRealization {
    async fn read(&mut self, node: &str, parameter: &str) -> Result<Vec<f64>> {
        let (index, found) = self.tuned.node(node)?;
        let values = read_parameter(&self.tuned, node, parameter)?;
        let single = !matches!(&found.kind, NodeKind::Delay { .. }) && !self.plan.is_double(index);
        Ok(if single { values.into_iter().map(|v| f64::from(v as f32)).collect() } else { values })
    }

    async fn write(&mut self, node: &str, parameter: &str, values: &[f64]) -> Result<Vec<f64>> {
        let (index, found) = self.tuned.node(node)?;
        read_parameter(&self.tuned, node, parameter)?;
        if matches!(&found.kind, NodeKind::Delay { .. }) {
            return Err(CpuError::Fixed { parameter: parameter.to_owned(), node: node.to_owned() }.into());
        }
        // rounded first, so that what follows from the value follows from the one that is given back
        let round = |v: &f64| if self.plan.is_double(index) { *v } else { f64::from(*v as f32) };
        let set: Vec<f64> = values.iter().map(round).collect();
        if set.iter().any(|v| !v.is_finite()) {
            return Err(CpuError::Range { what: "a parameter", node: node.to_owned() }.into());
        }
        let program = tuned(&self.tuned, node, parameter, &set)?;
        let node = &program.nodes()[index];
        if let NodeKind::Linear(map) = &node.kind {
            self.plan.maps[index] = Some(Kernel::new(map, &node.name)?);
        }
        let batch = self.shards.iter().map(|s| s.batch).max().unwrap_or(1);
        self.plan.neurons[index] = Neuron::new(node, self.run.seed, batch)?;
        self.tuned = program;
        Ok(set)
    }
}

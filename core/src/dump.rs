//! Programs and semantics as text for people.

use crate::program::{Node, NodeKind, Origin, Program, Source};
use crate::semantics::{Preset, Semantics};
use crate::tensor::Tensor;
use std::fmt;

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "program {}", &self.digest().to_string()[..16])?;
        writeln!(f, "{}", self.semantics())?;
        for port in self.inputs() {
            writeln!(f, "input  {} {}", port.name, port.shape)?;
        }
        for &index in &self.schedule().order {
            node(self, &self.nodes()[index], f)?;
        }
        for output in self.outputs() {
            writeln!(f, "output {} {} <- {}", output.port.name, output.port.shape, sum(self, &output.sources))?;
        }
        Ok(())
    }
}

fn node(program: &Program, node: &Node, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let sums: Vec<String> = node.sources.iter().map(|s| sum(program, s)).collect();
    let shape = |shapes: &[crate::tensor::Shape]| shapes.first().map_or_else(|| String::from("[]"), ToString::to_string);
    writeln!(
        f,
        "node   {}: {} {} -> {} <- {}",
        node.name,
        node.kind_name(),
        shape(&node.input_shapes),
        shape(&node.output_shapes),
        sums.join(", ")
    )?;
    if node.semantics != *program.semantics() {
        writeln!(f, "         own {}", node.semantics)?;
    }
    let units: Vec<&str> = match &node.kind {
        NodeKind::Dynamics { function, .. } => function.signature().parameters.iter().map(|p| p.quantity.unit).collect(),
        _ => Vec::new(),
    };
    for (i, (name, tensor)) in node.parameters().iter().enumerate() {
        writeln!(f, "         {name} = {}{}", values(tensor), unit(units.get(i).copied()))?;
    }
    if let NodeKind::Dynamics { function, .. } = &node.kind {
        for state in &function.signature().states {
            writeln!(f, "         state {}{}: {}", state.quantity.name, unit(Some(state.quantity.unit)), state.quantity.meaning)?;
        }
    }
    Ok(())
}

fn unit(unit: Option<&str>) -> String {
    match unit {
        None | Some("1") => String::new(),
        Some(unit) => format!(" {unit}"),
    }
}

/// One number, or the shape and range of many.
fn values(tensor: &Tensor) -> String {
    let numbers = tensor.to_f64();
    let (low, high) = numbers.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
    match numbers.as_slice() {
        [one] => format!("{one}"),
        _ if low == high => format!("{low} (all {})", tensor.shape()),
        _ => format!("{low} to {high} {}", tensor.shape()),
    }
}

fn sum(program: &Program, sources: &[Source]) -> String {
    let terms: Vec<String> = sources
        .iter()
        .map(|source| {
            let name = match source.origin {
                Origin::Input(i) => program.inputs()[i].name.clone(),
                Origin::Node(i, 0) => program.nodes()[i].name.clone(),
                Origin::Node(i, port) => format!("{}.{port}", program.nodes()[i].name),
            };
            if source.late { format!("{name}[t-1]") } else { name }
        })
        .collect();
    if terms.is_empty() { String::from("nothing") } else { terms.join(" + ") }
}

impl fmt::Display for Semantics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.preset().map_or("custom", Preset::name);
        write!(
            f,
            "semantics {name}: dt {}, decay {}, drive {}, order {}, test {}, compare {}, reset {}, input delay {}, cycle {}, number {}",
            self.dt,
            self.decay,
            self.drive,
            self.order,
            self.test,
            self.compare,
            self.reset,
            self.input_delay,
            self.cycle,
            self.number
        )?;
        if self.substeps == 1 { Ok(()) } else { write!(f, ", substeps {}", self.substeps) }
    }
}

/// The names of the questions, as columns of the table of presets.
pub const QUESTIONS: [&str; 9] = ["decay", "drive", "order", "test", "compare", "reset", "input delay", "cycle", "number"];

/// The table of presets: a name and the answers, in the order of [`QUESTIONS`].
#[must_use]
pub fn preset_table() -> Vec<(&'static str, [String; 9])> {
    Preset::ALL.iter().map(|preset| (preset.name(), answers(&preset.semantics(1.0)))).collect()
}

/// The answers of one semantics, in the order of [`QUESTIONS`].
#[must_use]
pub fn answers(s: &Semantics) -> [String; 9] {
    [
        s.decay.to_string(),
        s.drive.to_string(),
        s.order.to_string(),
        s.test.to_string(),
        s.compare.to_string(),
        s.reset.to_string(),
        s.input_delay.to_string(),
        s.cycle.to_string(),
        s.number.to_string(),
    ]
}

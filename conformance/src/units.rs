//! What the outputs of a program are called and measured in, read off the functions that they come from; and how many there are of something.

use crate::output::spell;
use isoform_core::program::{NodeKind, Origin, Program};

/// The name and the unit of each output channel; a pure number without a name where nothing tells.
pub(crate) fn outputs(program: &Program) -> Vec<[String; 2]> {
    let mut all = Vec::new();
    for output in program.outputs() {
        let mut sources = output.sources.iter().map(|source| of(program, source.origin));
        let first = sources.next().flatten();
        // what is summed is of one unit, or of none
        let told = first.filter(|first| sources.all(|other| other.as_ref() == Some(first)));
        let told = told.unwrap_or_else(|| [String::from("output"), String::from("1")]);
        all.extend(std::iter::repeat_n(told, output.port.shape.len()));
    }
    all
}

/// The unit that all outputs have, or that of a pure number.
pub(crate) fn common(program: &Program) -> String {
    let all = outputs(program);
    match all.first() {
        Some([_, unit]) if all.iter().all(|[_, other]| other == unit) => unit.clone(),
        _ => String::from("1"),
    }
}

/// The unit that all have, or that of a pure number.
pub(crate) fn shared<'a>(units: impl IntoIterator<Item = &'a str>) -> &'a str {
    let mut units = units.into_iter();
    let first = units.next().unwrap_or("1");
    if units.all(|other| other == first) { first } else { "1" }
}

/// A number in words, with its unit where it has one.
pub(crate) fn told(value: f64, unit: &str) -> String {
    if unit == "1" { format!("{value:.3e}") } else { spell(value, unit).to_string() }
}

fn of(program: &Program, origin: Origin) -> Option<[String; 2]> {
    let Origin::Node(node, place) = origin else { return None };
    let NodeKind::Dynamics { function, .. } = &program.nodes().get(node)?.kind else { return None };
    let quantity = function.signature().outputs.get(place)?.quantity;
    Some([quantity.name.to_owned(), quantity.unit.to_owned()])
}

/// How many there are of something that does something: `1 program agrees`, `3 programs agree`.
pub(crate) fn counted(count: usize, what: &str, [one, many]: [&str; 2]) -> String {
    if count == 1 { format!("1 {what} {one}") } else { format!("{count} {what}s {many}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::defects::Films;
    use isoform_core::oracle::OracleSubstrate;
    use isoform_core::substrate::Substrate;
    use std::sync::Arc;

    #[test]
    fn a_memristor_gives_amperes() {
        let films = Films::new(Arc::new(OracleSubstrate::new()), 1.0, 1e9, 0.0);
        let program = films.exemplars().remove(0);
        assert_eq!(outputs(&program), [[String::from("i"), String::from("A")]]);
        assert_eq!(common(&program), "A");
    }

    #[test]
    fn a_number_has_its_unit_with_a_prefix() {
        assert_eq!([told(2.5e-4, "A"), told(2.5e-4, "1")], ["250 µA", "2.500e-4"]);
        assert_eq!([shared(["A", "A"]), shared(["A", "V"]), shared([])], ["A", "1", "1"]);
    }
}

//! The appendix of the protocol that says what each function does, held against the functions.

use super::*;
use isoform_core::fixed_point::{SinglePrecision, Stepper, Straight};
use isoform_core::transfer::TransferFunction;

/// A number for each operand, or in the opposite order: seven times a power of three, so that no sum of three of them, nor a product, is one of
/// the others.
fn numbers(count: usize) -> Vec<f32> {
    std::iter::successors(Some(7.0), |n| Some(3.0 * n)).take(count).collect()
}

/// What a result is of its operands, in words, by its values.
fn formula(names: &[&str], [ascending, descending]: [f32; 2]) -> Option<String> {
    let n = names.len();
    let is = |value: &dyn Fn(&[f32]) -> f32| {
        let mut numbers = numbers(n);
        let first = value(&numbers).to_bits() == ascending.to_bits();
        numbers.reverse();
        first && value(&numbers).to_bits() == descending.to_bits()
    };
    for a in 0..n {
        if is(&|v| v[a]) {
            return Some(names[a].to_owned());
        }
        for b in (0..n).filter(|&b| b != a) {
            if is(&|v| v[a] * v[b]) {
                return Some(format!("{} · {}", names[a], names[b]));
            }
            if is(&|v| f32::from(u8::from(v[a] > v[b]))) {
                return Some(format!("one where {} > {}, else nought", names[a], names[b]));
            }
            for c in (0..n).filter(|&c| c != a && c != b) {
                if is(&|v| v[a] + (v[b] - v[c])) {
                    return Some(format!("{} + ({} - {})", names[a], names[b], names[c]));
                }
            }
        }
    }
    None
}

/// What each result of a part of a tick is, in words.
fn formulas(code: &Straight<SinglePrecision>, names: &[&str]) -> Vec<String> {
    assert_eq!(code.inputs(), names.len());
    let run = |numbers: &[f32]| {
        let (mut values, mut out) = (vec![0.0; code.operations().len()], vec![0.0; code.results().len()]);
        code.evaluate(numbers, &mut values, &mut out, &mut 0);
        out
    };
    let numbers = numbers(names.len());
    let reversed: Vec<f32> = numbers.iter().rev().copied().collect();
    let results = run(&numbers).into_iter().zip(run(&reversed));
    results.map(|(a, b)| formula(names, [a, b]).unwrap_or_else(|| panic!("{a} and {b} of {names:?}"))).collect()
}

/// The states that a part of a tick changes.
fn changes(states: &[&str], to: &[String]) -> String {
    let changed = states.iter().zip(to).filter(|(state, to)| *state != *to).map(|(state, to)| format!("`{state} = {to}`"));
    let changed: Vec<String> = changed.collect();
    if changed.is_empty() { String::from("–") } else { changed.join(", ") }
}

/// The row of a function.
fn row(function: &dyn TransferFunction) -> String {
    let s = function.signature();
    let step = Stepper::new(function, SinglePrecision).expect("boards have it");
    let inputs: Vec<&str> = s.inputs.iter().map(|i| i.quantity.name).collect();
    let states: Vec<&str> = s.states.iter().map(|i| i.quantity.name).collect();
    let parameters: Vec<&str> = s.parameters.iter().map(|i| i.quantity.name).collect();
    let outputs: Vec<&str> = s.outputs.iter().map(|i| i.quantity.name).collect();
    let list = |names: &[&str]| if names.is_empty() { String::from("–") } else { format!("`{}`", names.join(" ")) };
    let (mut fires, mut lands, mut moves) = (String::from("–"), String::from("–"), String::from("–"));
    if let Some(test) = step.test() {
        let sides = formulas(test, &[states.as_slice(), &parameters].concat());
        fires = format!("`{}` above `{}`", sides[0], sides[1]);
        // where it lands is of the flowed state alone, whatever was tested
        let tested = vec!["tested"; states.len()];
        let names = [tested.as_slice(), &states, &parameters].concat();
        lands = changes(&states, &formulas(step.land(false), &names));
        moves = changes(&states, &formulas(step.land(true), &names));
    }
    let names = [inputs.as_slice(), &states, &parameters, &["z"]].concat();
    let update = formulas(step.update(), &names);
    assert_eq!(changes(&states, &update[..states.len()]), "–", "{}: an update that changes states needs words", s.id);
    let given = outputs.iter().zip(&update[states.len()..]).map(|(y, is)| format!("`{y} = {is}`")).collect::<Vec<_>>().join(", ");
    let lists = [list(&inputs), list(&states), list(&parameters), step.coefficients().to_string()].join(" | ");
    format!("| `{}` | {lists} | {fires} | {lands} | {moves} | {given} |", s.id)
}

#[test]
fn the_protocol_says_of_each_function_what_it_does() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/board-protocol.md");
    let document = std::fs::read_to_string(path).expect("the document of the protocol");
    let rows: Vec<String> = library().iter().map(|f| row(f.as_ref())).collect();
    assert!(document.contains(&rows.join("\n")), "the appendix has to have these rows:\n{}", rows.join("\n"));
}

//! Transfer functions as C99 for the firmware of boards that compute in fixed point.
//!
//! The text is printed from the same code that [`FixedStep`] evaluates: each operation is one call of a helper, values that are used
//! more than once have a name, and nothing is evaluated only sometimes. C and Rust therefore give the same bits and count the same
//! overflows. The firmware supplies `fixed.h` with the type `q_t`, `Q_FRACTION`, and the helpers `q_add`, `q_sub`, `q_mul`, `q_neg`,
//! `q_abs`, `q_floor`, `q_max`, `q_min`, `q_above`, `q_at_or_above` and `q_select`, of which the text uses what it needs.

use isoform_core::fixed_point::{FixedPointError, FixedStep, FixedTape, Format, Operation};
use isoform_core::transfer::TransferFunction;
use std::fmt::Write;
use std::sync::Arc;

/// The header of some functions in one format.
///
/// # Errors
/// `NotAffine`, `Draws` or `Operation` if a function needs what such a board has not.
pub fn functions(functions: &[Arc<dyn TransferFunction>], format: Format) -> Result<String, FixedPointError> {
    let mut out = String::from(HEAD);
    let _ = write!(out, "{}", fraction(format));
    let mut table = String::new();
    for (number, function) in functions.iter().enumerate() {
        let step = FixedStep::new(function.as_ref(), format)?;
        let name = identifier(function.signature().id);
        one(function.as_ref(), &step, &name, &mut out);
        let s = function.signature();
        let _ = writeln!(out, "static const char isoform_{name}_id[] ISOFORM_FLASH = \"{}\";", s.id);
        let [x, n, p, y] = step.widths();
        let event = function.event().map_or(String::from("-1"), |e| e.to_string());
        let jumps = |hook: &str| if step.test().is_some() { format!("isoform_{name}_{hook}") } else { String::from("0") };
        let _ = writeln!(
            table,
            "    /* {number} */ {{isoform_{name}_id, {x}, {n}, {p}, {y}, {event}, isoform_{name}_flow, {}, {}, {}, isoform_{name}_tick}},",
            jumps("test"),
            jumps("land_to_value"),
            jumps("land_subtract"),
        );
    }
    let _ = write!(
        out,
        "\n#define ISOFORM_FUNCTIONS {}\n\n/* The place in this table is the number of a function. */\n\
         static const isoform_function_t isoform_functions[ISOFORM_FUNCTIONS] ISOFORM_FLASH = {{\n{table}}};\n\n#endif\n",
        functions.len()
    );
    Ok(out)
}

const HEAD: &str = "\
/* Transfer functions in fixed point, printed by isoform from their one definition. Do not edit:
 *     cargo run -p isoform-kernels --example firmware_functions -- firmware/functions.h
 *
 * fixed.h supplies q_t, Q_FRACTION and the helpers q_...; see \"Fixed-point numbers\" in docs/board-protocol.md. */
#ifndef ISOFORM_FUNCTIONS_H
#define ISOFORM_FUNCTIONS_H

#include <stdint.h>
#include \"fixed.h\"

/* Where constant tables go; an AVR keeps them in flash with PROGMEM. */
#ifndef ISOFORM_FLASH
#define ISOFORM_FLASH
#endif

/* The hooks of one channel. Results may not overlap operands.
 *   flow           x, s, c -> s      c is phi row by row, gamma row by row, the constant
 *   test           s, p -> level, threshold
 *   land_...       tested s, flowed s, p -> s
 *   tick           x, s, p, z -> s, y */
typedef struct {
    const char *id;
    uint8_t inputs, states, parameters, outputs;
    int8_t event; /* the state that is compared with the threshold; -1: it never fires, and test and land are 0 */
    void (*flow)(const q_t *x, const q_t *s, const q_t *c, q_t *out);
    void (*test)(const q_t *s, const q_t *p, q_t *out);
    void (*land_to_value)(const q_t *tested, const q_t *flowed, const q_t *p, q_t *out);
    void (*land_subtract)(const q_t *tested, const q_t *flowed, const q_t *p, q_t *out);
    void (*tick)(const q_t *x, const q_t *s, const q_t *p, q_t z, q_t *out, q_t *y);
} isoform_function_t;
";

fn fraction(format: Format) -> String {
    let n = format.fraction();
    format!("\n#if Q_FRACTION != {n}\n#error \"these functions are in the format Q{n}; set Q_FRACTION to {n}\"\n#endif\n")
}

/// `isoform.lif/1` as `lif`; another maker's stays in the name.
fn identifier(id: &str) -> String {
    let id = id.strip_prefix("isoform.").map_or(id, |own| own.strip_suffix("/1").unwrap_or(own));
    id.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// All functions of one definition.
fn one(function: &dyn TransferFunction, step: &FixedStep, name: &str, out: &mut String) {
    let s = function.signature();
    let [x, n, p, y] = step.widths();
    let inputs: Vec<&str> = s.inputs.iter().map(|i| i.quantity.name).collect();
    let states: Vec<&str> = s.states.iter().map(|s| s.quantity.name).collect();
    let parameters: Vec<&str> = s.parameters.iter().map(|p| p.quantity.name).collect();
    let outputs: Vec<&str> = s.outputs.iter().map(|o| o.quantity.name).collect();
    remarks(function, out);

    let operands = |array: &str, names: &[&str], prefix: &str| -> Vec<Operand> {
        let named = |(k, name): (usize, &&str)| (format!("{prefix}{name}"), format!("{array}[{k}]"));
        names.iter().enumerate().map(named).collect()
    };
    let to = |array: &str, names: &[&str]| -> Vec<Operand> {
        names.iter().enumerate().map(|(k, name)| (format!("{array}[{k}]"), (*name).to_owned())).collect()
    };
    let (from_x, from_s) = (operands("x", &inputs, ""), operands("s", &states, ""));
    let from_p = operands("p", &parameters, "");

    let mut coefficients = Vec::new();
    let rows = |of: &[&str], verb: &str| -> Vec<String> {
        states.iter().flat_map(|s| of.iter().map(move |f| format!("{s}_{verb}_{f}"))).collect()
    };
    coefficients.extend(rows(&states, "keeps"));
    coefficients.extend(rows(&inputs, "takes"));
    coefficients.extend(states.iter().map(|s| format!("{s}_rises")));
    let from_c = coefficients.into_iter().enumerate().map(|(k, name)| (name, format!("c[{k}]")));
    let given: Vec<Operand> = from_x.iter().chain(&from_s).cloned().chain(from_c).collect();
    let arguments = "const q_t *x, const q_t *s, const q_t *c, q_t *out";
    body(step.flow(), &format!("{name}_flow({arguments})"), &["x", "s", "c", "out"], &given, &to("out", &states), out);

    if let Some(test) = step.test() {
        let given = [from_s.clone(), from_p.clone()].concat();
        let results = to("out", &["level", "threshold"]);
        body(test, &format!("{name}_test(const q_t *s, const q_t *p, q_t *out)"), &["s", "p", "out"], &given, &results, out);
        for (hook, subtract) in [("land_to_value", false), ("land_subtract", true)] {
            let tested = operands("tested", &states, "tested_");
            let given = [tested, operands("flowed", &states, "flowed_"), from_p.clone()].concat();
            let arguments = "const q_t *tested, const q_t *flowed, const q_t *p, q_t *out";
            let used = ["tested", "flowed", "p", "out"];
            body(step.land(subtract), &format!("{name}_{hook}({arguments})"), &used, &given, &to("out", &states), out);
        }
    }
    let given = [from_x, from_s, from_p, vec![(String::from("z"), String::from("z"))]].concat();
    let results = [to("out", &states), to("y", &outputs)].concat();
    let arguments = "const q_t *x, const q_t *s, const q_t *p, q_t z, q_t *out, q_t *y";
    let used = ["x", "s", "p", "z", "out", "y"];
    body(step.update(), &format!("{name}_tick({arguments})"), &used, &given, &results, out);
    debug_assert_eq!([x, n, p, y], [inputs.len(), states.len(), parameters.len(), outputs.len()]);
}

/// What the function is and its equations, for the reader.
fn remarks(function: &dyn TransferFunction, out: &mut String) {
    let s = function.signature();
    let names = |all: Vec<&str>| all.into_iter().map(String::from).collect::<Vec<_>>();
    let inputs: Vec<&str> = s.inputs.iter().map(|i| i.quantity.name).collect();
    let states: Vec<&str> = s.states.iter().map(|s| s.quantity.name).collect();
    let parameters: Vec<&str> = s.parameters.iter().map(|p| p.quantity.name).collect();
    let recording = function.recording();
    let _ = write!(out, "\n/* {}: {}", comment(s.id), comment(s.summary));
    let flow = recording.flow.text(&names([inputs, states.clone(), parameters.clone()].concat()));
    for (state, rate) in states.iter().zip(flow) {
        let _ = write!(out, "\n *   d{state}/dt = {}", comment(&rate));
    }
    if let Some(event) = function.event() {
        let all = names([states.clone(), parameters.clone()].concat());
        let landed = recording.reset.text(&all);
        let landed: Vec<String> =
            states.iter().zip(landed).filter(|(s, l)| *s != l).map(|(s, l)| format!("{s} := {l}")).collect();
        let level = recording.threshold.text(&all).concat();
        let _ = write!(out, "\n *   where {} > {}: {}", states[event], comment(&level), comment(&landed.join(", ")));
    }
    let _ = writeln!(out, "\n *   p: {}\n *   Source: {} */", parameters.join(", "), comment(s.source));
}

/// Text that cannot end a comment.
fn comment(text: &str) -> String {
    text.replace("*/", "* /")
}

/// A name for people, and where the value is found; or, of a result, where it goes.
type Operand = (String, String);

/// One function.
fn body(code: &FixedTape, head: &str, arguments: &[&str], given: &[Operand], results: &[Operand], out: &mut String) {
    let mut uses = vec![0_usize; code.operations().len()];
    code.operations().iter().flat_map(Operation::operands).for_each(|at| uses[at as usize] += 1);
    code.results().iter().for_each(|&at| uses[at as usize] += 1);
    let mut statements = String::new();
    let mut values: Vec<String> = Vec::with_capacity(uses.len());
    let mut count = 0;
    for (at, operation) in code.operations().iter().enumerate() {
        let v = |at: u32| values[at as usize].clone();
        let text = match *operation {
            Operation::Input(i) => {
                let (name, place) = &given[i as usize];
                if name != place && !values.contains(name) {
                    let _ = writeln!(statements, "    const q_t {} = {place};", safe(name));
                }
                values.push(safe(name));
                continue;
            }
            // C has no literal for the lowest number
            Operation::Constant(i32::MIN) => String::from("(-INT32_C(2147483647) - 1)"),
            Operation::Constant(c) if c < 0 => format!("(-INT32_C({}))", c.unsigned_abs()),
            Operation::Constant(c) => format!("INT32_C({c})"),
            Operation::Neg(a) => format!("q_neg({})", v(a)),
            Operation::Abs(a) => format!("q_abs({})", v(a)),
            Operation::Floor(a) => format!("q_floor({})", v(a)),
            Operation::Add(a, b) => format!("q_add({}, {})", v(a), v(b)),
            Operation::Sub(a, b) => format!("q_sub({}, {})", v(a), v(b)),
            Operation::Mul(a, b) => format!("q_mul({}, {})", v(a), v(b)),
            Operation::Max(a, b) => format!("q_max({}, {})", v(a), v(b)),
            Operation::Min(a, b) => format!("q_min({}, {})", v(a), v(b)),
            Operation::Above(a, b) => format!("q_above({}, {})", v(a), v(b)),
            Operation::AtOrAbove(a, b) => format!("q_at_or_above({}, {})", v(a), v(b)),
            Operation::Select(c, a, b) => format!("q_select({}, {}, {})", v(c), v(a), v(b)),
        };
        if uses[at] > 1 && !matches!(operation, Operation::Constant(_)) {
            count += 1;
            let _ = writeln!(statements, "    const q_t part{count} = {text};");
            values.push(format!("part{count}"));
        } else {
            values.push(text);
        }
    }
    for (&result, (place, name)) in code.results().iter().zip(results) {
        let _ = writeln!(statements, "    {place} = {}; /* {name} */", values[result as usize]);
    }
    let _ = writeln!(out, "static inline void isoform_{head} {{");
    for argument in arguments {
        if !mentions(&statements, argument) {
            let _ = writeln!(out, "    (void){argument};");
        }
    }
    let _ = writeln!(out, "{statements}}}");
}

/// A name that shadows no argument and is no word of the language.
fn safe(name: &str) -> String {
    const TAKEN: &[&str] = &[
        "x", "s", "c", "p", "y", "out", "tested", "flowed", "auto", "break", "case", "char", "const", "continue", "default",
        "do", "double", "else", "enum", "extern", "float", "for", "goto", "if", "inline", "int", "long", "register", "restrict",
        "return", "short", "signed", "sizeof", "static", "struct", "switch", "typedef", "union", "unsigned", "void", "volatile",
        "while",
    ];
    if TAKEN.contains(&name) || name.starts_with("part") || name.starts_with("q_") {
        format!("{name}_")
    } else {
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
    }
}

/// Whether a text has a word outside its comments.
fn mentions(text: &str, word: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let code = text.lines().map(|line| line.split_once("/*").map_or(line, |(code, _)| code));
    code.flat_map(|line| line.split(|c| !is_word(c))).any(|found| found == word)
}

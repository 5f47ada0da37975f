//! `isoform conform LOCATOR --fingerprint`: the semantics that a substrate shows, inferred from inputs and outputs.

use super::console::{Console, table};
use super::failure::{Failure, Outcome, Result};
use super::stop::Stoppable;
use isoform::conformance::defects::Pretends;
use isoform::conformance::fingerprint;
use isoform::core::semantics::Preset;
use isoform::core::substrate::Substrate;
use std::sync::Arc;

/// The time step of the probes, in seconds.
const DT: f64 = 1e-3;

/// Infers the semantics under each preset, then declares each preset wrongly as each other.
pub(super) fn print(locator: &str, console: Console) -> Result {
    let substrate: Arc<dyn Substrate> = Stoppable::on(super::registry().open_str(locator)?);
    let mut agree = true;
    for &preset in Preset::ALL {
        let found = fingerprint(substrate.as_ref(), &preset.semantics(DT))?;
        agree &= found.agrees();
        console.print(format!("{preset}: {}", if found.agrees() { "as declared" } else { "NOT as declared" }))?;
        let rows = found.answers.iter().map(|a| {
            vec![a.question.to_string(), a.declared.clone(), a.inferred.join(" or "), format!("{:.1}", a.margin), a.note.clone()]
        });
        console.print(table(&["question", "declared", "inferred", "margin", ""], rows, 2))?;
        console.print("")?;
    }
    console.print("What is computed (rows) against what is declared (columns): the first question that gives it away\n")?;
    let head: Vec<&str> = std::iter::once("computed").chain(Preset::ALL.iter().map(|p| p.name())).collect();
    let mut rows = Vec::new();
    for &computed in Preset::ALL {
        let impostor = Pretends::new(Arc::clone(&substrate), computed.semantics(DT));
        let mut row = vec![computed.to_string()];
        for &declared in Preset::ALL {
            let found = fingerprint(&impostor, &declared.semantics(DT))?;
            let betrayed = found.answers.iter().find(|a| !a.agrees()).map(|a| a.question.to_string());
            row.push(match betrayed {
                Some(question) => question,
                None if found.agrees() => String::from("-"),
                None => String::from("unknown"),
            });
        }
        rows.push(row);
    }
    console.print(wide(&head, &rows))?;
    console.print("\n- means that no probe can tell them apart, or that they are the same")?;
    if agree { Ok(Outcome::Done) } else { Ok(Outcome::Refuted) }
}

/// A table of short words, one column per preset.
fn wide(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |c: usize| rows.iter().map(|r| r[c].len()).chain([head[c].len()]).max().unwrap_or(0);
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells.enumerate().map(|(c, cell)| format!("{cell:<w$}", w = width(c))).collect();
        padded.join(" ").trim_end().to_owned()
    };
    let mut lines = vec![line(&mut head.iter().copied())];
    lines.extend(rows.iter().map(|r| line(&mut r.iter().map(String::as_str))));
    lines.join("\n")
}

/// The flag needs a substrate.
pub(super) fn unnamed() -> Failure {
    Failure::input("no substrate is named; write isoform conform LOCATOR --fingerprint")
}

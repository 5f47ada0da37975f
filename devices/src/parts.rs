//! Who stands at one line of an instrument that has several.

use crate::photonic::dialogue::greet;
use crate::scpi::dialogue::Dialogue;
use isoform_serial::link::Link;
use std::time::Duration;

/// How long an answer may take.
const WITHIN: Duration = Duration::from_millis(500);

/// What says at a line that it is a part of an instrument, in words; nothing if nobody does.
#[must_use]
pub fn part_at(link: &mut Link) -> Option<String> {
    if let Ok(identity) = Dialogue::new(WITHIN).identity(link) {
        return Some(format!("{identity}, of SCPI: perhaps the meter of photonic, or the generator or the scope of waveform"));
    }
    let name = greet(link).ok()?;
    Some(format!("{name}: the heaters of photonic, whose meter has a line of its own"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::kind;
    use isoform_core::locator::Locator;
    use isoform_serial::transport::{Memory, Twin};

    #[test]
    fn each_line_of_a_bench_says_what_it_is() {
        let parts = |name: &str| -> Vec<String> {
            let locator: Locator = format!("twin:{name}").parse().expect("valid");
            let twins = (kind(name).expect("is one").twins)(&mut locator.reader()).expect("twins");
            let at = |twin: Box<dyn Twin>| part_at(&mut Link::new(Box::new(Memory::new("twin", twin)))).unwrap_or_default();
            twins.into_iter().map(at).collect()
        };
        let [heaters, meter] = <[String; 2]>::try_from(parts("photonic")).expect("two lines");
        assert!(heaters.contains("Q8iv") && meter.contains("PM-ARRAY"), "{heaters}; {meter}");
        assert!(parts("waveform").iter().all(|part| part.contains("of waveform")));
        assert_eq!(parts("umemristor"), [""]);
    }
}

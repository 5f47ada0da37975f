//! What is known of the heaters, as options or as a file; the law itself is [`Heaters`].

use isoform_core::error::{Error, Result};
use isoform_core::locator::Options;
use isoform_physics::photonics::heaters::Heaters;
use std::f64::consts::PI;
use std::path::PathBuf;

/// The options that say it, for locators.
pub const OPTIONS: [(&str, &str); 5] = [
    ("alpha", "phase of a heater in radian per watt; 157.08 if absent, which is 20 mW for half a turn"),
    ("ohms", "resistance of a heater; 1000 if absent"),
    ("phi0", "phase of a cold heater in radian; 0 if absent"),
    ("crosstalk", "part of its phase that a heater lends its neighbour, falling by e with each further one; 0 if absent"),
    ("calibration", "a JSON file with the arrays alpha, ohms, phi0 and the matrix crosstalk, in the order of the heaters"),
];

/// Takes the options that say it, for so many heaters in the order of their channels.
///
/// # Errors
/// `NotFound` if a file cannot be read, `Unsupported` if it or an option makes no sense.
pub fn take(options: &mut Options<'_>, heaters: usize) -> Result<Heaters> {
    let alpha = options.take_within("alpha", 1.0..=1e6)?.unwrap_or(PI / 20e-3);
    let ohms = options.take_within("ohms", 1.0..=1e6)?.unwrap_or(1000.0);
    let phi0 = options.take_within("phi0", -100.0..=100.0)?.unwrap_or(0.0);
    let crosstalk = options.take_within("crosstalk", 0.0..=0.5)?.unwrap_or(0.0);
    let found = match options.take::<PathBuf>("calibration")? {
        None => Heaters::uniform(heaters, alpha, ohms, phi0, crosstalk),
        Some(path) => {
            let shown = path.display();
            let text = std::fs::read_to_string(&path)
                .map_err(|e| Error::not_found(format!("the calibration \"{shown}\" cannot be read: {e}")).with_source(e))?;
            serde_json::from_str(&text).map_err(|e| Error::unsupported(format!("\"{shown}\" is no calibration: {e}")))?
        }
    };
    found.check(heaters).map_err(|e| Error::unsupported(e.message()))?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{Heaters, take as take_options};
    use isoform_core::locator::Locator;

    #[test]
    fn what_does_not_fit_is_refused() {
        let take = |text: &str| {
            let locator: Locator = text.parse().expect("a locator");
            take_options(&mut locator.reader(), 3)
        };
        assert_eq!(take("twin:photonic?ohms=500").expect("fits").ohms, [500.0; 3]);
        for text in ["alpha=0", "ohms=-1", "crosstalk=0.4", "phi0=1e300", "calibration=/nowhere/at/all.json"] {
            let error = take(&format!("twin:photonic?{text}")).expect_err(text);
            assert!(error.kind().is_bad_input(), "{error}");
        }
        let json = r#"{"alpha": [1, 2], "ohms": [1, 1], "phi0": [0, 0], "crosstalk": [[0, 0.1], [0.2, 0]]}"#;
        let found: Heaters = serde_json::from_str(json).expect("is one");
        found.check(2).expect("fits");
        assert!(found.check(3).is_err());
        let ragged = r#"{"alpha": [1, 2], "ohms": [1, 1], "phi0": [0, 0], "crosstalk": [[0, 0.1], [0.2]]}"#;
        assert!(serde_json::from_str::<Heaters>(ragged).is_err());
    }
}

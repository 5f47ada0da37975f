//! SCPI: the language of laboratory instruments (IEEE 488.2, SCPI-1999), as hosts speak it and as twins answer it.
//!
//! The `codec` turns bytes into values, the `dialogue` is what drivers talk with, and `parser` and `twin` are the other end: a command tree
//! with long and short forms, and the queue of errors. A driver keeps at most one query unanswered, since a second one before the first
//! answer mixes the two on many instruments.

use isoform_core::error::{Error, Result};
use isoform_core::locator::Options;

pub mod codec;
pub mod dialogue;
pub mod parser;
pub mod twin;

/// Takes an option that is a word of the identity of an instrument.
///
/// # Errors
/// `Unsupported` if it is empty, which every identity contains.
pub(crate) fn word(options: &mut Options<'_>, key: &str, usual: &str) -> Result<String> {
    let given: Option<String> = options.take(key)?;
    if given.as_ref().is_some_and(|word| word.trim().is_empty()) {
        return Err(Error::unsupported(format!(
            "option {key:?} is empty: name a word of the identity, or leave it out for {usual}"
        )));
    }
    Ok(given.unwrap_or_else(|| usual.to_owned()))
}

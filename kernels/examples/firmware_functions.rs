//! Prints the library's transfer functions for the firmware of boards, to the file that is named, or else to the output.

use isoform_core::fixed_point::Format;
use isoform_core::functions::library;
use isoform_kernels::print::fixed_c;
use std::io::Write;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let functions = library();
    let format = Format::covering(functions.iter().map(AsRef::as_ref))?;
    let text = fixed_c::functions(&functions, format)?;
    match std::env::args().nth(1) {
        Some(path) => std::fs::write(path, text)?,
        None => std::io::stdout().write_all(text.as_bytes())?,
    }
    Ok(())
}

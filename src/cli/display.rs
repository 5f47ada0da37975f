//! A display that is not there, and a library that says so.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// Where a display would have its socket.
const FOLDER: &str = "XDG_RUNTIME_DIR";

/// Starts this program again with a folder for displays, where it was started without one.
///
/// Mesa's choice of a device looks for a display in any case, and where it is not told where prints a line that sounds like an error of the command.
/// The environment of a process that runs cannot be changed safely.
pub(super) fn start_with_folder() {
    let mut words = std::env::args_os();
    if let (None, Some(name), Ok(program)) = (std::env::var_os(FOLDER), words.next(), std::env::current_exe()) {
        // what could not be started again goes on as it is
        let _ = Command::new(program).arg0(name).args(words).env(FOLDER, std::env::temp_dir()).exec();
    }
}

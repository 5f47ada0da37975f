//! Requests to stop: the first ends what is going on in good order, the second at once.

use isoform::core::substrate::Cancel;

/// The exit code of a process that was told to stop twice, as shells have it.
const TOLD: i32 = 130;

/// A flag that an interrupt or a termination raises, in place of ending the process. To be called once.
pub(super) fn when_asked() -> Cancel {
    let stop = Cancel::default();
    let flag = stop.clone();
    // where the system takes no handler, a request ends the process as it did before
    let _ = ctrlc::set_handler(move || {
        if flag.is_raised() {
            std::process::exit(TOLD);
        }
        flag.raise();
        eprintln!("stopping: what was found so far is kept; ask again to leave at once");
    });
    stop
}

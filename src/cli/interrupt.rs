//! Ctrl-C and `kill`: a flag that the work looks at, and an end to the process if the work does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::error::{Error, ErrorKind, exit_code};

/// How long the work may take to notice: a request that hangs is not waited for.
const GRACE: Duration = Duration::from_millis(1500);

/// The flag that Ctrl-C sets. Everything is safe to be cut off at any instant, so after a short grace, or at the second
/// Ctrl-C, the process ends by itself.
pub(super) fn on_ctrl_c() -> anyhow::Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let seen = flag.clone();
    let handler = move || {
        if seen.swap(true, Ordering::Relaxed) {
            leave();
        }
        std::thread::spawn(|| {
            std::thread::sleep(GRACE);
            leave();
        });
    };
    ctrlc::set_handler(handler)
        .map_err(|e| Error::new(ErrorKind::Failed, format!("Ctrl-C cannot be watched for: {e}; nothing was done")))?;
    Ok(flag)
}

fn leave() -> ! {
    let code = exit_code(ErrorKind::Interrupted);
    super::output::show_cursor();
    super::output::say("\nerror: interrupted; what was done so far is kept\n");
    std::process::exit(i32::from(code))
}

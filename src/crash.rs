//! Points at which a test can kill the program, to prove that the next run ends in the same book
//! (F-5).

/// Ends the process without any clean-up, as `kill -9` would, if `ORDERSYNC_CRASH_AT` names this
/// point. `name:3` kills at the third time. Debug builds only: a release has no such points.
#[cfg(debug_assertions)]
pub(crate) fn point(name: &str) {
    use std::sync::atomic::{AtomicU32, Ordering};
    static PASSED: AtomicU32 = AtomicU32::new(0);
    let Ok(wanted) = std::env::var("ORDERSYNC_CRASH_AT") else { return };
    let (wanted, at) = wanted.split_once(':').map_or((wanted.as_str(), 1), |(w, n)| (w, n.parse().unwrap_or(1)));
    if wanted == name && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == at {
        std::process::abort();
    }
}

/// Nothing, in a release build.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub(crate) fn point(_name: &str) {}

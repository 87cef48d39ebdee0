//! A simulated Etsy store and a home whose environment opens it.
#![allow(dead_code, reason = "each test program uses a part of this")]

// With the limits of a large app.
rig!(etsy, Options::rehearsal());

impl Rig {
    /// How many requests a sync takes that is to succeed.
    pub fn requests(&self) -> u64 {
        self.report()["requests"].as_u64().unwrap()
    }

    /// The daily look through the orders of the last weeks is due.
    pub fn a_day_later(&self) {
        self.home.sql("UPDATE cursors SET looked_at = 0 WHERE walk = 'pass/recent'");
    }
}

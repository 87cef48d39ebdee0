//! A simulated BigCommerce store and a home whose environment opens it.
#![allow(dead_code, reason = "each test program uses a part of this")]

// On a plan with much quota.
rig!(bigcommerce, Options::rehearsal());

impl Rig {
    /// The same store, which serves `include` again, and a home of its own.
    pub fn over_same(other: &Self) -> Self {
        other.shop.options().include = true;
        Self::served(other.shop.clone())
    }
}

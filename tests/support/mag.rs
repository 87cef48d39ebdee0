//! A simulated Magento shop and a home whose environment opens it.
#![allow(dead_code, reason = "each test program uses a part of this")]

rig!(magento, Options::default());

//! The `ordersync` command.

fn main() {}

//! A simulated eBay account and a home whose environment opens it.
#![allow(dead_code, reason = "each test program uses a part of this")]

rig!(ebay, Options::rehearsal());

impl Rig {
    /// Places an order and brings it into the book; gives its id as eBay writes it.
    pub fn placed(&self, new: &NewOrder) -> String {
        let id = self.shop.place(new);
        self.sync();
        self.server.clear_requests();
        id
    }

    /// A command on one order.
    pub fn run(&self, command: &str, id: &str, more: &str) -> Call<'_> {
        self.home.run(&format!("{command} ebay:{id} {more}"))
    }

    /// One order as `show --json` has it.
    pub fn shown(&self, id: &str) -> Value {
        self.home.json(&format!("show ebay:{id}"))
    }

    /// The lists of orders that were asked for so far.
    pub fn lists(&self) -> Vec<Exchange> {
        self.asked("/sell/fulfillment/v1/order")
    }
}

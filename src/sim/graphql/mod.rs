//! GraphQL as clients of a shop use it: a document is read ([`parse`]), what it selects is taken
//! out of a tree of everything ([`Run`]), and both tell what that costs ([`Prices`]).
//!
//! The tree is JSON with a few members of its own: `$type` names an object's type, `$connection`
//! holds the members of a paged list, `$page` its page information where the members are one page
//! already, `$list` those of a list that takes `first`, `$denied` stands where the client may not
//! look.

mod cost;
mod document;
mod execute;

pub(crate) use cost::Prices;
pub(crate) use document::{Field, Selection, Selections, parse};
pub(crate) use execute::{Dialect, Run, plain};

//! Which stores a command is about.

use super::App;
use crate::book::{Book, Store};
use crate::error::{Error, ErrorKind, Result};

impl App {
    /// The book for a command that only reads; without one there is no store yet.
    pub(super) fn existing_book(&self) -> Result<Book> {
        Book::open_existing(&self.context.home.book(), self.context.clock.clone())?.ok_or_else(no_store)
    }

    /// The connected stores named in `wanted`: store names, or channel names for all stores of a
    /// channel. None named: all.
    pub(super) fn stores(&self, book: &Book, wanted: &[String]) -> Result<Vec<Store>> {
        let all = book.stores()?;
        if all.is_empty() {
            return Err(no_store());
        }
        chosen(all, wanted, "connected")
    }

    /// The stores named in `wanted` whose orders the book has, connected or not.
    pub(super) fn stores_of_old(&self, book: &Book, wanted: &[String]) -> Result<Vec<Store>> {
        chosen(book.stores_of_old()?, wanted, "known")
    }

    /// The one store of this name.
    pub(super) fn store(&self, book: &Book, name: &str) -> Result<Store> {
        book.store(name)?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("no connected store is called {name:?}; nothing was done"))
                .hint("ordersync connect --list")
        })
    }
}

fn chosen(all: Vec<Store>, wanted: &[String], are: &str) -> Result<Vec<Store>> {
    if wanted.is_empty() {
        return Ok(all);
    }
    for word in wanted {
        if !all.iter().any(|store| is_meant(store, word)) {
            let names: Vec<&str> = all.iter().map(|store| store.name.as_str()).collect();
            let text = format!("no {are} store is called {word:?} ({are}: {}); nothing was done", names.join(", "));
            return Err(Error::new(ErrorKind::NotFound, text).hint("ordersync connect --list"));
        }
    }
    Ok(all.into_iter().filter(|store| wanted.iter().any(|word| is_meant(store, word))).collect())
}

fn is_meant(store: &Store, word: &str) -> bool {
    store.name == word || store.kind.word() == word
}

fn no_store() -> Error {
    let hint = if cfg!(feature = "simulator") {
        "ordersync connect woocommerce, or ordersync demo to see it work"
    } else {
        "ordersync connect woocommerce"
    };
    Error::new(ErrorKind::NotFound, "no store is connected yet").hint(hint)
}

//! Which stores a command is about.

use super::{App, output};
use crate::book::{Book, BookOrder, Store};
use crate::channel::ChannelKind;
use crate::error::{Error, ErrorKind, Result};
use crate::order::{Fate, Field};
use crate::sync::undecided;

impl App {
    /// The book for a command that only reads; without one there is no store yet.
    pub(super) fn existing_book(&self) -> Result<Book> {
        let book = Book::open_existing(&self.context.home.book(), self.context.clock.clone())?;
        let mut book = book.ok_or_else(no_store)?;
        // A book that cannot be written now can be read all the same.
        let _ = undecided::some(&mut book, 0);
        Ok(book)
    }

    /// The book for a command that writes it, which takes a small step of a clearing that was left
    /// by the way.
    pub(super) fn book_to_write(&self) -> Result<Book> {
        let mut book = self.existing_book()?;
        let _ = book.clear_in_passing();
        Ok(book)
    }

    /// The order after an act that ends what the merchant did with it: what came from the channel
    /// meanwhile is decided. Where that fails it is done by the next command.
    pub(super) fn decided(&self, book: &mut Book, order: i64) -> Result<BookOrder> {
        let _ = undecided::some(book, order.saturating_sub(1));
        if !self.global.quiet && book.circumstances(order)?.fates.contains(&(Field::Cancelled, Fate::Review)) {
            output::note(&format!(
                "it is cancelled at the channel; it is not to be sent until you have decided: ordersync accept book:{order} or ordersync reject book:{order}"
            ));
        }
        book.order(order)
    }

    /// The connected stores named in `wanted`: store names, or channel names for all stores of a
    /// channel. None named: all.
    pub(super) fn stores(&self, book: &Book, wanted: &[String]) -> Result<Vec<Store>> {
        let all = book.stores()?;
        if all.is_empty() {
            return Err(no_store_of(book)?);
        }
        chosen(all, wanted, "connected")
    }

    /// The stores named in `wanted` whose orders the book has, connected or not.
    pub(super) fn stores_of_old(&self, book: &Book, wanted: &[String]) -> Result<Vec<Store>> {
        chosen(book.stores_of_old()?, wanted, "known")
    }

    /// The one store of this name.
    pub(super) fn store(&self, book: &Book, name: &str) -> Result<Store> {
        if let Some(store) = book.store(name)? {
            return Ok(store);
        }
        let old = book.stores_of_old()?.into_iter().find(|store| store.name == name);
        Err(match old {
            Some(store) => Error::new(ErrorKind::NotFound, format!("{name} is disconnected; nothing was done"))
                .hint(format!("ordersync connect {} takes it and its orders up again", store.kind)),
            None => Error::new(ErrorKind::NotFound, format!("no connected store is called {name:?}; nothing was done"))
                .hint("ordersync connect --list"),
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

/// Of a book that has orders, though no store is connected any more: what it has, and how they are taken
/// up again.
pub(super) fn none_connected(book: &Book) -> Result<Option<Error>> {
    let old = book.stores_of_old()?;
    let Some(first) = old.first() else { return Ok(None) };
    let names: Vec<&str> = old.iter().map(|store| store.name.as_str()).collect();
    let orders: u64 = book.counts()?.0.values().sum();
    if orders == 0 {
        return Ok(None);
    }
    let text = format!(
        "no store is connected any more; the book keeps {} of {}",
        output::count(orders, "order"),
        names.join(", ")
    );
    let hint = format!(
        "ordersync orders lists them; ordersync connect {} takes {} and its orders up again",
        first.kind, first.name
    );
    Ok(Some(Error::new(ErrorKind::NotFound, text).hint(hint)))
}

/// That no store of this book is connected.
pub(super) fn no_store_of(book: &Book) -> Result<Error> {
    Ok(none_connected(book)?.unwrap_or_else(no_store))
}

fn no_store() -> Error {
    let mut hint = connect_one();
    if cfg!(feature = "simulator") {
        hint.push_str("; ordersync demo shows how it works");
    }
    Error::new(ErrorKind::NotFound, "no store is connected yet").hint(hint)
}

/// How a first store is connected, whatever its channel is.
pub(super) fn connect_one() -> String {
    let kinds: Vec<&str> = ChannelKind::offered().map(ChannelKind::word).collect();
    format!("ordersync connect KIND, of {}", kinds.join(", "))
}

//! ordersync: every order from every shop, in one SQLite file that the merchant owns.
//!
//! # The way of an order
//!
//! A sync ([`sync`]) runs each connected store on a thread of its own. Fetching threads ask the
//! store's adapter ([`channel`]) for page after page; the store's own thread takes them into the
//! book ([`book`]), each page together with the position behind it in one transaction, which in a
//! first sync several pages share. A run that is killed leaves whole pages and the right position,
//! and the next run goes on from there.
//!
//! What the channel says is kept as its own document. The *merchant's copy* beside it is what
//! `orders` and `show` print and what the merchant works on; a newer version at the channel never
//! changes the copy of a paid order behind the merchant's back: each field that differs has its fate
//! by what the store is set to do ([`sync::policy`]). It is kept as *drift* where it is not applied,
//! and everything that compares the two compares documents, never local edits. What came while the
//! merchant was at work on an order, or before its store was set to do something else, is decided
//! again once that is so ([`sync::undecided`]).
//!
//! # The way of a dispatch
//!
//! `dispatch` reads the order at the channel, holds it against the version that the merchant last
//! saw ([`sync::guard`]), records shipment and outbox row in one durable transaction, and pushes
//! the row ([`sync::export`]). A row states a goal ("this shipment is known there"). Every attempt
//! asks what is still outstanding ([`sync::outstanding`]): the adapter says which records the
//! dispatch would be there and what the channel shows, one rule matches the two
//! ([`channel::matching`]), and the adapter turns what is left into writes. An attempt whose answer
//! was lost is therefore looked for, not repeated; so is, at once, a write that was turned down. The
//! row is confirmed when nothing is outstanding any more.
//!
//! # Who owns what
//!
//! | folder | owns |
//! |---|---|
//! | [`order`] | the domain types: no I/O |
//! | [`channel`] | the seam ([`channel::Channel`]) and one folder per channel: its URLs, authentication, wire types, mapping, and the reading of its errors |
//! | [`http`] | the client that adapters call: waiting, repeating, pacing, TLS, redaction |
//! | [`book`] | the SQLite file: all SQL of the program, migrations, the views for the merchant's own tools |
//! | [`sync`] | the engine: import, export, policy, locks between processes, advice |
//! | `listen` | the receiver of webhooks: what may come in, what is kept of it, the subscriptions |
//! | `watch` | the polling of stores that tell of nothing: how often, and when not |
//! | [`cli`] | the command line: one file per command; all printing |
//! | `sim` | simulated stores with state and faults, for tests, `demo` and `simulate`; they never use an adapter's wire types |
//! | [`schedule`] | the half-hourly timer: systemd, cron, launchd |
//!
//! Errors are one type with a kind ([`error`]); the kind alone decides the exit code. Time comes
//! from [`clock`], so that tests own it. Secrets are [`secret::Secret`]s and live in files of their
//! own ([`credentials`]).
//!
//! # The promises
//!
//! Comments and tests name what they keep by its id.
//!
//! | id | promise |
//! |---|---|
//! | C-1 | Results go to stdout; progress, notes and errors to stderr. What programs read is documented in `docs/data.md`, and only added to. |
//! | C-2 | Exit codes: 0 done, 1 failed, 2 usage, 3 partly done, 4 credentials, 5 temporary, 6 refused by a guard, 7 not found, 8 locked, 130 interrupted. |
//! | C-3 | A sync that went well and that nobody watches prints nothing. |
//! | C-4 | Nothing requires a prompt; what was named wins over the environment. |
//! | C-5 | `--home` and `ORDERSYNC_HOME` put everything under one directory. |
//! | C-6 | An error says what was found, what was not done, and the command that helps. |
//! | C-7 | Texts of buyers and channels are data, on a terminal and in a CSV file. |
//! | I-1 | Each store is imported every half hour; the interval is its setting. |
//! | I-2 | Every order changed since is imported, in all statuses. |
//! | I-3 | No order is lost or doubled: not between pages, runs or ways of reading. The position never stands behind an order that is not in the book. |
//! | I-4 | An order that cannot be understood or shown costs that order, and is told. |
//! | I-5 | A store that is down costs that store. |
//! | I-6 | A pause that a channel asks for holds for all who call the store; budgets are kept to. |
//! | I-7 | A run accounts for all it fetched: new, changed, unchanged, failed. |
//! | I-8 | Money is exact, in the shop's and the buyer's currency. |
//! | I-9 | A shop is connected once; new credentials import nothing again. |
//! | P-1 | What a store ignores changes no byte of the merchant's copy; the difference is kept. |
//! | P-2 | What a store reviews is kept as well, and waits for the merchant's word. |
//! | P-3 | A cancellation at the channel touches nothing that the merchant has begun. |
//! | P-4 | Archiving at the channel changes no status here. |
//! | P-5 | What the merchant has edited is never overwritten by what changes at the channel. |
//! | P-6 | An order first seen cancelled or shipped is imported as that. |
//! | P-7 | Between import and the merchant's own act nothing is written to the channel. |
//! | P-8 | An order is never deleted by what a channel lacks: that it is gone there is a fact of it. |
//! | P-9 | Payment is a fact; until it is paid an order follows the channel in everything. |
//! | P-10 | Refunds are facts: amount, lines and pieces, never a status. |
//! | P-11 | Data that a channel no longer tells is no change, and empties nothing. |
//! | P-12 | What a status means is decided by evidence, then by the channel's words, then by the merchant's setting. |
//! | D-1 | An act first reads the order at the channel; what differs from the version last seen is reviewed first. |
//! | D-2 | What is known to be impossible is refused before anything is recorded. |
//! | D-3 | A write whose answer was lost, or is a no, is looked for, never repeated blindly. |
//! | D-4 | Confirmed means read back from the channel. |
//! | D-5 | Parts, several parcels and other tracking numbers, where the channel can; else a clear refusal before anything is sent. |
//! | D-6 | Carriers have plain names, and each channel's own spelling. |
//! | D-7 | What is recorded goes out every half hour at the latest. |
//! | D-8 | A cancellation does what the channel's API allows, and says what it does. |
//! | D-9 | An order that ships before it is paid goes out by a flag or a setting. |
//! | A-1 | Guide times are shown when a store is connected, as approximate. |
//! | A-2 | `status` gives the stage of a store that has no orders yet. |
//! | F-1 | A schedule is never switched off by errors, and a run has an end. |
//! | F-2 | One run at a time works on a store; the others wait or say so. |
//! | F-3 | A token is renewed once among processes, and stored before it is used. |
//! | F-4 | A full disk, a damaged book or a broken answer is a clear error that loses nothing. |
//! | F-5 | A kill at any instant leaves a book that opens, and whose next run converges. |
//! | F-6 | No input makes the program panic. |
//! | F-7 | The sums and pieces of an order add up, or what does not is shown. |
//! | W-1 | What a channel tells of by webhook is in the book within seconds, also beside a first sync, by the same rules as in a sync. |
//! | W-2 | A delivery is verified on its raw bytes and kept durably before it is answered; twice, late or killed in between does no harm. |
//! | W-3 | `status` shows where Instasync is on, and where orders come that nothing told of; elsewhere the refusal says the other way. |
//! | W-4 | The sync every half hour stays on and finds what was lost. |
//! | W-5 | A delivery of a webhook writes nothing to a channel, and reads no more than the orders that it is about. |
//! | X-1 | Credentials are in files of their own and in no output. |
//! | X-2 | TLS is required except on loopback. |
//! | X-3 | Logs hold no personal data. What of people is to go (old orders, one person) is in no byte of the book afterwards, and comes not back; keys, totals and the tax country stay. |
//! | X-4 | The receiver listens on loopback unless told otherwise, bounds what comes in, and serves nothing else. |
//! | X-5 | Loopback is never reached through a proxy. |
//! | X-6 | Credentials are bound to the origin that they were given for. |
//! | X-7 | Times, sizes and numbers that a server tells are bounded where they are read. |
//! | X-8 | The book belongs to its owner alone, and what is no book of ours is left alone. |
//! | Q-1 | A first sync costs little more than a bare program that fetches and stores the same. |
//! | Q-2 | A sync with nothing new costs one request where the channel allows. |
//! | Q-3 | `status`, `orders` and `show` answer at once on a book of a million orders. |
//! | Q-4 | The program starts in five milliseconds. |
//! | Q-5 | Pages are in flight side by side, as shops answer slowly. |

#![warn(unreachable_pub)]

pub mod book;
pub mod channel;
pub mod cli;
pub mod clock;
pub(crate) mod crash;
pub mod credentials;
pub mod error;
pub(crate) mod files;
pub mod home;
pub mod http;
mod listen;
pub mod lock;
pub mod order;
pub(crate) mod schedule;
pub mod secret;
#[cfg(feature = "simulator")]
pub mod sim;
pub mod sync;
mod watch;

//! Orders on their way into the book. What is costly to make of them and needs no book is made by
//! the threads that fetch them, so that the one that writes need not wait for it.

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::documents::Documents;
use crate::channel::{ChannelKind, RemoteOrder};
use crate::error::Result;
use crate::order::Order;

/// An order as it came.
#[derive(Clone)]
pub(crate) struct Arrived {
    /// The channel's id.
    pub(crate) remote_id: String,
    /// The order, or why it could not be understood.
    pub(crate) order: std::result::Result<Box<Order>, String>,
    /// What identifies its content, where that is known already.
    pub(super) print: Option<[u8; 16]>,
    pub(super) document: Document,
}

/// The channel's own JSON.
#[derive(Clone)]
pub(super) enum Document {
    Bare(Box<RawValue>),
    /// With its codec.
    Packed(i64, Vec<u8>),
}

impl From<RemoteOrder> for Arrived {
    fn from(RemoteOrder { remote_id, document, order }: RemoteOrder) -> Self {
        Self { remote_id, order, print: None, document: Document::Bare(document) }
    }
}

/// Makes what can be made before the book is asked; each thread has its own.
pub(crate) struct Making {
    kind: ChannelKind,
    documents: Documents,
}

impl Making {
    /// For orders of a store of this kind.
    pub(crate) fn new(kind: ChannelKind) -> Self {
        Self { kind, documents: Documents::default() }
    }

    /// The order with its fingerprint; and with its document packed where `is_new`: of an order that
    /// the book knows already, that is most often for nothing.
    ///
    /// # Errors
    /// Where a document cannot be packed.
    pub(crate) fn make(&self, seen: RemoteOrder, is_new: bool) -> Result<Arrived> {
        let mut made = Arrived::from(seen);
        let Ok(order) = &made.order else { return Ok(made) };
        made.print = Some(fingerprint(order));
        if is_new && let Document::Bare(bare) = &made.document {
            let (codec, mut packed) = self.documents.pack(self.kind, bare.get().as_bytes())?;
            packed.shrink_to_fit();
            made.document = Document::Packed(codec, packed);
        }
        Ok(made)
    }
}

/// What identifies the content of a version: everything but the modification time, which alone
/// means nothing.
pub(super) fn fingerprint(order: &Order) -> [u8; 16] {
    let mut text = Vec::with_capacity(4096);
    // Serialising a plain value into memory cannot fail.
    let _ = serde_json::to_writer(&mut text, &BareOrder { order });
    let mut short = [0u8; 16];
    short.copy_from_slice(&Sha256::digest(&text)[..16]);
    short
}

struct BareOrder<'a> {
    order: &'a Order,
}

impl serde::Serialize for BareOrder<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let o = self.order;
        let key = (&o.remote_id, &o.number, o.status, &o.channel_status, o.presence, o.placed_at, o.paid_at, o.ship_by);
        let money = (o.currency, o.totals, &o.shop_totals, o.prices_include_tax, &o.charges, &o.refunds, &o.payment);
        let goods = (&o.buyer, &o.ship_to, &o.bill_to, &o.lines, &o.shipments);
        (key, money, goods, &o.buyer_note, &o.source, o.test, &o.attributes).serialize(serializer)
    }
}

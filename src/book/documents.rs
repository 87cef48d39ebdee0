//! The channel's documents, compressed. Orders of one channel are alike, so a dictionary of our own
//! making per channel brings a document of 4 KB to some hundreds of bytes.
//!
//! A codec number stands with every document. Dictionaries are never edited, only added under a new
//! number.

use std::cell::RefCell;

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::CParameter;

use crate::channel::ChannelKind;
use crate::error::{Error, ErrorKind, Result};

/// Not compressed at all.
const BARE: i64 = 0;

/// Without a dictionary.
const PLAIN: i64 = 1;

/// The dictionaries: codec, whose documents they are alike to, and the text. Oldest first: a kind
/// packs with its newest.
const DICTIONARIES: &[(i64, ChannelKind, &[u8])] = &[
    (2, ChannelKind::WooCommerce, include_bytes!("dictionaries/woocommerce_1.json")),
    (3, ChannelKind::BigCommerce, include_bytes!("dictionaries/bigcommerce_1.json")),
    (4, ChannelKind::Etsy, include_bytes!("dictionaries/etsy_1.json")),
    (5, ChannelKind::Magento, include_bytes!("dictionaries/magento_1.json")),
    (6, ChannelKind::Shopify, include_bytes!("dictionaries/shopify_1.json")),
    (7, ChannelKind::Ebay, include_bytes!("dictionaries/ebay_1.json")),
];

/// The compression level: without the entropy coding of literals. On recorded orders it takes two
/// thirds of the time of level 1 for 6 % more bytes of document, 1.5 % of the book; the levels
/// above 1 hardly make it smaller.
const LEVEL: i32 = -1;

/// Beside a dictionary no shorter matches are sought: they are found by chance, cost a search each, and
/// save less than their own description. Up to a tenth less time than with the level's own length, and
/// a little smaller.
const MATCHES: CParameter = CParameter::MinMatch(6);

/// The largest document that is read back, in bytes; the same bound as for a reply.
const LARGEST: usize = 48 * 1024 * 1024;

fn dictionary(codec: i64) -> Option<&'static [u8]> {
    match codec {
        PLAIN => Some(&[]),
        codec => DICTIONARIES.iter().find(|(known, ..)| *known == codec).map(|(.., text)| *text),
    }
}

fn codec_of(kind: ChannelKind) -> i64 {
    DICTIONARIES.iter().rfind(|(_, of, _)| *of == kind).map_or(PLAIN, |(codec, ..)| *codec)
}

/// Compresses and decompresses, with contexts that are made once.
#[derive(Default)]
pub(super) struct Documents {
    compressor: RefCell<Option<(i64, Compressor<'static>)>>,
    decompressor: RefCell<Option<(i64, Decompressor<'static>)>>,
}

impl Documents {
    /// The codec and the compressed bytes.
    pub(super) fn pack(&self, kind: ChannelKind, document: &[u8]) -> Result<(i64, Vec<u8>)> {
        let codec = codec_of(kind);
        let mut slot = self.compressor.borrow_mut();
        if slot.as_ref().is_none_or(|(made_for, _)| *made_for != codec) {
            let dictionary = dictionary(codec).unwrap_or_default();
            let mut compressor = Compressor::default();
            if !dictionary.is_empty() {
                compressor.set_parameter(MATCHES).map_err(failed)?;
            }
            compressor.set_dictionary(LEVEL, dictionary).map_err(failed)?;
            *slot = Some((codec, compressor));
        }
        match slot.as_mut() {
            Some((_, compressor)) => Ok((codec, compressor.compress(document).map_err(failed)?)),
            None => Err(Error::new(ErrorKind::Failed, "no compressor")),
        }
    }

    /// The document back.
    pub(super) fn unpack(&self, codec: i64, bytes: &[u8]) -> Result<Vec<u8>> {
        if codec == BARE {
            return Ok(bytes.to_vec());
        }
        let dictionary = dictionary(codec).ok_or_else(|| super::error::odd("document", &codec.to_string()))?;
        let size = zstd::zstd_safe::get_frame_content_size(bytes).ok().flatten().unwrap_or(0);
        let size = usize::try_from(size).unwrap_or(LARGEST).min(LARGEST);
        let damaged = || {
            Error::new(ErrorKind::Book, "a document in the book is damaged")
                .hint("ordersync doctor checks the whole book")
        };
        let mut slot = self.decompressor.borrow_mut();
        if slot.as_ref().is_none_or(|(made_for, _)| *made_for != codec) {
            *slot = Some((codec, Decompressor::with_dictionary(dictionary).map_err(failed)?));
        }
        slot.as_mut().and_then(|(_, decompressor)| decompressor.decompress(bytes, size).ok()).ok_or_else(damaged)
    }
}

fn failed(e: std::io::Error) -> Error {
    Error::new(ErrorKind::Failed, format!("a document could not be compressed: {e}; nothing was imported"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_comes_back_as_it_was_and_is_small() {
        let documents = Documents::default();
        for (codec, kind, document) in DICTIONARIES {
            let (packed_by, bytes) = documents.pack(*kind, document).unwrap();
            assert_eq!(packed_by, *codec);
            assert!(bytes.len() * 20 < document.len(), "{kind}");
            assert_eq!(documents.unpack(*codec, &bytes).unwrap(), *document);
            assert!(documents.unpack(*codec, b"garbage").is_err());
        }
        assert!(documents.unpack(99, b"").is_err());
    }

    /// As books have them from before their channel had a dictionary.
    #[test]
    fn a_document_that_was_packed_without_a_dictionary_comes_back() {
        for (_, _, document) in DICTIONARIES {
            let bytes = Compressor::new(1).unwrap().compress(document).unwrap();
            assert_eq!(Documents::default().unpack(PLAIN, &bytes).unwrap(), *document);
        }
    }
}

//! The kinds of channel, and what `connect` asks for.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::open::Adapter;

/// The non-secret values of a store, by the name of their [`Field`].
pub type Values = BTreeMap<String, String>;

/// Registers the channels, one line each: the kind, its word, its folder. Sorted by word. One with
/// a condition before it is offered to no merchant.
macro_rules! channels {
    ($($(#[$only:meta])* $kind:ident $word:literal $folder:ident,)*) => {
        /// A kind of sales channel.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
        pub enum ChannelKind {
            $(
                $(#[$only])*
                #[doc = concat!("`", $word, "`")]
                #[serde(rename = $word)]
                #[value(name = $word, help = None::<&str>, hide = !Self::$kind.is_offered())]
                $kind,
            )*
        }

        impl ChannelKind {
            /// Every kind, sorted by word.
            pub const ALL: [Self; [$($(#[$only])* $word),*].len()] = [$($(#[$only])* Self::$kind),*];

            /// The word on the command line and in the book.
            pub fn word(self) -> &'static str {
                match self {
                    $($(#[$only])* Self::$kind => $word,)*
                }
            }

            /// Whether merchants are told that there is this kind.
            pub fn is_offered(self) -> bool {
                match self {
                    $($(#[$only])* Self::$kind => <[&str]>::is_empty(&[$(stringify!($only)),*]),)*
                }
            }

            /// What is known of the kind before a store of it is open.
            pub fn adapter(self) -> &'static Adapter {
                match self {
                    $($(#[$only])* Self::$kind => &super::$folder::ADAPTER,)*
                }
            }
        }
    };
}

channels! {
    BigCommerce "bigcommerce" bigcommerce,
    Ebay "ebay" ebay,
    #[cfg(feature = "example")]
    Example "example" example,
    Etsy "etsy" etsy,
    Magento "magento" magento,
    Shopify "shopify" shopify,
    WooCommerce "woocommerce" woocommerce,
}

impl ChannelKind {
    /// Those that merchants are offered.
    pub fn offered() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|kind| kind.is_offered())
    }

    /// The name people read.
    pub fn title(self) -> &'static str {
        self.adapter().title
    }

    /// The kind with this word.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl fmt::Display for ChannelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// One value that `connect` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its key in a credentials file; its flag is `--key-with-dashes`, its variable
    /// `ORDERSYNC_KEY`.
    pub key: &'static str,
    /// What the wizard asks.
    pub(crate) prompt: &'static str,
    /// Where the merchant finds it.
    pub(crate) help: &'static str,
    /// Secrets come from a file, standard input, the environment or a hidden prompt, never from a
    /// flag.
    pub secret: bool,
    /// Whether there is no connection without it.
    pub required: bool,
}

//! What a store does with a change that comes from its channel after import.

use super::Field;

/// What becomes of one kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    /// It is kept beside the merchant's copy (P-1).
    Ignore,
    /// It waits there for the merchant's word (P-2).
    Review,
    /// The copy takes it over, as far as the merchant has not begun with the order.
    Apply,
}

impl Policy {
    const ALL: [Self; 3] = [Self::Ignore, Self::Review, Self::Apply];

    /// The word in a setting.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::Review => "review",
            Self::Apply => "apply",
        }
    }
}

/// What has become of a field that differs in a newer version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The copy has taken it over, and it is no difference any more.
    Applied,
    /// The copy has taken it over as what it is, and a parcel waits until the merchant has seen it.
    Fact,
    /// It is kept beside the copy.
    Drift,
    /// It is kept beside the copy and waits for the merchant.
    Review,
    /// It waited, and the merchant does not want it.
    Rejected,
}

impl Fate {
    const ALL: [Self; 5] = [Self::Applied, Self::Fact, Self::Drift, Self::Review, Self::Rejected];

    /// The word in the book.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Fact => "fact",
            Self::Drift => "drift",
            Self::Review => "review",
            Self::Rejected => "rejected",
        }
    }

    /// The fate with this word.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fate| fate.word() == word)
    }

    /// Whether the copy has it.
    pub(crate) fn is_written(self) -> bool {
        matches!(self, Self::Applied | Self::Fact)
    }
}

/// What a store does with each kind of change. Payment, refunds, and a hold until
/// the order is begun with, are facts under all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Policies {
    /// Lines, sums, notes, the shipping service, the time to ship by, and a hold.
    pub(crate) edits: Policy,
    /// Where it goes.
    pub(crate) address: Policy,
    /// Cancelled, or in the bin.
    pub(crate) cancels: Policy,
    /// Put away as done with.
    pub(crate) archives: Policy,
    /// Shipped by other means.
    pub(crate) shipments: Policy,
}

/// The settings that say it.
pub(crate) const KEYS: [&str; 5] = ["edits", "address", "cancels", "archives", "shipments"];

impl Policies {
    /// What holds where nothing else is said of a channel.
    pub(crate) const USUAL: Self = Self {
        edits: Policy::Ignore,
        address: Policy::Ignore,
        cancels: Policy::Review,
        archives: Policy::Ignore,
        shipments: Policy::Review,
    };

    /// These, but for what the merchant has set: `set` gives the value of a setting.
    pub(crate) fn with<'a>(self, set: impl Fn(&str) -> Option<&'a str>) -> Self {
        let mut policies = self;
        for key in KEYS {
            if let (Some(policy), Some(place)) = (set(key).and_then(|word| policy(key, word)), policies.place(key)) {
                *place = policy;
            }
        }
        policies
    }

    /// What is done with what this setting is about.
    pub(crate) fn get(mut self, key: &str) -> Option<Policy> {
        self.place(key).map(|policy| *policy)
    }

    /// What is done with a change of this field; nothing where it is a fact.
    pub(crate) fn of(&self, field: Field) -> Option<Policy> {
        match field {
            Field::Payment | Field::Refunded => None,
            Field::Cancelled => Some(self.cancels),
            Field::Shipped => Some(self.shipments),
            Field::Address => Some(self.address),
            Field::Archived => Some(self.archives),
            Field::Lines | Field::Hold | Field::Totals | Field::Notes | Field::Service | Field::ShipBy => {
                Some(self.edits)
            }
        }
    }

    fn place(&mut self, key: &str) -> Option<&mut Policy> {
        match key {
            "edits" => Some(&mut self.edits),
            "address" => Some(&mut self.address),
            "cancels" => Some(&mut self.cancels),
            "archives" => Some(&mut self.archives),
            "shipments" => Some(&mut self.shipments),
            _ => None,
        }
    }
}

/// What a word means in a setting, where it may stand there: archiving at the channel changes
/// nothing here (P-4).
pub(crate) fn policy(key: &str, word: &str) -> Option<Policy> {
    let found = Policy::ALL.into_iter().find(|policy| policy.word() == word.trim());
    found.filter(|policy| key != "archives" || *policy != Policy::Apply)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p4_a_store_may_be_set_to_apply_all_but_archives() {
        for key in KEYS {
            assert_eq!(policy(key, "review"), Some(Policy::Review));
            assert_eq!(policy(key, "apply").is_some(), key != "archives");
            assert_eq!(policy(key, "sometimes"), None);
            let set = Policies::USUAL.with(|asked| (asked == key).then_some("review"));
            assert_eq!(set.get(key), Some(Policy::Review), "{key}");
        }
        assert_eq!(Policies::USUAL.with(|_| Some("nonsense")), Policies::USUAL);
    }
}

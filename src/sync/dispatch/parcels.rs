//! The parcels of a dispatch: carriers by name, tracking numbers as they were meant.

use super::Request;
use crate::channel::{Capabilities, UnknownCarrier};
use crate::error::{Error, ErrorKind, Result};
use crate::order::{CarrierName, Parcel, carrier, carrier_name, nearest_carriers, same_number, tracking_number};

/// The parcels of a request.
pub(super) fn of(request: &Request, can: &Capabilities, channel: &str) -> Result<Vec<Parcel>> {
    if request.carriers.len() > 1 && request.carriers.len() != request.tracking.len() {
        let text = format!(
            "{} carriers but {} tracking numbers; give one --carrier for all, or one for each --tracking",
            request.carriers.len(),
            request.tracking.len()
        );
        return Err(Error::new(ErrorKind::Usage, text));
    }
    if !request.carriers.is_empty() && request.tracking.is_empty() {
        return Err(Error::new(ErrorKind::Usage, "a --carrier without a --tracking number; nothing was recorded"));
    }
    let parcels: Vec<Parcel> = request
        .tracking
        .iter()
        .enumerate()
        .map(|(n, tracking)| {
            let name = request.carriers.get(n).or(request.carriers.first()).map_or("", String::as_str);
            let tracking = tracking_number(tracking).map_err(|why| {
                Error::new(ErrorKind::Usage, format!("the tracking number {tracking:?} {why}; nothing was recorded"))
            })?;
            // Typed the wrong way round, or of columns that are.
            if matches!(carrier_name(&tracking), CarrierName::Known(_)) {
                let text = format!("the tracking number {tracking:?} is a carrier's name; nothing was recorded");
                return Err(Error::new(ErrorKind::Usage, text).hint("--carrier NAME --tracking NUMBER"));
            }
            Ok(Parcel { carrier: named(name.trim(), request.other_carrier, can, channel)?, tracking, url: None })
        })
        .collect::<Result<_>>()?;
    refuse_twice(&parcels)?;
    Ok(parcels)
}

/// Two parcels have two numbers: one given twice is a slip, and would be a second parcel that
/// nobody sends.
fn refuse_twice(parcels: &[Parcel]) -> Result<()> {
    let above =
        |nth: usize, parcel: &Parcel| parcels.iter().take(nth).any(|one| same_number(&one.tracking, &parcel.tracking));
    match parcels.iter().enumerate().find(|(nth, parcel)| above(*nth, parcel)) {
        None => Ok(()),
        Some((_, parcel)) => {
            let text = format!("the tracking number {} is given twice; nothing was recorded", parcel.tracking);
            Err(Error::new(ErrorKind::Usage, text).hint("give it once, or the second parcel's own number"))
        }
    }
}

/// The plain name of a carrier that is known; else the merchant's own text, where it is none that
/// is most likely mistyped.
fn named(name: &str, other: bool, can: &Capabilities, channel: &str) -> Result<String> {
    if name.is_empty() {
        return Ok(String::new());
    }
    if other {
        return Ok(carrier(name).map_or(name, |known| known.name).to_owned());
    }
    let (problem, choices) = match carrier_name(name) {
        CarrierName::Known(known) => return Ok(known.name.to_owned()),
        CarrierName::Unknown if can.unknown_carrier == UnknownCarrier::Refused => {
            let text = format!(
                "{channel} knows no carrier {name:?}; the nearest: {}; nothing was recorded",
                nearest_carriers(name).join(", ")
            );
            return Err(Error::new(ErrorKind::Usage, text).hint("ordersync carriers lists them all"));
        }
        CarrierName::Unknown => return Ok(name.to_owned()),
        CarrierName::Slip(names) => ("looks like a slip of", names.join(" or ")),
        CarrierName::Shared(names) => ("may mean any of", names.join(", ")),
        CarrierName::Begins(known) => ("names no service that is known of", known.name.to_owned()),
    };
    let text = format!("the carrier {name:?} {problem} {choices}; nothing was recorded");
    let hint = "name one of these as the carrier; --other-carrier sends the name as it is written";
    Err(Error::new(ErrorKind::Usage, text).hint(hint))
}

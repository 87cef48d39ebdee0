//! Shipping fulfilments: what was sent, and what is said to be sent.

use std::time::Duration;

use serde_json::{Value, json};

use super::access::moment;
use super::lists::{failed, is_there, refused, unknown};
use super::options::Repeats;
use super::vendor::{CANCELED, Program};
use super::{Call, Ebay, Response, render};
use crate::sim::rest::Answer;
use crate::sim::world::{About, Shipment, Tracking, Vendor, Way, part_id};

/// The carriers' codes.
const CARRIERS: &str = "A1CourierServices ABF AeroPost ALLIEDEXPRESS AMWST AnPost APC ARAMEX ARVATO ASM \
    AustralianAirExpress AustraliaPost AVRT Bartolini BELGIANPOST BKNS BluePackage BusinessPost BPost CanPar CENF CEVA \
    ChinaPost Chronoexpres Chronopost CHUKOU1 ChunghwaPost CitiPost CityLink ClickandQuick CNWY ColiposteDomestic \
    ColiposteInternational Colissimo CollectPlus Correos CPC CustomCode DAIPost DayandRoss DBSchenker DeutschePost DHL \
    DHLEKB DHLEXPRESS DHLG DHLGlobalMail DieSchweizerischePost DPD DPXThailand Ducros EGO EMF Exapaq Fastway \
    FASTWAYCOURIERS FedEx FedExSmartPost FLYT FLYTExpress FlytExpressUSDirectline FourPX FourPXCHINA FourPXLTD \
    FourPXExpress FTFT FulfilExpresseForCity FulfilExpressiTrimming FulfilExpressAccStation FulfilExpressEverydaySource \
    GLS HDUSA Hermes HomeDeliveryNetwork HongKongPost HUNTEREXPRESS IndiaPost IndonesiaPost Interlink InterPost IoInvio \
    Iparcel IsraelPost iLoxx JapanPost KIALA KoreaPost Landmark LAPOSTE LDSO LTL MALAYSIAPOST MannaFreight Metapack \
    MNGTurkey MondialRelay MRW MSI Nacex NEMF ODFL OFFD ONTRACK OsterreichischePostAG Other OVNT Parcelforce ParcelPool \
    Philpost Pilot PITD PocztaPolska Pocztex PosteItaliane POSTITALIANO PostNL PostNordNorway Prestige Quantium RETL \
    RoyalMail RRUN SAIA SDA Seur SevenLSP SFC SFCExpress SINGAPOREPOST Siodemka SioliandFontana SkynetMalaysia SMARTSEND \
    Sogetras Spediamo SpeeDee StarTrack SuntekExpressLTD SwissPost TELE TEMANDO THAILANDPOST TNT TNTEXPRESS TNTPost Toll \
    TPG TWW UBI UKMail UPS UPSC UPSMailInnovations USFG USPS USPSPMI USPSCeP VietnamPost VITR WATKINS Winit Wise WPX \
    WNdirect YANWEN Yodel YRC";

/// The order of a request.
fn order_id(call: &Call<'_, '_>) -> Result<u64, Response> {
    let text = call.path.first().cloned().unwrap_or_default();
    let id = Ebay::read_id(&text);
    let entry = call.state.orders.get(&id).filter(|entry| is_there(call, entry));
    entry.map(|entry| entry.id).ok_or_else(|| unknown(400, &text))
}

/// `GET order/{id}/shipping_fulfillment`.
pub(super) fn list(call: &mut Call<'_, '_>) -> Answer {
    let id = order_id(call)?;
    if call.state.unrenderable.contains(&id) {
        return Err(failed());
    }
    let order = call.order(id).ok_or_else(failed)?;
    let rows: Vec<Value> = order.sent().map(render::fulfillment).collect();
    Ok(Response::json(200, &json!({ "fulfillments": rows, "total": rows.len() })))
}

/// `GET order/{id}/shipping_fulfillment/{id}`.
pub(super) fn one(call: &mut Call<'_, '_>) -> Answer {
    let id = order_id(call)?;
    let wanted = call.path.get(1).cloned().unwrap_or_default();
    let order = call.order(id).ok_or_else(failed)?;
    let found = order.sent().find(|shipment| render::fulfillment_id(shipment) == wanted).map(render::fulfillment);
    found.map(|row| Response::json(200, &row)).ok_or_else(|| refused(404, 32_110, "Invalid fulfillment ID"))
}

/// Carrier and number of a wish, as far as it names them.
fn tracking(call: &Call<'_, '_>, wish: &Value) -> Result<Option<Tracking>, Response> {
    let wrong = || refused(400, 32_300, "Invalid shipment tracking number or carrier");
    let text = |name: &str| wish[name].as_str().unwrap_or_default();
    let (carrier, number) = (text("shippingCarrierCode"), text("trackingNumber"));
    if carrier.is_empty() && number.is_empty() {
        return Ok(None);
    }
    let is_plain = number.chars().all(|letter| letter.is_ascii_alphanumeric());
    let is_known = CARRIERS.split_whitespace().any(|known| known == carrier);
    if number.is_empty() || !is_known || !(is_plain || call.options.strips_tracking) {
        return Err(wrong());
    }
    let number: String = number.chars().filter(char::is_ascii_alphanumeric).collect();
    if number.is_empty() {
        return Err(wrong());
    }
    Ok(Some(Tracking { carrier: carrier.to_owned(), number, ..Tracking::default() }))
}

/// The lines of a wish, each with so many pieces as are left of it.
fn items(call: &Call<'_, '_>, id: u64, wish: &Value) -> Result<Vec<(u64, u64)>, Response> {
    let invalid = || refused(400, 32_600, "Invalid input data");
    let order = call.order(id).ok_or_else(failed)?;
    let mut items: Vec<(u64, u64)> = Vec::new();
    for row in wish["lineItems"].as_array().into_iter().flatten() {
        let text = row["lineItemId"].as_str().ok_or_else(invalid)?;
        let line = text.parse().ok().and_then(|id| order.line(id));
        let line = line.ok_or_else(|| refused(400, 32_200, &format!("Invalid line item id: {text}")))?;
        if items.iter().any(|(known, _)| *known == line.id) {
            return Err(refused(400, 32_210, "Duplicate line item in the request"));
        }
        // Whoever leaves it out sends one.
        let pieces = if row["quantity"].is_null() { 1 } else { row["quantity"].as_u64().ok_or_else(invalid)? };
        if pieces == 0 || pieces > line.unsent() {
            return Err(invalid());
        }
        items.push((line.id, pieces));
    }
    if items.is_empty() { Err(invalid()) } else { Ok(items) }
}

/// `POST order/{id}/shipping_fulfillment`: the buyer is told.
pub(super) fn create(call: &mut Call<'_, '_>) -> Answer {
    let id = order_id(call)?;
    let invalid = || refused(400, 32_600, "Invalid input data");
    let is_json = call.request.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    let wish = call.request.json().filter(|wish| wish.is_object() && is_json);
    // What is no JSON is not told apart from a fault of eBay's.
    let wish = wish.ok_or_else(failed)?;
    let tracking = tracking(call, &wish)?;
    let order = call.order(id).ok_or_else(failed)?;
    let is_elsewhere =
        order.own.program == Program::Fulfilled || order.lines.iter().any(|line| line.way == Way::Pickup);
    let is_gone = call.state.orders.get(&id).is_some_and(|entry| entry.status == CANCELED);
    if is_elsewhere {
        return Err(invalid());
    }
    if is_gone {
        return Err(refused(409, 32_600, "The order is canceled."));
    }
    if let Some(tracking) = &tracking {
        let is_there = order.sent().flat_map(|one| &one.tracking).any(|one| one.number == tracking.number);
        match call.options.repeats {
            Repeats::Put if is_there => {
                return Err(refused(400, 34_500, "Please use PUT operation for updating shipping fulfillment"));
            }
            Repeats::Conflict if is_there => return Err(refused(409, 34_500, "Conflict")),
            _ => {}
        }
    }
    let items = items(call, id, &wish)?;
    let created = call.state.orders.get(&id).map_or(0, |entry| entry.created);
    let at = match wish["shippedDate"].as_str() {
        None => call.now,
        Some(text) => {
            let at = moment(text).filter(|at| *at <= call.now && *at >= created);
            at.ok_or_else(|| refused(400, 32_500, "Invalid shipped date"))?
        }
    };
    let order = call.order_mut(id).ok_or_else(failed)?;
    let place = order.places.first().map_or(0, |place| place.id);
    order.mail(About::Shipment, tracking.as_ref().map_or("", |tracking| tracking.number.as_str()));
    let made = Shipment {
        id: part_id::<Ebay>(order),
        place,
        at,
        items,
        tracking: tracking.into_iter().collect(),
        ..Shipment::default()
    };
    let path = render::fulfillment_path(id, &render::fulfillment_id(&made));
    order.add_shipment(made);
    call.touch(id);
    let host = if call.options.sandbox { "https://api.sandbox.ebay.com" } else { "https://api.ebay.com" };
    let headers = vec![("Location".to_owned(), format!("{host}{path}"))];
    Ok(Response { status: 201, headers, body: Vec::new(), delay: Duration::ZERO })
}

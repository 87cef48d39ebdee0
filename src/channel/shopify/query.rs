//! Every GraphQL document that the adapter can send. `tests/spec_shopify.rs` holds each against the
//! vendor's schema.
//!
//! An order is described once, for pages, single reads and bulk operations alike. So it has no
//! connection inside a list (bulk operations refuse `fulfillments{fulfillmentLineItems}` and
//! `refunds{refundLineItems}`), and every list that takes `first` has it (without, it is charged as
//! if it were large; 2.7).

/// A document with a name for budgets and a first guess at its price.
#[derive(Debug)]
pub struct Document {
    /// Its operation's name.
    pub(crate) name: &'static str,
    /// The text.
    pub text: &'static str,
    /// What it costs in points, until an answer has told.
    pub(crate) guess: f64,
}

/// Amounts in both currencies.
macro_rules! money {
    ($($name:literal)*) => {
        concat!($($name, "{shopMoney{amount} presentmentMoney{amount}} "),*)
    };
}

macro_rules! address {
    () => {
        "{firstName lastName name company address1 address2 city province provinceCode zip country countryCodeV2 phone}"
    };
}

/// The lists of an order that have no pages, with as many members as are asked for at first
/// ([`super::document`] asks for the rest).
macro_rules! lists {
    ($refunds:literal, $fulfillments:literal, $numbers:literal, $transactions:literal) => {
        concat!(
            "refunds(first:",
            $refunds,
            "){id createdAt note totalRefundedSet{presentmentMoney{amount}}} fulfillments(first:",
            $fulfillments,
            "){id status createdAt totalQuantity trackingInfo(first:",
            $numbers,
            "){company number url}} transactions(first:",
            $transactions,
            "){kind status processedAt paymentId}"
        )
    };
}

/// Who is to bring which goods to the buyer.
macro_rules! route {
    () => {
        "status requestStatus supportedActions{action} deliveryMethod{methodType}"
    };
}

/// A page of fulfilment orders, as it takes them to ship.
macro_rules! open_order {
    ($lines:literal) => {
        concat!(
            "pageInfo{hasNextPage endCursor} nodes{id ",
            route!(),
            " fulfillAt assignedLocation{name location{id}} fulfillmentHolds{displayReason} lineItems(first:",
            $lines,
            "){pageInfo{hasNextPage endCursor} nodes{id remainingQuantity lineItem{id isGiftCard}}}}"
        )
    };
}

/// An order without its connections.
macro_rules! order {
    () => {
        concat!(
            "id name confirmationNumber poNumber createdAt processedAt updatedAt cancelledAt cancelReason closed closedAt ",
            "test edited displayFinancialStatus displayFulfillmentStatus returnStatus sourceName sourceIdentifier note tags ",
            "customAttributes{key value} email phone customer{id displayName} currencyCode presentmentCurrencyCode ",
            "taxesIncluded paymentGatewayNames discountCodes shippingAddress",
            address!(),
            " billingAddress",
            address!(),
            " ",
            money!("totalPriceSet" "currentTotalPriceSet" "subtotalPriceSet" "currentSubtotalPriceSet"
                "totalShippingPriceSet" "totalTaxSet" "currentTotalTaxSet" "totalDiscountsSet"
                "totalRefundedSet" "totalOutstandingSet"),
            "currentTaxLines{title priceSet{presentmentMoney{amount}}} ",
            "dutiesIncluded originalTotalDutiesSet{presentmentMoney{amount}} ",
            "currentTotalDutiesSet{presentmentMoney{amount}} additionalFees{id name price{presentmentMoney{amount}} ",
            "taxLines{priceSet{presentmentMoney{amount}}}} ",
            lists!("20", "20", "10", "10")
        )
    };
}

macro_rules! line {
    () => {
        concat!(
            "id sku title variantTitle quantity currentQuantity unfulfilledQuantity requiresShipping isGiftCard ",
            "customAttributes{key value} variant{id} product{id} originalUnitPriceSet{presentmentMoney{amount}} ",
            "discountAllocations{allocatedAmountSet{presentmentMoney{amount}}} ",
            "taxLines(first:10){priceSet{presentmentMoney{amount}}}"
        )
    };
}

macro_rules! shipping_line {
    () => {
        "id title code discountedPriceSet{presentmentMoney{amount}} taxLines{priceSet{presentmentMoney{amount}}}"
    };
}

/// An order with its connections, for pages and single reads. Its fulfilment orders only where the
/// app may see such: a list that is denied takes the order with it, and the page.
macro_rules! whole_order {
    () => {
        concat!(
            order!(),
            " shippingLines(first:10){nodes{",
            shipping_line!(),
            "}} fulfillmentOrders(first:5)@include(if:$routes){pageInfo{hasNextPage endCursor} nodes{",
            route!(),
            "}} lineItems(first:$lines){pageInfo{hasNextPage endCursor} nodes{",
            line!(),
            "}}"
        )
    };
}

macro_rules! orders {
    ($name:literal, $variables:literal, $more:literal) => {
        concat!(
            "query ",
            $name,
            "($first:Int!,$lines:Int!,$after:String,$query:String,$sort:OrderSortKeys!,$reverse:Boolean!,$routes:Boolean!",
            $variables,
            "){",
            $more,
            "orders(first:$first,after:$after,query:$query,sortKey:$sort,reverse:$reverse)",
            "{pageInfo{hasNextPage endCursor} nodes{",
            whole_order!(),
            "}}}"
        )
    };
}

/// Declares the documents, each with its first guess at a price, and [`ALL`] of them.
macro_rules! documents {
    ($($(#[$doc:meta])* $const:ident $name:literal $guess:literal $text:expr;)*) => {
        $($(#[$doc])* pub const $const: Document = Document { name: $name, text: $text, guess: $guess };)*

        /// All of them.
        pub const ALL: &[&Document] = &[$(&$const),*];
    };
}

macro_rules! counting {
    ($($n:literal)*) => {
        (
            concat!(
                "query Counts(", $("$q", $n, ":String! ",)* "){",
                $("c", $n, ":ordersCount(query:$q", $n, ",limit:null){count} ",)* "}"
            ),
            [$($n),*].len(),
        )
    };
}

const COUNTING: (&str, usize) =
    counting!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);

/// As many counts as one query brings.
pub(crate) const COUNTED: usize = COUNTING.1;

documents! {
    /// A page of orders.
    ORDERS "Orders" 600.0 orders!("Orders", "", "");

    /// The first page of a run, which also tells what the token may do, and which orders are held
    /// back or scheduled, as a whole or what is left of them: no change of theirs says so, and a
    /// word for the whole order says nothing of its rest. A sync with nothing new stays one request.
    FIRST_ORDERS "FirstOrders" 600.0 orders!(
        "FirstOrders",
        ",$known:[ID!]!",
        "currentAppInstallation{accessScopes{handle}} known:nodes(ids:$known){... on Order{id displayFulfillmentStatus}} \
         held:orders(first:100,query:\"fulfillment_status:on_hold OR fulfillment_status:scheduled\",sortKey:CREATED_AT,\
         reverse:true){nodes{id displayFulfillmentStatus updatedAt}} \
         waiting:fulfillmentOrders(first:100,query:\"status:on_hold OR status:scheduled\",sortKey:ID,reverse:true)\
         @include(if:$routes){nodes{orderId updatedAt}} "
    );

    /// A page of orders, as far as it takes to tell whether there is something new.
    HEADS "Heads" 20.0 concat!(
        "query Heads($first:Int!,$after:String,$query:String,$sort:OrderSortKeys!){",
        "currentAppInstallation{accessScopes{handle}} ",
        "orders(first:$first,after:$after,query:$query,sortKey:$sort,reverse:false)",
        "{pageInfo{hasNextPage endCursor} nodes{id updatedAt}}}"
    );

    /// One order. Not served by the search index, so it is as it is now.
    ORDER "Order" 60.0 concat!("query Order($id:ID!,$lines:Int!,$routes:Boolean!){order(id:$id){", whole_order!(), "}}");

    /// Several orders, as they are now.
    NODES "Nodes" 400.0 concat!(
        "query Nodes($ids:[ID!]!,$lines:Int!,$routes:Boolean!){nodes(ids:$ids){... on Order{", whole_order!(), "}}}"
    );

    /// Which orders fulfilment orders are of.
    OWNERS "Owners" 30.0 "query Owners($ids:[ID!]!){nodes(ids:$ids){... on FulfillmentOrder{orderId}}}";

    /// More lines of an order that has many.
    LINES "Lines" 40.0 concat!(
        "query Lines($id:ID!,$first:Int!,$after:String){order(id:$id){lineItems(first:$first,after:$after)",
        "{pageInfo{hasNextPage endCursor} nodes{", line!(), "}}}}"
    );

    /// What else there is of an order that has more of something than [`ORDER`] brings, or goods
    /// that go different ways.
    REST "Rest" 250.0 concat!(
        "query Rest($id:ID!,$lists:Int!,$routes:Boolean!){order(id:$id){", lists!("$lists", "$lists", "50", "$lists"),
        " fulfillmentOrders(first:10)@include(if:$routes){pageInfo{hasNextPage endCursor} nodes{", route!(),
        " lineItems(first:$lists){pageInfo{hasNextPage endCursor} nodes{remainingQuantity lineItem{id}}}}}}}"
    );

    /// The shop, and what the token may do.
    SHOP "Shop" 4.0 concat!(
        "query Shop{shop{id name myshopifyDomain url currencyCode ianaTimezone} ",
        "currentAppInstallation{accessScopes{handle}} ordersCount(limit:null){count precision}}"
    );

    /// How many orders a first sync has before it, and when the oldest was made.
    SURVEY "Survey" 6.0 concat!(
        "query Survey($query:String){ordersCount(query:$query,limit:null){count precision} ",
        "orders(first:1,query:$query,sortKey:CREATED_AT,reverse:false){nodes{createdAt}} ",
        "currentAppInstallation{accessScopes{handle}}}"
    );

    /// How many orders each of up to [`COUNTED`] slices has.
    COUNTS "Counts" 40.0 COUNTING.0;

    /// What of an order can be shipped from where, and what has been.
    FULFILLMENT "FulfillmentState" 300.0 concat!(
        "query FulfillmentState($id:ID!,$orders:Int!,$lines:Int!,$fulfillments:Int!,$shipped:Int!){",
        "currentAppInstallation{accessScopes{handle}} ",
        "order(id:$id){createdAt fulfillments(first:$fulfillments){id status createdAt trackingInfo(first:10){company number url} ",
        "fulfillmentLineItems(first:$shipped){pageInfo{hasNextPage endCursor} nodes{quantity lineItem{id}}}} ",
        "fulfillmentOrders(first:$orders){", open_order!("$lines"), "}}}"
    );

    /// More fulfilment orders of an order.
    FULFILLMENT_ORDERS "FulfillmentOrders" 150.0 concat!(
        "query FulfillmentOrders($id:ID!,$after:String){of:order(id:$id){list:fulfillmentOrders(first:5,after:$after){",
        open_order!("20"), "}}}"
    );

    /// More lines of a fulfilment order.
    FULFILLMENT_LINES "FulfillmentLines" 30.0 concat!(
        "query FulfillmentLines($id:ID!,$after:String){of:fulfillmentOrder(id:$id){list:lineItems(first:100,after:$after)",
        "{pageInfo{hasNextPage endCursor} nodes{id remainingQuantity lineItem{id isGiftCard}}}}}"
    );

    /// More lines of a fulfilment.
    FULFILLED_LINES "FulfilledLines" 30.0 concat!(
        "query FulfilledLines($id:ID!,$after:String){of:fulfillment(id:$id){list:fulfillmentLineItems(first:250,",
        "after:$after){pageInfo{hasNextPage endCursor} nodes{quantity lineItem{id}}}}}"
    );

    /// All tracking numbers of a fulfilment.
    NUMBERS "Numbers" 30.0 "query Numbers($id:ID!){fulfillment(id:$id){trackingInfo(first:250){company number url}}}";

    /// Ships a parcel. One call is for one location.
    FULFILL "Fulfill" 12.0 concat!(
        "mutation Fulfill($fulfillment:FulfillmentInput!){fulfillmentCreate(fulfillment:$fulfillment)",
        "{made:fulfillment{id} errors:userErrors{message}}}"
    );

    /// Replaces the tracking of a fulfilment; all of its numbers are given anew.
    RETRACK "Retrack" 12.0 concat!(
        "mutation Retrack($id:ID!,$tracking:FulfillmentTrackingInput!,$notify:Boolean)",
        "{fulfillmentTrackingInfoUpdate(fulfillmentId:$id,trackingInfoInput:$tracking,notifyCustomer:$notify)",
        "{made:fulfillment{id} errors:userErrors{message}}}"
    );

    /// Cancels an order. `refund` and `refundMethod` exclude each other, even as false, so only the
    /// latter exists here.
    CANCEL "Cancel" 12.0 concat!(
        "mutation Cancel($id:ID!,$reason:OrderCancelReason!,$restock:Boolean!,$notify:Boolean,$note:String,",
        "$refund:OrderCancelRefundMethodInput){orderCancel(orderId:$id,reason:$reason,restock:$restock,",
        "notifyCustomer:$notify,staffNote:$note,refundMethod:$refund){job{id} made:jobResult{id} ",
        "errors:orderCancelUserErrors{message}}}"
    );

    /// How a cancellation fares.
    CANCEL_RESULT "CancelResult" 3.0
    "query CancelResult($id:ID!){node(id:$id){... on OrderCancelJobResult{done status errors{message}}}}";

    /// The same where only the job is known (`jobResult` is new in 2026-10, and may be null), with
    /// what the job cannot tell: whether it succeeded.
    CANCEL_JOB "CancelJob" 3.0
    "query CancelJob($id:ID!,$order:ID!){job(id:$id){done} order(id:$order){cancelledAt}}";

    /// The app's subscriptions to webhooks.
    HOOKS "Hooks" 30.0 concat!(
        "query Hooks($after:String){webhookSubscriptions(first:100,after:$after)",
        "{pageInfo{hasNextPage endCursor} nodes{id topic uri}}}"
    );

    /// Subscribes to a topic.
    SUBSCRIBE "Subscribe" 12.0 concat!(
        "mutation Subscribe($topic:WebhookSubscriptionTopic!,$hook:WebhookSubscriptionInput!)",
        "{webhookSubscriptionCreate(topic:$topic,webhookSubscription:$hook)",
        "{made:webhookSubscription{id} errors:userErrors{message}}}"
    );

    /// Ends a subscription.
    UNSUBSCRIBE "Unsubscribe" 12.0
    "mutation Unsubscribe($id:ID!){webhookSubscriptionDelete(id:$id){deletedWebhookSubscriptionId errors:userErrors{message}}}";

    /// Starts a bulk operation. Grouped, so that lines follow their order and it can be read
    /// without keeping the file.
    BULK "Bulk" 12.0 concat!(
        "mutation Bulk($query:String!){bulkOperationRunQuery(query:$query,groupObjects:true)",
        "{made:bulkOperation{id} errors:userErrors{code message}}}"
    );

    /// How a bulk operation fares.
    BULK_STATE "BulkState" 2.0 concat!(
        "query BulkState($id:ID!){bulkOperation(id:$id)",
        "{status objectCount rootObjectCount fileSize url}}"
    );
}

/// The query that a bulk operation runs: the orders that `filter` finds, each as in a page, with
/// their fulfilment orders where these may be seen (`routes`). Connections are spelled
/// `edges{node}`; `nodes` is refused there.
pub fn bulk(filter: &str, routes: bool) -> String {
    let filter = serde_json::Value::from(filter);
    let routes = if routes { concat!(" fulfillmentOrders{edges{node{", route!(), "}}}") } else { "" };
    format!(
        "{{orders(query:{filter},sortKey:CREATED_AT){{edges{{node{{{} shippingLines{{edges{{node{{{}}}}}}}{routes} \
         lineItems{{edges{{node{{{}}}}}}}}}}}}}}}",
        order!(),
        shipping_line!(),
        line!()
    )
}

#[cfg(test)]
mod tests {
    use apollo_compiler::ast;

    use super::*;

    #[test]
    fn documents_parse_and_carry_their_names() {
        for document in ALL {
            ast::Document::parse(document.text, document.name).unwrap_or_else(|e| panic!("{}: {e}", document.name));
            assert!(document.text.contains(&format!(" {}", document.name)), "{}", document.name);
        }
        for routes in [true, false] {
            let bulk = bulk("created_at:>='2026-11-20T00:00:00Z' tag:\"x\"", routes);
            ast::Document::parse(&bulk, "bulk").unwrap();
            assert!(!bulk.contains("nodes") && bulk.contains("fulfillmentOrders") == routes);
        }
    }
}

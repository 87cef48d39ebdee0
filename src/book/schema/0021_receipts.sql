-- A fulfilment at Shopify is known by its number, as its orders show it, in receipts as well.
UPDATE outbox SET receipts = replace(receipts, 'gid://shopify/Fulfillment/', '')
WHERE receipts LIKE '%gid://shopify/Fulfillment/%';

"""The lean program of `cargo bench -- woocommerce`, as the Python standard library has it: the same
pages of a WooCommerce shop over one connection, into the same tables, one transaction a page.

    ORDERSYNC_CONSUMER_KEY=... ORDERSYNC_CONSUMER_SECRET=... python3 peer.py http://HOST:PORT BOOK
"""

import base64
import http.client
import json
import os
import sqlite3
import sys
from datetime import datetime, timezone

TABLES = """
PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000;
CREATE TABLE orders (
  id INTEGER PRIMARY KEY, number TEXT, status TEXT, currency TEXT, placed_at INTEGER, updated_at INTEGER,
  paid_at INTEGER, total INTEGER, shipping INTEGER, tax INTEGER, discount INTEGER, refunded INTEGER,
  buyer_id INTEGER, buyer_name TEXT, email TEXT, phone TEXT, payment TEXT, payment_title TEXT, transaction_id TEXT,
  note TEXT, source TEXT, tracking TEXT);
CREATE TABLE addresses (
  order_id INTEGER, kind TEXT, name TEXT, company TEXT, line1 TEXT, line2 TEXT, city TEXT, region TEXT,
  postcode TEXT, country TEXT, phone TEXT, email TEXT, PRIMARY KEY (order_id, kind)) WITHOUT ROWID;
CREATE TABLE lines (
  id INTEGER PRIMARY KEY, order_id INTEGER, remote_id INTEGER, sku TEXT, name TEXT, variant TEXT,
  product INTEGER, quantity INTEGER, price INTEGER, total INTEGER, tax INTEGER);
CREATE INDEX lines_by_order ON lines (order_id);
"""


def money(text):
    """An amount in ten-thousandths, without a float between."""
    whole, _, part = text.partition(".")
    units = int(whole.lstrip("-")) * 10_000 + int((part + "0000")[:4])
    return -units if whole.startswith("-") else units


def utc(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()) if text else None


def name(address):
    return f"{address['first_name']} {address['last_name']}".strip()


def order_row(o):
    billing = o["billing"]
    return (
        o["id"], o["number"], o["status"], o["currency"], utc(o["date_created_gmt"]), utc(o["date_modified_gmt"]),
        utc(o["date_paid_gmt"]), money(o["total"]), money(o["shipping_total"]), money(o["total_tax"]),
        money(o["discount_total"]), -sum(money(refund["total"]) for refund in o["refunds"]), o["customer_id"],
        name(billing), billing["email"], billing["phone"], o["payment_method"], o["payment_method_title"],
        o["transaction_id"], o["customer_note"], o["created_via"], "",
    )  # fmt: skip


def address_rows(o):
    for kind, a in (("ship", o["shipping"]), ("bill", o["billing"])):
        if a["address_1"]:
            yield (
                o["id"], kind, name(a), a["company"], a["address_1"], a["address_2"], a["city"], a["state"],
                a["postcode"], a["country"], a.get("phone", ""), a.get("email", ""),
            )  # fmt: skip


def line_rows(o):
    for line in o["line_items"]:
        yield (
            o["id"], line["id"], line["sku"], line["name"], "", line["product_id"], line["quantity"],
            round(line["price"] * 10_000), money(line["total"]), money(line["total_tax"]),
        )  # fmt: skip


def main(url, path):
    login = f"{os.environ['ORDERSYNC_CONSUMER_KEY']}:{os.environ['ORDERSYNC_CONSUMER_SECRET']}"
    headers = {"Authorization": "Basic " + base64.b64encode(login.encode()).decode()}
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    db = sqlite3.connect(path)
    db.executescript(TABLES)
    page, requests = [None] * 100, 0
    while len(page) == 100:
        requests += 1
        connection.request(
            "GET", f"/wp-json/wc/v3/orders?per_page=100&orderby=id&order=asc&page={requests}", headers=headers
        )
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            sys.exit(f"{response.status}: {body[:200]}")
        page = json.loads(body)
        with db:
            marks = ", ".join("?" * 22)
            db.executemany(f"INSERT OR REPLACE INTO orders VALUES ({marks})", map(order_row, page))
            marks = ", ".join("?" * 12)
            rows = (row for order in page for row in address_rows(order))
            db.executemany(f"INSERT OR REPLACE INTO addresses VALUES ({marks})", rows)
            db.executemany("DELETE FROM lines WHERE order_id = ?", ((order["id"],) for order in page))
            marks = ", ".join("?" * 10)
            rows = (row for order in page for row in line_rows(order))
            db.executemany(f"INSERT INTO lines VALUES (NULL, {marks})", rows)
    orders, total = db.execute("SELECT count(*), coalesce(sum(total), 0) FROM orders").fetchone()
    (lines,) = db.execute("SELECT count(*) FROM lines").fetchone()
    print(json.dumps({"orders": orders, "total": total, "lines": lines, "requests": requests}))


if __name__ == "__main__":
    main(*sys.argv[1:])

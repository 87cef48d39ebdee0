//! Invented buyers and products in many scripts, with everything in them that has ever broken a
//! program: right-to-left text, emoji, quotes, HTML, formulas, bidirectional controls, very long
//! words.

/// An invented buyer and where they live.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Person {
    /// First name.
    pub(crate) first: &'static str,
    /// Last name.
    pub(crate) last: &'static str,
    /// Company, often empty.
    pub(crate) company: &'static str,
    /// Street.
    pub(crate) street: &'static str,
    /// Second line, often empty.
    pub(crate) street_2: &'static str,
    /// City.
    pub(crate) city: &'static str,
    /// State or province as shops store it: a code in some countries, free text in others.
    pub(crate) state: &'static str,
    /// Postcode, empty where the country has none.
    pub(crate) postcode: &'static str,
    /// ISO 3166-1 alpha-2 country.
    pub(crate) country: &'static str,
    /// Phone, in whatever form the buyer typed.
    pub(crate) phone: &'static str,
}

type Row = [&'static str; 10];

const fn person(row: Row) -> Person {
    let [first, last, company, street, street_2, city, state, postcode, country, phone] = row;
    Person { first, last, company, street, street_2, city, state, postcode, country, phone }
}

/// The buyers.
pub(crate) const PEOPLE: &[Person] = &[
    person(["Jörg", "Größmann", "", "Ährenweg 12a", "", "Köln", "DE-NW", "50667", "DE", "+49 221 5550100"]),
    person([
        "Mary-Ann",
        "O'Neill",
        "O'Neill & Daughters",
        "14 St. John's \"Mews\"",
        "Flat 2",
        "London",
        "",
        "N1 9GU",
        "GB",
        "020 7946 0000",
    ]),
    person(["محمد", "العبدالله", "", "شارع الملك فهد ٧", "مبنى ٣", "الرياض", "", "11564", "SA", "+966 11 555 0100"]),
    person(["נועה", "כהן־לוי", "", "רחוב הרצל 5", "דירה 3", "תל אביב", "", "6688105", "IL", "03-555-0100"]),
    person([
        "花子",
        "佐藤",
        "株式会社テスト",
        "本町2-3-4",
        "サンプルビル 5F",
        "大阪市",
        "JP27",
        "541-0053",
        "JP",
        "+81-6-5550-0100",
    ]),
    person(["Николай", "Ёлкин", "", "ул. Цветочная, д. 7", "кв. 19", "Алматы", "", "050000", "KZ", "8 727 555 01 00"]),
    person(["🦊 Robin", "van der Berg", "", "Keizersgracht 1-III", "", "Amsterdam", "", "1015 CJ", "NL", ""]),
    person([
        "Aoife",
        "Ní Bhriain",
        "",
        "An tSráid Mhór",
        "Co. Átha Cliath",
        "Dublin",
        "D",
        "D02 X285",
        "IE",
        "+353 1 555 0100",
    ]),
    person([
        "=SUM(A1:A9)",
        "<b>Bold</b>",
        "Tom &amp; Jerry Ltd",
        "1 \"Quote\" Street, Suite 5",
        "C/O; DROP TABLE",
        "Springfield",
        "IL",
        "62701",
        "US",
        "(217) 555-0100",
    ]),
    person([
        "Đặng",
        "Thị Ánh",
        "",
        "12 Đường Lê Lợi",
        "Quận 1",
        "Thành phố Hồ Chí Minh",
        "",
        "",
        "VN",
        "+84 28 5550 0100",
    ]),
    person(["สมชาย", "ใจดี", "", "99/1 ถนนสุขุมวิท", "แขวงคลองเตย", "กรุงเทพมหานคร", "TH-10", "10110", "TH", "02-555-0100"]),
    person([
        "José María",
        "Ñúñez \u{202E}txet",
        "",
        "C/ Mayor, 3, 2º izq.",
        "",
        "Madrid",
        "M",
        "28013",
        "ES",
        "+34 910 000 000",
    ]),
    person(["민준", "김", "", "세종대로 110", "", "서울특별시", "", "04524", "KR", "+82-2-5550-0100"]),
    person([
        "Zoë\u{301}",
        "Wolfeschlegelsteinhausenbergerdorff-Llanfairpwllgwyngyll",
        "",
        "Hauptstraße 1",
        "Hinterhaus, 3. OG links",
        "Wien",
        "",
        "1010",
        "AT",
        "+43 1 5550100",
    ]),
    person([
        "Ana",
        "Pereira da Conceição",
        "",
        "Av. Paulista, 1000",
        "apto 42",
        "São Paulo",
        "SP",
        "01310-100",
        "BR",
        "+55 11 5550-0100",
    ]),
    person([
        "Wei",
        "陳",
        "",
        "Flat 8B, 12/F, Tower 3",
        "1 Harbour Road",
        "Wan Chai",
        "HONG KONG",
        "",
        "HK",
        "+852 5555 0100",
    ]),
];

/// An invented product, or one choice of a product with choices.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ware {
    /// The product's id.
    pub(crate) product_id: u64,
    /// The choice's id; 0 for a product without choices.
    pub(crate) variation_id: u64,
    /// The stock keeping unit, empty when the merchant gave none.
    pub(crate) sku: &'static str,
    /// The name as an order shows it.
    pub(crate) name: &'static str,
    /// The product's own name, for a choice.
    pub(crate) parent: &'static str,
    /// The choices: key, label, value.
    pub(crate) choices: &'static [(&'static str, &'static str, &'static str)],
    /// Price in hundredths.
    pub(crate) cents: i64,
    /// GTIN, empty when there is none.
    pub(crate) gtin: &'static str,
    /// Not shipped.
    pub(crate) is_virtual: bool,
    /// The picture's id; 0 for none.
    pub(crate) image: u64,
}

pub(super) const fn simple(product_id: u64, sku: &'static str, name: &'static str, cents: i64) -> Ware {
    Ware {
        product_id,
        variation_id: 0,
        sku,
        name,
        parent: "",
        choices: &[],
        cents,
        gtin: "",
        is_virtual: false,
        image: 0,
    }
}

/// The products.
pub(crate) const WARES: &[Ware] = &[
    Ware { gtin: "4006381333931", image: 71, ..simple(11, "TEE-001", "Tee \"Grüne Katze\"", 1290) },
    simple(12, "MUG-9", "Tasse &amp; Söhne 0,3 l", 999),
    Ware { image: 72, ..simple(13, "BOOK-7", "Book <b>bold</b> & co", 2495) },
    simple(14, "", "Thing without a number", 333),
    simple(15, "FREE-0", "Sample (free)", 0),
    Ware { is_virtual: true, ..simple(16, "VOUCHER-25", "Gift voucher 🎁", 2500) },
    simple(17, "SKU WITH SPACE", "Quote's; DROP TABLE \u{202E}orders", 100_000_001),
    Ware {
        variation_id: 21,
        parent: "Shirt «Café»",
        choices: &[("grosse", "Größe", "S"), ("color", "Color", "Rot")],
        ..simple(20, "SHIRT-S-ROT", "Shirt «Café» - S, Rot", 2500)
    },
    Ware {
        variation_id: 22,
        parent: "Shirt «Café»",
        choices: &[("grosse", "Größe", "XL"), ("color", "Color", "Ocean Blue")],
        ..simple(20, "SHIRT-XL-OCE", "Shirt «Café» - XL, Ocean Blue", 2222)
    },
];

/// The ware with this SKU.
pub(crate) fn ware(sku: &str) -> Option<&'static Ware> {
    WARES.iter().find(|ware| ware.sku == sku)
}

/// What buyers write under their orders.
pub(crate) const NOTES: &[&str] = &[
    "",
    "",
    "",
    "Please leave with neighbour 🙏",
    "Bitte klingeln bei \"Müller\"; Hund beißt nicht",
    "Line one\nLine two\r\nLine <three> &amp; four",
    "=HYPERLINK(\"http://example.test\")",
    "من فضلك اتصل قبل التسليم",
];

/// The buyer's invented address; `.test` never resolves.
pub(crate) fn email(number: u64) -> String {
    format!("buyer{number}@example.test")
}

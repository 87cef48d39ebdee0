//! The carriers and their codes, as the channels themselves list them: WooCommerce's shipping
//! providers (`ShippingProviders.php`), the companies in Shopify's schema
//! (`FulfillmentTrackingInfo.company`), BigCommerce's `shipping_provider`, AfterShip's courier slugs,
//! the words of Etsy's table "tracking updates for shipping carriers" and eBay's `ShippingCarrierCodeType`,
//! both as they were in 2023.

use super::Carrier;

macro_rules! carriers {
    ($($name:literal, $title:literal, [$($alias:literal),*], $url:literal, woo $woo:literal, shopify $shopify:literal, big $big:literal $slug:literal etsy $etsy:literal ebay $ebay:literal;)*) => {
        /// Every carrier, sorted by name.
        pub(crate) const CARRIERS: &[Carrier] = &[$(Carrier {
            name: $name, title: $title, aliases: &[$($alias),*], tracking_url: $url, woocommerce: $woo,
            shopify: $shopify, bigcommerce: $big, aftership: $slug, etsy: $etsy, ebay: $ebay,
        }),*];
    };
}

carriers! {
    "4px", "4PX", ["4px express"], "https://track.4px.com/#/result/0/{}", woo "", shopify "4PX", big "" "4px" etsy "4px" ebay "FourPX";
    "amazon", "Amazon", ["amazon logistics", "amazon shipping"], "", woo "amazon-logistics", shopify "Amazon", big "" "" etsy "" ebay "";
    "an-post", "An Post", ["anpost", "irish post"], "https://www.anpost.com/Post-Parcels/Track/History?item={}", woo "an-post", shopify "An Post", big "" "an-post" etsy "an-post" ebay "AnPost";
    "aramex", "Aramex", [], "https://www.aramex.com/track/results?ShipmentNumber={}", woo "", shopify "", big "" "aramex" etsy "aramex" ebay "ARAMEX";
    "aramex-australia", "Aramex Australia", ["fastway australia"], "https://www.aramex.com.au/tools/track?l={}", woo "", shopify "Aramex Australia", big "" "fastway-au" etsy "fastway-au" ebay "Fastway";
    "asendia", "Asendia", [], "https://tracking.asendia.com/tracking/{}", woo "", shopify "", big "" "" etsy "" ebay "";
    "australia-post", "Australia Post", ["auspost", "aus post", "austpost"], "https://auspost.com.au/mypost/track/#/details/{}", woo "australia-post", shopify "Australia Post", big "auspost" "australia-post" etsy "australia-post" ebay "AustraliaPost";
    "bpost", "bpost", ["b-post", "belgian post"], "https://track.bpost.cloud/btr/web/#/search?itemCode={}", woo "bpost", shopify "BPost", big "" "bpost" etsy "bpost" ebay "BPost";
    "bring", "Bring", ["posten", "posten norge", "posten bring", "posten norge bring"], "https://tracking.bring.com/tracking/{}", woo "posten-norge-bring", shopify "Bring", big "" "bring" etsy "posten-norge" ebay "";
    "brt", "BRT", ["bartolini", "brt bartolini", "bartolini brt"], "https://vas.brt.it/vas/sped_det_show.hsm?referer=sped_numspe_par.htm&Nspediz={}", woo "bartolini-brt", shopify "BRT", big "" "brt-it" etsy "" ebay "Bartolini";
    "canada-post", "Canada Post", ["canadapost", "postes canada"], "https://www.canadapost-postescanada.ca/track-reperage/en#/search?searchFor={}", woo "canada-post", shopify "Canada Post", big "canadapost" "canada-post" etsy "canada-post" ebay "CPC";
    "canpar", "Canpar", ["canpar express"], "https://www.canpar.com/en/tracking/track.htm?barcode={}", woo "", shopify "Canpar", big "" "canpar" etsy "canpar" ebay "CanPar";
    "ceska-posta", "Česká pošta", ["ceska posta", "czech post"], "https://www.postaonline.cz/trackandtrace/-/zasilka/cislo?parcelNumbers={}", woo "ceska-posta", shopify "", big "" "ceska-posta" etsy "ceska-posta" ebay "";
    "china-ems", "China EMS", ["ems china", "china post ems"], "https://www.ems.com.cn/queryList?mailNum={}", woo "", shopify "", big "" "china-ems" etsy "china-ems" ebay "";
    "china-post", "China Post", ["chinapost"], "https://t.17track.net/en#nums={}&fc=03011", woo "", shopify "China Post", big "" "china-post" etsy "china-post" ebay "ChinaPost";
    "chronopost", "Chronopost", ["chronopost france"], "https://www.chronopost.fr/tracking-no-cms/suivi-page?listeNumerosLT={}", woo "chronopost", shopify "Chronopost", big "" "chronopost-france" etsy "chronopost-france" ebay "Chronopost";
    "colis-prive", "Colis Privé", ["colis prive", "colisprive"], "https://colisprive.com/moncolis/pages/detailColis.aspx?numColis={}", woo "", shopify "Colis Privé", big "" "colis-prive" etsy "" ebay "";
    "colissimo", "Colissimo", ["la poste", "la poste colissimo", "la poste france"], "https://www.laposte.fr/outils/suivre-vos-envois?code={}", woo "la-poste-colissimo", shopify "La Poste Colissimo", big "" "la-poste-colissimo" etsy "colissimo" ebay "Colissimo";
    "correos", "Correos", ["correos de espana", "correos españa", "correos spain"], "https://www.correos.es/es/es/herramientas/localizador/envios/detalle?tracking-number={}", woo "correos", shopify "Correos", big "" "spain-correos-es" etsy "spain-correos-es" ebay "Correos";
    "correos-express", "Correos Express", ["cex"], "https://s.correosexpress.com/c?n={}", woo "", shopify "", big "" "correosexpress" etsy "" ebay "";
    "couriers-please", "Couriers Please", ["couriersplease"], "https://www.couriersplease.com.au/tools-track/no/{}", woo "", shopify "Couriers Please", big "" "couriers-please" etsy "couriers-please" ebay "";
    "ctt", "CTT", ["ctt correios", "correios de portugal"], "https://www.ctt.pt/feapl_2/app/open/objectSearch/objectSearch.jspx?objects={}", woo "ctt", shopify "CTT", big "" "portugal-ctt" etsy "portugal-ctt" ebay "";
    "dao", "dao", ["dao365"], "https://www.dao.as/privat/find-din-pakke?stregkode={}", woo "", shopify "", big "" "dao365" etsy "" ebay "";
    "deutsche-post", "Deutsche Post", ["dp", "deutsche post brief"], "https://www.deutschepost.de/de/s/sendungsverfolgung.html?piececode={}", woo "deutsche-post", shopify "Deutsche Post", big "" "deutsch-post" etsy "deutsch-post" ebay "DeutschePost";
    // Whichever of the companies it is: DHL's own page finds the numbers of them all, and
    // WooCommerce's provider stands for them all.
    "dhl", "DHL", [], "https://www.dhl.com/global-en/home/tracking.html?tracking-id={}", woo "dhl", shopify "", big "" "" etsy "" ebay "DHL";
    "dhl-ecommerce", "DHL eCommerce", ["dhl ecommerce us", "dhl e-commerce", "dhl ecommerce solutions", "dhl global mail"], "https://webtrack.dhlecs.com/orders?trackingNumber={}", woo "dhl", shopify "DHL eCommerce", big "" "dhl-global-mail" etsy "dhl-global-mail" ebay "DHLGlobalMail";
    "dhl-ecommerce-asia", "DHL eCommerce Asia", ["dhl global mail asia"], "https://www.dhl.com/global-en/home/tracking.html?tracking-id={}", woo "dhl", shopify "DHL eCommerce Asia", big "" "dhl-global-mail-asia" etsy "dhl-global-mail-asia" ebay "";
    "dhl-express", "DHL Express", ["dhl worldwide express", "dhl express worldwide"], "https://www.dhl.com/en/express/tracking.html?AWB={}", woo "dhl", shopify "DHL Express", big "" "dhl" etsy "dhl" ebay "DHLEXPRESS";
    "dhl-freight", "DHL Freight", [], "https://www.dhl.com/global-en/home/tracking.html?tracking-id={}", woo "", shopify "", big "" "dhl-freight" etsy "" ebay "";
    "dhl-paket", "DHL Paket", ["dhl germany", "dhl de", "dhl deutschland", "deutsche post dhl", "dhl parcel de", "dhl parcel germany", "dhl päckchen", "dhl packchen", "dhl warenpost"], "https://www.dhl.de/de/privatkunden/pakete-empfangen/verfolgen.html?piececode={}", woo "dhl", shopify "DHL", big "" "dhl-germany" etsy "dhl-germany" ebay "DHL";
    "dhl-parcel-es", "DHL Parcel Spain", ["dhl parcel es", "dhl parcel iberia", "dhl spain"], "https://www.dhl.com/global-en/home/tracking.html?tracking-id={}", woo "dhl", shopify "", big "" "dhlparcel-es" etsy "dhl-es" ebay "DHL";
    "dhl-parcel-nl", "DHL Parcel NL", ["dhl parcel netherlands", "dhl parcel benelux", "dhl benelux", "dhl nl", "dhl netherlands", "dhl for you"], "https://www.dhl.com/nl-en/home/tracking/tracking-parcel.html?tracking-id={}", woo "dhl", shopify "DHL Parcel", big "" "dhlparcel-nl" etsy "dhlparcel-nl" ebay "DHL";
    "dhl-parcel-uk", "DHL Parcel UK", ["dhl uk", "uk mail", "dhl ecommerce uk"], "https://track.dhlparcel.co.uk/?con={}", woo "dhl", shopify "DHL Parcel", big "" "dhlparcel-uk" etsy "uk-mail" ebay "DHL";
    "dhl-poland", "DHL Parcel Poland", ["dhl poland", "dhl parcel polska", "dhl polska", "dhl parcel pl", "dhl pl"], "https://www.dhl.com/global-en/home/tracking.html?tracking-id={}", woo "dhl", shopify "", big "" "dhl-poland" etsy "dhl-poland" ebay "DHL";
    "dpd", "DPD", ["dpd de", "dpd germany", "dpd deutschland"], "https://tracking.dpd.de/parcelstatus?query={}", woo "dpd", shopify "DPD", big "" "dpd" etsy "dpd" ebay "DPD";
    "dpd-ireland", "DPD Ireland", ["dpd ie"], "https://dpd.ie/tracking?consignmentNumber={}", woo "dpd", shopify "DPD Ireland", big "" "dpd-ireland" etsy "" ebay "DPD";
    "dpd-local", "DPD Local", ["interlink", "interlink express"], "https://track.dpdlocal.co.uk/search?reference={}", woo "dpd", shopify "DPD Local", big "" "interlink-express" etsy "interlink-express" ebay "Interlink";
    "dpd-uk", "DPD UK", ["dpd gb", "dpd united kingdom"], "https://track.dpd.co.uk/search?reference={}", woo "dpd", shopify "DPD UK", big "" "dpd-uk" etsy "dpd-uk" ebay "DPD";
    "dx", "DX", ["dx delivery"], "https://my.dxdelivery.com/?tracking_number={}", woo "", shopify "DX", big "" "dx" etsy "" ebay "";
    "evri", "Evri", ["hermes uk", "myhermes", "myhermes uk", "hermes parcelnet", "parcelnet", "evri hermes"], "https://www.evri.com/track/parcel/{}", woo "evri-hermes", shopify "Evri", big "" "myhermes-uk" etsy "hermes" ebay "Hermes";
    "fedex", "FedEx", ["federal express", "fed ex"], "https://www.fedex.com/fedextrack/?trknbr={}", woo "fedex", shopify "FedEx", big "fedex" "fedex" etsy "fedex" ebay "FedEx";
    "fedex-freight", "FedEx Freight", [], "https://www.fedex.com/fedextrack/?trknbr={}", woo "", shopify "", big "" "fedex-freight" etsy "" ebay "";
    "gls", "GLS", ["general logistics systems", "gls germany", "gls de", "gls europe"], "https://gls-group.eu/track/{}", woo "gls", shopify "GLS", big "" "gls" etsy "gls" ebay "GLS";
    "gls-italy", "GLS Italy", ["gls it", "gls italia"], "https://www.gls-italy.com/it/servizi/servizi-per-destinatari/ricerca-spedizione?match={}", woo "gls", shopify "GLS Italy", big "" "gls-italy" etsy "" ebay "GLS";
    "gls-spain", "GLS Spain", ["gls es", "gls espana", "gls españa", "asm"], "https://mygls.gls-spain.es/e/{}", woo "gls", shopify "", big "" "asm" etsy "" ebay "GLS";
    "gls-us", "GLS US", ["gls usa", "gso", "golden state overnight"], "https://www.gls-us.com/Tracking/PackageDetail/{}", woo "", shopify "", big "" "gso" etsy "" ebay "";
    "helthjem", "Helthjem", [], "https://helthjem.no/sporing?trackingNumber={}", woo "helthjem", shopify "", big "" "helthjem" etsy "" ebay "";
    "hermes", "Hermes", ["hermes de", "hermes germany", "hermes deutschland", "myhermes de", "hermes versand"], "https://www.myhermes.de/empfangen/sendungsverfolgung/sendungsinformation/#{}", woo "", shopify "Hermes", big "" "hermes-de" etsy "hermes-de" ebay "Hermes";
    "inpost", "InPost", ["in post", "paczkomaty", "inpost paczkomaty"], "https://inpost.pl/sledzenie-przesylek?number={}", woo "inpost", shopify "Inpost", big "" "inpost-paczkomaty" etsy "" ebay "";
    "inpost-uk", "InPost UK", [], "https://inpost.co.uk/track?number={}", woo "inpost", shopify "", big "" "" etsy "" ebay "";
    "intelcom", "Intelcom", ["dragonfly", "intelcom express"], "https://dragonflyshipping.ca/en/tracking/?tracking-id={}", woo "", shopify "Intelcom", big "" "" etsy "" ebay "";
    "japan-post", "Japan Post", ["japanpost", "jp post", "yu-pack", "日本郵便", "ゆうパック"], "https://trackings.post.japanpost.jp/services/srv/search/direct?reqCodeNo1={}", woo "", shopify "Japan Post (EN)", big "" "japan-post" etsy "japan-post" ebay "JapanPost";
    "lasership", "LaserShip", [], "https://www.ontrac.com/tracking/?number={}", woo "lasership-ontrac", shopify "Lasership", big "" "lasership" etsy "lasership" ebay "";
    "loomis", "Loomis", ["loomis express"], "https://www.loomisexpress.com/loomship/en/Track/TrackStatus?wbs={}", woo "", shopify "Loomis", big "" "loomis-express" etsy "" ebay "";
    "matkahuolto", "Matkahuolto", [], "https://www.matkahuolto.fi/seuranta?parcelNumber={}", woo "matkahuolto", shopify "", big "" "matkahuolto" etsy "" ebay "";
    "mondial-relay", "Mondial Relay", ["mondialrelay"], "https://www.mondialrelay.fr/suivi-de-colis/?numeroExpedition={}", woo "mondial-relay", shopify "Mondial Relay", big "" "mondialrelay" etsy "mondialrelay" ebay "MondialRelay";
    "mrw", "MRW", [], "https://www.mrw.es/seguimiento_envios/MRW_resultados_consultas.asp?modo=nacional&envio={}", woo "mrw", shopify "", big "" "mrw-spain" etsy "mrw-spain" ebay "MRW";
    "nacex", "NACEX", [], "https://www.nacex.es/seguimientoDetalle.do?agencia_origen=&numero_albaran={}", woo "", shopify "", big "" "nacex" etsy "nacex-spain" ebay "Nacex";
    "nz-post", "New Zealand Post", ["new zealand post", "nzpost", "courierpost"], "https://www.nzpost.co.nz/tools/tracking?trackid={}", woo "new-zealand-post", shopify "New Zealand Post", big "" "new-zealand-post" etsy "new-zealand-post" ebay "";
    "ontrac", "OnTrac", ["on trac"], "https://www.ontrac.com/tracking/?number={}", woo "lasership-ontrac", shopify "OnTrac", big "" "ontrac" etsy "ontrac" ebay "ONTRACK";
    "packeta", "Packeta", ["zasilkovna", "zásilkovna"], "https://tracking.packeta.com/en/?id={}", woo "zasilkovna", shopify "Packeta", big "" "" etsy "" ebay "";
    "parcelforce", "Parcelforce", ["parcel force", "parcelforce worldwide"], "https://www.parcelforce.com/track-trace?trackNumber={}", woo "parcelforce", shopify "Parcelforce", big "" "parcel-force" etsy "parcel-force" ebay "Parcelforce";
    "poczta-polska", "Poczta Polska", ["polish post", "pocztex"], "https://emonitoring.poczta-polska.pl/?numer={}", woo "poczta-polska", shopify "", big "" "poczta-polska" etsy "poczta-polska" ebay "PocztaPolska";
    "post-at", "Österreichische Post", ["austrian post", "austria post", "post at", "oesterreichische post", "osterreichische post", "post ag"], "https://www.post.at/sv/sendungsdetails?snr={}", woo "osterreichische-post", shopify "Österreichische Post", big "" "austrian-post-registered" etsy "austrian-post" ebay "OsterreichischePostAG";
    "post-ch", "Swiss Post", ["die post", "post ch", "la poste suisse", "die schweizerische post", "schweizerische post"], "https://service.post.ch/ekp-web/ui/entry/search/{}", woo "swiss-post", shopify "Swiss Post", big "" "swiss-post" etsy "swiss-post" ebay "SwissPost";
    "poste-italiane", "Poste Italiane", ["poste it", "poste delivery"], "https://www.poste.it/cerca/index.html#/risultati-spedizioni/{}", woo "poste-italiane", shopify "Poste Italiane", big "" "poste-italiane" etsy "poste-italiane" ebay "PosteItaliane";
    "posti", "Posti", ["itella", "posti finland"], "https://www.posti.fi/fi/seuranta#/lahetys/{}", woo "itella", shopify "", big "" "posti" etsy "posti" ebay "";
    "postnl", "PostNL", ["post nl", "tnt post"], "https://postnl.nl/tracktrace/?B={}", woo "postnl", shopify "PostNL", big "" "postnl" etsy "postnl" ebay "PostNL";
    "postnord", "PostNord", ["post nord"], "https://portal.postnord.com/tracking/details/{}", woo "postnord", shopify "", big "" "postnord" etsy "postnord" ebay "";
    "postnord-dk", "PostNord DK", ["postnord denmark", "postnord danmark"], "https://portal.postnord.com/tracking/details/{}", woo "postnord", shopify "PostNord DK", big "" "postnord" etsy "danmark-post" ebay "";
    "postnord-no", "PostNord NO", ["postnord norway", "postnord norge"], "https://portal.postnord.com/tracking/details/{}", woo "postnord", shopify "PostNord NO", big "" "postnord" etsy "" ebay "PostNordNorway";
    "postnord-se", "PostNord SE", ["postnord sweden", "postnord sverige"], "https://portal.postnord.com/tracking/details/{}", woo "postnord", shopify "PostNord SE", big "" "postnord" etsy "sweden-posten" ebay "";
    "purolator", "Purolator", [], "https://www.purolator.com/en/shipping/tracker?pin={}", woo "purolator", shopify "Purolator", big "" "purolator" etsy "purolator" ebay "";
    "relais-colis", "Relais Colis", ["relaiscolis"], "https://www.relaiscolis.com/suivi-de-colis/index/tracking/{}", woo "", shopify "", big "" "relaiscolis" etsy "" ebay "";
    "royal-mail", "Royal Mail", ["royalmail"], "https://www.royalmail.com/track-your-item#/tracking-results/{}", woo "royal-mail", shopify "Royal Mail", big "royalmail" "royal-mail" etsy "royal-mail" ebay "RoyalMail";
    "sagawa", "Sagawa", ["sagawa express", "佐川急便"], "https://k2k.sagawa-exp.co.jp/p/web/okurijosearch.do?okurijoNo={}", woo "", shopify "Sagawa (EN)", big "" "sagawa" etsy "sagawa" ebay "";
    "sda", "SDA", ["sda express courier", "sda express"], "https://www.sda.it/wps/portal/Servizi_online/dettaglio-spedizione?locale=it&tracing.letteraVettura={}", woo "sda", shopify "", big "" "italy-sda" etsy "italy-sda" ebay "SDA";
    "sendle", "Sendle", [], "https://track.sendle.com/tracking?ref={}", woo "", shopify "Sendle", big "" "sendle" etsy "sendle" ebay "";
    "seur", "SEUR", [], "https://www.seur.com/livetracking/?segOnlineIdentificador={}", woo "seur", shopify "SEUR", big "" "spanish-seur" etsy "spanish-seur" ebay "Seur";
    "sf-express", "SF Express", ["shunfeng", "顺丰速运", "顺丰"], "https://www.sf-express.com/we/ow/chn/en/waybill/waybill-detail/{}", woo "", shopify "SF Express", big "" "sf-express" etsy "sf-express" ebay "";
    "startrack", "StarTrack", ["star track"], "https://startrack.com.au/track/details/{}", woo "startrack", shopify "StarTrack", big "" "star-track" etsy "star-track" ebay "StarTrack";
    "tnt", "TNT", ["tnt express"], "https://www.tnt.com/express/en_gb/site/shipping-tools/tracking.html?searchType=con&cons={}", woo "", shopify "TNT", big "" "tnt" etsy "tnt" ebay "TNT";
    "toll", "Toll", ["toll ipec", "team global express"], "https://www.myteamge.com/?externalSearchQuery={}", woo "toll", shopify "Toll IPEC", big "" "toll-ipec" etsy "toll-global-express" ebay "Toll";
    "tuffnells", "Tuffnells", [], "https://www.tuffnells.co.uk/track-and-trace?tracking={}", woo "", shopify "Tuffnells", big "" "tuffnells" etsy "" ebay "";
    "ups", "UPS", ["united parcel service"], "https://www.ups.com/track?tracknum={}", woo "ups", shopify "UPS", big "ups" "ups" etsy "ups" ebay "UPS";
    "ups-freight", "UPS Freight", [], "https://www.ups.com/track?tracknum={}", woo "", shopify "", big "" "ups-freight" etsy "ups-freight" ebay "";
    "ups-mail-innovations", "UPS Mail Innovations", ["ups mi"], "https://www.ups.com/track?tracknum={}", woo "", shopify "", big "" "ups-mi" etsy "" ebay "UPSMailInnovations";
    "usps", "USPS", ["us postal service", "united states postal service", "u.s. postal service", "us mail"], "https://tools.usps.com/go/TrackConfirmAction?tLabels={}", woo "usps", shopify "USPS", big "usps" "usps" etsy "usps" ebay "USPS";
    "whistl", "Whistl", [], "https://trackmyitem.whistl.co.uk/tracking/{}", woo "", shopify "Whistl", big "" "whistl" etsy "whistl" ebay "";
    "yamato", "Yamato", ["yamato transport", "kuroneko yamato", "kuroneko", "ta-q-bin", "takkyubin", "ヤマト運輸"], "https://toi.kuronekoyamato.co.jp/cgi-bin/tneko?init=1&number={}", woo "", shopify "Yamato (EN)", big "" "taqbin-jp" etsy "taqbin-jp" ebay "";
    "yanwen", "Yanwen", [], "https://track.yw56.com.cn/en/querydel?nums={}", woo "", shopify "", big "" "yanwen" etsy "yanwen" ebay "YANWEN";
    "yodel", "Yodel", [], "https://www.yodel.co.uk/tracking/{}", woo "", shopify "Yodel", big "" "yodel" etsy "yodel" ebay "Yodel";
    "yunexpress", "YunExpress", ["yun express"], "https://www.yuntrack.com/parcelTracking?id={}", woo "", shopify "YunExpress", big "" "yunexpress" etsy "" ebay "";
}

/// Names that several companies share, and which those are.
pub(crate) const SHARED: &[(&str, &[&str])] = &[
    ("dhl parcel", &["dhl-paket", "dhl-parcel-uk", "dhl-parcel-nl", "dhl-parcel-es", "dhl-poland", "dhl-ecommerce"]),
    ("dhl packet", &["dhl-paket", "dhl-ecommerce"]),
    ("correios", &["ctt"]),
    ("fastway", &["aramex-australia"]),
];

/// Words for services that carriers put behind their name: `UPS Ground`, `Royal Mail Tracked 24`,
/// `FedEx Home Delivery`.
pub(crate) const SERVICE_WORDS: &[&str] = &[
    "1",
    "10",
    "10am",
    "12",
    "12am",
    "1200",
    "1st",
    "2",
    "24",
    "24h",
    "2day",
    "2nd",
    "3",
    "3day",
    "48",
    "48h",
    "72",
    "9",
    "9am",
    "1pm",
    "1030",
    "0900",
    "access",
    "advantage",
    "air",
    "am",
    "and",
    "business",
    "businessparcel",
    "by",
    "class",
    "classic",
    "collect",
    "collection",
    "connect",
    "day",
    "days",
    "delivery",
    "direct",
    "domestic",
    "door",
    "drop",
    "early",
    "economy",
    "ecoparcel",
    "ems",
    "envelope",
    "eod",
    "europe",
    "european",
    "evening",
    "expedited",
    "express",
    "express1",
    "first",
    "flat",
    "flex",
    "for",
    "freedom",
    "global",
    "ground",
    "guarantee",
    "guaranteed",
    "home",
    "hour",
    "hours",
    "household",
    "intl",
    "international",
    "internazionale",
    "insured",
    "kg",
    "kleinpaket",
    "large",
    "letter",
    "light",
    "locker",
    "mail",
    "maxi",
    "media",
    "medium",
    "mini",
    "monday",
    "morning",
    "national",
    "next",
    "night",
    "noon",
    "on",
    "one",
    "overnight",
    "pack",
    "packet",
    "packstation",
    "pak",
    "paket",
    "parcel",
    "parcels",
    "parcelshop",
    "paxi",
    "pick",
    "pickup",
    "plus",
    "pm",
    "point",
    "predict",
    "premium",
    "priority",
    "private",
    "rate",
    "regional",
    "registered",
    "relay",
    "retail",
    "return",
    "returns",
    "same",
    "sameday",
    "saturday",
    "saver",
    "second",
    "select",
    "service",
    "services",
    "shop",
    "shop2shop",
    "shopreturn",
    "signature",
    "signed",
    "small",
    "smart",
    "smartpost",
    "special",
    "specialday",
    "standard",
    "store",
    "sunday",
    "super",
    "sure",
    "surepost",
    "three",
    "to",
    "track",
    "trackable",
    "tracked",
    "tracking",
    "two",
    "untracked",
    "up",
    "value",
    "versand",
    "with",
    "world",
    "worldwide",
    "xl",
    "xs",
];

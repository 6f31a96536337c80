//! Identifiers and canonical JSON, against published vectors and at random.

use licences::canonical::canonical;
use licences::identifier::{Rules, check_character};
use licences::sd_jwt::{Document, compose};
use proptest::prelude::*;
use serde_json::{Value, json};

#[test]
fn identifiers_of_published_licences() {
    let rules = Rules::default();
    let check = |text: &str, expect: Option<(&str, u32)>| {
        let found = rules.parse(text).ok();
        let found = found.as_ref().map(|id| (id.serial.as_str(), id.version()));
        assert_eq!(found, expect, "{text}");
    };
    check(
        "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
        Some(("20230000403", 1)),
    );
    check(
        "1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9",
        Some(("000000016", 1)),
    );
    check(
        " 1.2.156.3005.2.11100000000013338w009.11330105002500287c.2025052201.002.0 ",
        Some(("2025052201", 2)),
    );
    // One character wrong, one left out, something before, behind or between.
    for text in [
        "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.V",
        "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000404.001.U",
        "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001",
        "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.1.U",
        "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.UU",
        "2.1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
        "1.2.156.3005.2.11100000000013338W011..20230000403.001.U",
        "1.2.156.3005.2.11100000000013338W011.11430000006122244L.２0230000403.001.U",
        "",
    ] {
        check(text, None);
    }
    let strict = Rules {
        issuer_is_credit_code: true,
        ..Rules::default()
    };
    let old = "1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9";
    assert!(strict.parse(old).is_err());
    assert_eq!(check_character("a"), None);
}

#[test]
fn canonical_json_as_rfc_8785_shows_it() {
    // The example of section 3.2.2. Its numbers are read by the compiler: serde_json's own reader
    // may be off by the last bit.
    let value = json!({
        "numbers": ["333333333.33333329".parse::<f64>().unwrap(), 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u{20ac}$\u{f}\u{a}A'\u{42}\u{22}\u{5c}\\\"/",
        "literals": [null, true, false],
    });
    assert_eq!(
        canonical(&value),
        r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#
    );
    // Keys by UTF-16 (the example of section 3.2.3).
    let keys = json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7});
    let text = canonical(&keys);
    let order: Vec<&str> = text.split(':').skip(1).map(|part| &part[..1]).collect();
    assert_eq!(order, ["2", "4", "6", "7", "1", "5", "3"]);
    for (number, text) in [
        (0.0, "0"),
        (-0.0, "0"),
        (1e21, "1e+21"),
        (1e20, "100000000000000000000"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (-123.456, "-123.456"),
        (9007199254740993.0, "9007199254740992"),
        (5e-324, "5e-324"),
    ] {
        assert_eq!(canonical(&json!(number)), text);
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(".*", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_made_is_read_and_every_slip_is_found(
        serial in "[0-9A-Z]{1,40}", version in 1_u32..1000, place in 0_usize..70, to in "[0-9A-Z]",
    ) {
        let rules = Rules::default();
        let made = rules.make("11130199000000019E001", "11130199000000019E", &serial, version).unwrap();
        let text = made.to_string();
        prop_assert_eq!(&rules.parse(&text).unwrap(), &made);
        // One character replaced by another behind the root.
        let at = 15 + place % (text.len() - 15);
        let mut typed = text.clone();
        typed.replace_range(at..at + 1, &to);
        if typed != text {
            prop_assert!(rules.parse(&typed).is_err(), "{} passes for {}", typed, text);
        }
    }

    #[test]
    fn no_text_breaks_the_reader_of_identifiers(text in ".*", dots in "[0-9A-Z.]{0,80}") {
        let rules = Rules::default();
        let _ = rules.parse(&text);
        let _ = rules.parse(&format!("1.2.156.3005.2.{dots}"));
    }

    #[test]
    fn canonical_json_reads_back_and_does_not_depend_on_order(value in any_json()) {
        let text = canonical(&value);
        let read: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(canonical(&read), text);
    }

    #[test]
    fn numbers_read_back_as_they_were(number in any::<f64>().prop_filter("finite", |n| n.is_finite())) {
        let text = canonical(&json!(number));
        prop_assert_eq!(text.parse::<f64>().unwrap(), number, "{}", text);
    }

    #[test]
    fn no_bytes_break_the_reader_of_documents(
        text in ".*", parts in prop::collection::vec("[A-Za-z0-9_.=-]{0,40}", 0..6),
        json in any_json(), bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        use base64::Engine;
        let b64 = |bytes: &[u8]| base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let head = b64(br#"{"alg":"ES256"}"#);
        let claims = b64(json!({ "_sd": json, "_sd_alg": "sha-256", "x": 1 }).to_string().as_bytes());
        let token = format!("{head}.{claims}.{}", b64(&bytes));
        let disclosure = b64(json.to_string().as_bytes());
        for text in [
            text.clone(),
            parts.join("~"),
            format!("{token}~{}~", parts.join("~")),
            format!("{token}~{disclosure}~{token}"),
            compose(&token, [disclosure.as_str(), &text].into_iter()),
            String::from_utf8_lossy(&bytes).into_owned(),
        ] {
            if let Some(document) = Document::parse(&text) {
                let _ = document.claims();
            }
        }
    }
}

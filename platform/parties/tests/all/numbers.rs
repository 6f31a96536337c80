//! Parsers of numbers, names and dates under anything: they answer, and what they accept is sound.

use kernel::Time;
use kernel::numbers::{self, CitizenNumber, CreditCode, Day, citizen_check, credit_check};
use kernel::parties::{Claim, DocumentKind};
use proptest::prelude::*;

fn anything() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[0-9Xx]{17,19}",
        "130199[0-9]{8}[0-9]{3}[0-9X]",
        "[0-9A-HJ-NPQRTUWXY]{18}",
        "[０-９0-9]{18}",
        "\\PC{0,40}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_text_makes_a_parser_stumble(text in anything(), birth in anything()) {
        if let Ok(number) = CitizenNumber::parse(&text) {
            let text = number.as_str();
            prop_assert_eq!(text.len(), 18);
            prop_assert_eq!(citizen_check(&text[..17]), text.chars().last());
            prop_assert!(Day::parse(&number.birth().to_string()) == Some(number.birth()));
        }
        if let Ok(code) = CreditCode::parse(&text) {
            prop_assert_eq!(credit_check(&code.as_str()[..17]), code.as_str().chars().last());
        }
        if let Some(mobile) = numbers::mobile(&text) {
            prop_assert!(mobile.len() == 11 && mobile.bytes().all(|b| b.is_ascii_digit()));
        }
        if let Some(name) = numbers::person_name(&text) {
            prop_assert!(!name.contains(char::is_control) && name.chars().count() <= 60);
        }
        let _ = (numbers::passport(&text), Day::parse(&text), citizen_check(&text), credit_check(&text));
        let _ = (numbers::mask_mobile(&text), numbers::mask_name(&text), numbers::mask_number(&text));
        for document in [DocumentKind::CitizenNumber, DocumentKind::ResidencePermit, DocumentKind::Passport] {
            let claim = Claim { document, number: text.clone(), name: birth.clone(), birth: Some(text.clone()) };
            if let Err(problems) = claim.check(Time(1_790_000_000_000_000)) {
                prop_assert!(!problems.is_empty());
            }
        }
    }

    #[test]
    fn every_day_that_exists_makes_a_number(days in 0i64..60_000, serial in 0u32..1000) {
        let birth = Day::of(Time(days * 86_400_000_000)).to_string().replace('-', "");
        let first = format!("130199{birth}{serial:03}");
        let number = format!("{first}{}", citizen_check(&first).unwrap());
        let read = CitizenNumber::parse(&number);
        prop_assert_eq!(read.map(|n| n.birth().to_string().replace('-', "")), Ok(birth));
    }

    #[test]
    fn a_mask_gives_nothing_of_the_middle_away(serial in 0u32..1000, year in 1900u32..2026) {
        let first = format!("130199{year:04}0101{serial:03}");
        let number = format!("{first}{}", citizen_check(&first).unwrap());
        let mask = numbers::mask_number(&number);
        prop_assert_eq!(mask.len(), 18);
        prop_assert!(mask[3..16].chars().all(|c| c == '*'));
    }
}

//! Attackers: altered fields, swapped disclosures, replays, expired and foreign codes, revoked
//! licences in hand, guesses, somebody else's licence, a database altered behind the city's back.

use crate::*;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as B64;
use kernel::licences::Verdict;
use store::licences::{self as rows, By};
use testkit::each_store;

/// A document in its parts: the signed token, the disclosures by name.
pub(crate) fn taken_apart(document: &str) -> (String, BTreeMap<String, String>) {
    let mut parts = document.trim_end_matches('~').split('~');
    let issued = parts.next().unwrap().to_string();
    let named = parts.map(|text| {
        let read: Value = serde_json::from_slice(&B64.decode(text).unwrap()).unwrap();
        (read[1].as_str().unwrap().to_string(), text.to_string())
    });
    (issued, named.collect())
}

async fn document_of(house: &House, serial: u32, licence: &Licence) -> String {
    let me = resident(&citizen(serial));
    house
        .engine
        .document(&me, &licence.identifier, &[])
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn altered_documents_are_found() {
    for suite in [Suite::International, Suite::National] {
        each_store(|store| async move {
            let house = house_with(&store, suite).await;
            let serial = 10 + suite as u32;
            let licence = house.issue(driver(serial)).await;
            let other = house.issue(driver(serial + 10)).await;
            let document = document_of(&house, serial, &licence).await;
            let foreign = document_of(&house, serial + 10, &other).await;
            assert_eq!(
                house.verify_document(&document).await.verdict,
                Verdict::Valid
            );
            let (issued, named) = taken_apart(&document);
            let (_, others) = taken_apart(&foreign);
            let verdict = |text: String| {
                let house = &house;
                async move { house.verify_document(&text).await.verdict }
            };
            // A field of our own making, under the salt of the right one.
            let right = B64.decode(&named["vehicle_class"]).unwrap();
            let forged = String::from_utf8(right).unwrap().replace("C1", "A1");
            assert_eq!(
                verdict(format!("{issued}~{}~", B64.encode(forged))).await,
                Verdict::Altered
            );
            // A disclosure of another licence, one twice, one cut short.
            assert_eq!(
                verdict(format!("{issued}~{}~", others["holder_name"])).await,
                Verdict::Altered
            );
            let name = &named["holder_name"];
            assert_eq!(
                verdict(format!("{issued}~{name}~{name}~")).await,
                Verdict::Altered
            );
            assert_eq!(
                verdict(format!("{issued}~{}~", &name[..name.len() - 2])).await,
                Verdict::Altered
            );
            // The signed part changed, its signature kept.
            let parts: Vec<&str> = issued.split('.').collect();
            let claims = String::from_utf8(B64.decode(parts[1]).unwrap()).unwrap();
            for (from, to) in [
                (licence.identifier.as_str(), other.identifier.as_str()),
                ("\"exp\":1", "\"exp\":9"),
            ] {
                assert!(claims.contains(from), "{from} is not in {claims}");
                let forged = B64.encode(claims.replace(from, to));
                let token = format!("{}.{forged}.{}", parts[0], parts[2]);
                assert_eq!(verdict(format!("{token}~")).await, Verdict::Altered);
            }
            // Another algorithm, none, another key, another type.
            let header = String::from_utf8(B64.decode(parts[0]).unwrap()).unwrap();
            for (from, to, expect) in [
                ("\"alg\":\"", "\"alg\":\"none", Verdict::Altered),
                ("\"alg\":\"", "\"alg\":\"HS256", Verdict::Altered),
                ("\"kid\":\"", "\"kid\":\"x", Verdict::Unknown),
                ("dc+sd-jwt", "JWT", Verdict::Unknown),
            ] {
                let forged = B64.encode(header.replace(from, to));
                let token = format!("{forged}.{}.{}", parts[1], parts[2]);
                assert_eq!(verdict(format!("{token}~")).await, expect, "{to}");
            }
            // No signature at all, and what is no document.
            assert_eq!(
                verdict(format!("{}.{}.~", parts[0], parts[1])).await,
                Verdict::Altered
            );
            for text in ["", "~", "a.b.c~", "....~", "\u{0}~\u{0}"] {
                assert_eq!(verdict(text.into()).await, Verdict::Unknown, "{text:?}");
            }
            assert_eq!(verdict("x".repeat(1_000_000)).await, Verdict::Unknown);
            // Only some of it disclosed is sound, and shows only that.
            let found = house.verify_document(&format!("{issued}~{name}~")).await;
            assert_eq!(shown(&found), [("holder_name", &json!("李明"))]);
        })
        .await;
    }
}

/// Codes that are shown in the same moment are used up together: each is good once all the same.
#[tokio::test(flavor = "multi_thread")]
async fn many_codes_at_once_are_each_good_once() {
    each_store(|store| async move {
        let house = house(&store).await;
        let mut codes = vec![];
        for serial in 1..=20 {
            let licence = house.issue(driver(serial)).await;
            codes.push(house.present(serial, &licence).await.token);
        }
        // The first half are over.
        house.wait(Span::seconds(60));
        for serial in 21..=40 {
            let licence = house.issue(driver(serial)).await;
            codes.push(house.present(serial, &licence).await.token);
        }
        let tries = (0..120).map(|n| {
            let (engine, token) = (house.engine.clone(), codes[n % 40].clone());
            tokio::spawn(async move {
                let shown = Shown::Token { token };
                let found = engine.verify(&Actor::default(), &shown, &why()).await;
                (n % 40, found.unwrap().verdict == Verdict::Valid)
            })
        });
        let mut won = [0; 40];
        for each in tries.collect::<Vec<_>>() {
            let (code, valid) = each.await.unwrap();
            won[code] += u32::from(valid);
        }
        assert_eq!(won[..20], [0; 20], "over");
        assert_eq!(won[20..], [1; 20], "good once");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_good_once_and_for_its_time() {
    each_store(|store| async move {
        let house = house(&store).await;
        let licence = house.issue(driver(1)).await;
        let code = house.present(1, &licence).await;
        assert_eq!(
            house.verify_token(&code.token).await.verdict,
            Verdict::Valid
        );
        let again = house.verify_token(&code.token).await;
        assert_eq!(again.verdict, Verdict::Unknown, "used already");
        assert_eq!((again.fields.len(), again.identifier), (0, None));
        let code = house.present(1, &licence).await;
        house.wait(Span::seconds(60));
        assert_eq!(
            house.verify_token(&code.token).await.verdict,
            Verdict::Unknown,
            "over"
        );
        // Many at once: one of them.
        let code = house.present(1, &licence).await;
        let tries = (0..30).map(|_| {
            let (engine, token) = (house.engine.clone(), code.token.clone());
            tokio::spawn(async move {
                let shown = Shown::Token { token };
                let found = engine.verify(&Actor::default(), &shown, &why()).await;
                found.unwrap().verdict == Verdict::Valid
            })
        });
        let mut won = 0;
        for each in tries.collect::<Vec<_>>() {
            won += u32::from(each.await.unwrap());
        }
        assert_eq!(won, 1);
        let me = resident(&citizen(1));
        let uses = house
            .engine
            .wallet_uses(&me, &licence.identifier, None)
            .await
            .unwrap();
        assert_eq!(uses.len(), 2, "what was refused is no use");
        // Somebody else's secret of another kind opens nothing; nor does a long one.
        let offer = house
            .engine
            .vci_offer(&me, &licence.identifier)
            .await
            .unwrap();
        let grants = offer.offer["grants"]
            .as_object()
            .unwrap()
            .values()
            .next()
            .unwrap()
            .clone();
        let secret = grants["pre-authorized_code"].as_str().unwrap();
        assert_eq!(house.verify_token(secret).await.verdict, Verdict::Unknown);
        assert_eq!(
            house.verify_token(&"x".repeat(100_000)).await.verdict,
            Verdict::Unknown
        );
        // Over for a day, they are forgotten.
        house.wait(Span::days(2));
        house.engine.tidy().await.unwrap();
        let digest = rows::token(&mut house.store.reader().await.unwrap(), "none")
            .await
            .unwrap();
        assert_eq!(digest, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_reaches_its_own_licence_only_and_is_random() {
    each_store(|store| async move {
        let house = house(&store).await;
        let (one, two) = (house.issue(driver(1)).await, house.issue(driver(2)).await);
        let (a, b) = (house.present(1, &one).await, house.present(2, &two).await);
        assert_eq!(a.token.len(), 43, "256 bits");
        assert_ne!(a.token, b.token);
        let found = house.verify_token(&a.token).await;
        assert_eq!(found.identifier, Some(one.identifier.clone()));
        // A character changed leads nowhere.
        let mut guess = b.token.clone().into_bytes();
        guess[7] = if guess[7] == b'A' { b'B' } else { b'A' };
        let guess = String::from_utf8(guess).unwrap();
        assert_eq!(house.verify_token(&guess).await.verdict, Verdict::Unknown);
        assert_eq!(house.verify_token(&b.token).await.verdict, Verdict::Valid);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn revoked_after_issue_shows_in_hand_and_in_the_list() {
    each_store(|store| async move {
        let house = house(&store).await;
        let many: Vec<NewLicence> = (1..=40).map(driver).collect();
        let issued = house
            .engine
            .issue(&officer("transport"), &many)
            .await
            .unwrap();
        let licence = &issued[20];
        let document = document_of(&house, 21, licence).await;
        let code = house.present(21, licence).await;
        let (token, _) = taken_apart(&document);
        let claims = B64.decode(token.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        let place = &claims["status"]["status_list"];
        assert_eq!(place["uri"], format!("{ISSUER}/licences/status/0"));
        let status = || async {
            let list = house.engine.status_list(0, false).await.unwrap();
            let parts: Vec<&str> = list.split('.').collect();
            let header: Value = serde_json::from_slice(&B64.decode(parts[0]).unwrap()).unwrap();
            assert_eq!(header["typ"], "statuslist+jwt");
            let list: Value = serde_json::from_slice(&B64.decode(parts[1]).unwrap()).unwrap();
            assert_eq!(list["sub"], place["uri"]);
            let list = &list["status_list"];
            let index = place["idx"].as_u64().unwrap() as usize;
            let bits = list["bits"].as_u64().unwrap() as usize;
            licences::status_at(list["lst"].as_str().unwrap(), bits, index)
        };
        assert_eq!(status().await, Some(0));
        house.change(licence, State::Suspended).await.unwrap();
        assert_eq!(status().await, Some(2));
        house.change(licence, State::Withdrawn).await.unwrap();
        assert_eq!(status().await, Some(1));
        let found = house.verify_document(&document).await;
        assert_eq!((found.verdict, found.fields.len()), (Verdict::Revoked, 0));
        let found = house.verify_token(&code.token).await;
        assert_eq!((found.verdict, found.fields.len()), (Verdict::Revoked, 0));
        for list in [-1, 1, i64::MAX] {
            assert_eq!(
                crate::code(house.engine.status_list(list, false).await),
                "input.not_found"
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_tell_nothing() {
    each_store(|store| async move {
        let house = house(&store).await;
        let licence = house.issue(driver(1)).await;
        let ask = |identifier: &str, name: &str| Shown::Identifier {
            identifier: identifier.into(),
            name: name.into(),
        };
        // A right identifier with a wrong name, and one that does not exist, are told apart by
        // nothing.
        let wrong_name = house.verify(ask(&licence.identifier, "王芳")).await;
        let rules = licences::identifier::Rules::default();
        let none = rules
            .make(
                "11130199000000019E002",
                "11130199000000019E",
                "20261125ABCDEFGHJKLM",
                1,
            )
            .unwrap();
        let missing = house.verify(ask(&none.to_string(), "李明")).await;
        let text = |found: &Verification| serde_json::to_string(found).unwrap();
        assert_eq!(text(&wrong_name), text(&missing));
        assert_eq!(wrong_name.verdict, Verdict::Unknown);
        for name in ["", " ", "李", "李明明", "*", "%", &"李".repeat(100_000)] {
            let found = house.verify(ask(&licence.identifier, name)).await;
            assert_eq!(found.verdict, Verdict::Unknown);
        }
        // Serials drawn do not follow one another.
        let next = house.issue(driver(2)).await;
        let serial = |l: &Licence| rules.parse(&l.identifier).unwrap().serial;
        assert_ne!(serial(&licence)[8..14], serial(&next)[8..14]);
        let broken = ask("1.2.156.3005.2.x", "李明");
        let refused = house
            .engine
            .verify(&Actor::default(), &broken, &why())
            .await;
        assert_eq!(places(refused), ["identifier"]);
    })
    .await;
}

/// Names are guessed: ten wrong ones close a licence to everybody who comes with a name, for a
/// quarter of an hour, whether there is such a licence or not; what its holder shows still counts.
#[tokio::test(flavor = "multi_thread")]
async fn names_cannot_be_guessed() {
    each_store(|store| async move {
        let house = house(&store).await;
        let licence = house.issue(driver(1)).await;
        let other = house.issue(driver(2)).await;
        let none = licences::identifier::Rules::default()
            .make("11130199000000019E002", "11130199000000019E", "2026Z", 1)
            .unwrap()
            .to_string();
        let ask = |identifier: &str, name: &str, address: &str| {
            let (engine, address) = (house.engine.clone(), address.to_string());
            let shown = Shown::Identifier {
                identifier: identifier.into(),
                name: name.into(),
            };
            async move {
                let stranger = Actor::default();
                engine
                    .verify_from(&stranger, &shown, &why(), &address)
                    .await
            }
        };
        let document = {
            let me = resident(&citizen(1));
            let made = house.engine.document(&me, &licence.identifier, &[]);
            made.await.unwrap()
        };
        let code_of = house.present(1, &licence).await;
        for identifier in [licence.identifier.as_str(), &none] {
            // Many at once from many places learn no more than ten.
            let tries = (0..40).map(|n| {
                let ask = ask(identifier, &format!("王{n}"), &format!("10.0.0.{n}"));
                tokio::spawn(ask)
            });
            let mut answered = 0;
            for each in tries.collect::<Vec<_>>() {
                match each.await.unwrap() {
                    Ok(found) => {
                        assert_eq!(found.verdict, Verdict::Unknown);
                        answered += 1;
                    }
                    Err(fault) => assert_eq!(fault.code, "licences.guesses"),
                }
            }
            assert_eq!(answered, 10, "{identifier}");
            // The right name is not answered either.
            let refused = ask(identifier, "李明", "10.9.9.9").await.err().unwrap();
            assert_eq!((refused.code, refused.status()), ("licences.guesses", 429));
            let wait = refused.retry_after_s.unwrap();
            assert!((1..=900).contains(&wait), "{wait}");
        }
        // Another licence, a code and a document are not slowed down.
        let found = ask(&other.identifier, "李明", "10.9.9.9").await.unwrap();
        assert_eq!(found.verdict, Verdict::Valid);
        assert_eq!(
            house.verify_document(&document).await.verdict,
            Verdict::Valid
        );
        assert_eq!(
            house.verify_token(&code_of.token).await.verdict,
            Verdict::Valid
        );
        // The holder sees once that somebody guessed.
        let me = resident(&citizen(1));
        let uses = house.engine.wallet_uses(&me, &licence.identifier, None);
        let uses = uses.await.unwrap();
        let guessed: Vec<_> = uses.iter().filter(|each| each.way == "guesses").collect();
        assert_eq!(guessed.len(), 1);
        assert!(guessed[0].fields.is_empty() && guessed[0].purpose.contains("10"));
        // Afterwards the right name is right again.
        house.wait(Span::minutes(15));
        let found = ask(&licence.identifier, "李明", "10.9.9.9").await.unwrap();
        assert_eq!(found.verdict, Verdict::Valid);
        // One place that guesses at many licences waits too.
        let rules = licences::identifier::Rules::default();
        let mut answered = 0;
        for n in 0..70 {
            let serial = format!("2026N{n}");
            let made = rules.make("11130199000000019E002", "11130199000000019E", &serial, 1);
            let made = made.unwrap().to_string();
            answered += u32::from(ask(&made, "李明", "10.1.1.1").await.is_ok());
        }
        assert_eq!(answered, 60);
        assert!(ask(&other.identifier, "李明", "10.1.1.1").await.is_err());
        assert!(ask(&other.identifier, "李明", "10.1.1.2").await.is_ok());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_licence_is_not_there() {
    each_store(|store| async move {
        let house = house(&store).await;
        let licence = house.issue(driver(1)).await;
        let firm_licence = house.issue(food(1)).await;
        let thief = resident(&citizen(2));
        let id = &licence.identifier;
        assert!(
            house
                .engine
                .wallet(&thief, None)
                .await
                .unwrap()
                .0
                .is_empty()
        );
        let new = NewPresentation::default();
        assert_eq!(
            code(house.engine.present(&thief, id, &new).await),
            "input.not_found"
        );
        assert_eq!(
            code(house.engine.wallet_page(&thief, id).await),
            "input.not_found"
        );
        assert_eq!(
            code(house.engine.wallet_uses(&thief, id, None).await),
            "input.not_found"
        );
        assert_eq!(
            code(house.engine.document(&thief, id, &[]).await),
            "input.not_found"
        );
        assert_eq!(
            code(house.engine.vci_offer(&thief, id).await),
            "input.not_found"
        );
        // Nobody, and somebody whose identity is not proven well enough.
        let mut weak = resident(&citizen(1));
        weak.standing.proofing = 1;
        for actor in [Actor::default(), weak, officer("transport")] {
            assert_eq!(
                code(house.engine.wallet(&actor, None).await),
                "parties.level"
            );
            assert_eq!(
                code(house.engine.present(&actor, id, &new).await),
                "parties.level"
            );
        }
        // Who acts for a firm sees the firm's, not their own; beyond the scope nothing.
        let mut agent = resident(&citizen(1));
        agent.standing.acts_for = Some(kernel::access::Party {
            tie: kernel::access::Tie::Agent,
            party: firm(1),
            display: "示例餐饮".into(),
            document: "T1".into(),
        });
        let theirs = house.engine.wallet(&agent, None).await.unwrap().0;
        assert_eq!(theirs.len(), 1);
        assert_eq!(theirs[0].identifier, firm_licence.identifier);
        assert_eq!(
            code(house.engine.present(&agent, id, &new).await),
            "input.not_found"
        );
        agent.account = "narrow".into();
        assert_eq!(
            code(house.engine.wallet(&agent, None).await),
            "parties.beyond_scope"
        );
        // A delegation between officers makes nobody a holder of anybody's licences.
        let mut deputy = resident(&citizen(2));
        deputy.standing.acts_for = Some(kernel::access::Party {
            tie: kernel::access::Tie::Delegation,
            party: citizen(1),
            display: String::new(),
            document: "D1".into(),
        });
        assert!(
            house
                .engine
                .wallet(&deputy, None)
                .await
                .unwrap()
                .0
                .is_empty()
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_altered_behind_our_back_is_found() {
    each_store(|store| async move {
        let house = house(&store).await;
        let (one, two) = (house.issue(driver(1)).await, house.issue(driver(2)).await);
        let row = |licence: &Licence| {
            let (store, id) = (house.store.clone(), licence.identifier.clone());
            async move {
                let mut reader = store.reader().await.unwrap();
                rows::licence(&mut reader, By::Identifier, &id)
                    .await
                    .unwrap()
                    .unwrap()
            }
        };
        let write = |row: rows::LicenceRow| {
            let store = house.store.clone();
            async move {
                let mut tx = store.begin().await.unwrap();
                let next = rows::LicenceRow {
                    version: row.version + 1,
                    ..row
                };
                assert!(rows::put_licence(&mut tx, &next).await.unwrap());
                tx.commit().await.unwrap();
            }
        };
        let sound = row(&one).await;
        let other = row(&two).await;
        let forever = rows::LicenceRow {
            valid_to: None,
            ..sound.clone()
        };
        let moved = rows::LicenceRow {
            sealed: other.sealed.clone(),
            signature: other.signature.clone(),
            ..sound.clone()
        };
        let unsigned = rows::LicenceRow {
            signature: vec![0; 64],
            ..sound.clone()
        };
        let broken = rows::LicenceRow {
            sealed: vec![1, 2, 3],
            ..sound.clone()
        };
        let strange = rows::LicenceRow {
            algorithm: "none".into(),
            ..sound.clone()
        };
        for (altered, n) in [forever, moved, unsigned, broken, strange]
            .into_iter()
            .zip(1..)
        {
            let code = match n {
                1 => Some(house.present(1, &one).await),
                _ => None,
            };
            write(rows::LicenceRow {
                version: n,
                ..altered
            })
            .await;
            let by_name = Shown::Identifier {
                identifier: one.identifier.clone(),
                name: "李明".into(),
            };
            let found = house.verify(by_name).await;
            assert_eq!(
                (found.verdict, found.fields.len()),
                (Verdict::Altered, 0),
                "{n}"
            );
            if let Some(code) = code {
                assert_eq!(
                    house.verify_token(&code.token).await.verdict,
                    Verdict::Altered
                );
            }
            // Nobody works on with it as if it were sound.
            assert!(house.change(&one, State::Suspended).await.is_err());
            let held = house
                .engine
                .held(&driver(1).holder, "driver_permit")
                .await
                .unwrap();
            assert!(held.is_empty());
        }
    })
    .await;
}

//! The desk of those who issue: what they saw is written down whole, a licence that stood for paper
//! is noted once, a re-issue keeps what is not corrected.

use crate::*;
use kernel::licences::{InPlace, Verdict};
use kernel::numbers::Day;
use licences::{Reissue, UseInfo};
use testkit::each_store;

async fn uses(house: &House, serial: u32, identifier: &str) -> Vec<UseInfo> {
    let me = resident(&citizen(serial));
    let uses = house.engine.wallet_uses(&me, identifier, None);
    uses.await.unwrap()
}

const WHOLE: [&str; 5] = [
    "holder_name",
    "holder_number",
    "number",
    "vehicle_class",
    "first_issued",
];

fn sorted(fields: &[String]) -> Vec<&str> {
    let mut fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    fields.sort_unstable();
    fields
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_officer_saw_is_written_down_whole() {
    each_store(|store| async move {
        let house = house(&store).await;
        let licence = house.issue(driver(1)).await;
        let mut whole = WHOLE;
        whole.sort_unstable();
        let desk = officer("transport");
        house.engine.look(&desk, &licence.identifier).await.unwrap();
        house.wait(Span::seconds(1));
        house.change(&licence, State::Suspended).await.unwrap();
        house.wait(Span::seconds(1));
        house.engine.look(&desk, &licence.identifier).await.unwrap();
        let seen = uses(&house, 1, &licence.identifier).await;
        let told: Vec<&str> = seen.iter().map(|each| each.verdict.as_str()).collect();
        assert_eq!(told, ["suspended", "suspended", "valid"], "newest first");
        for each in &seen {
            assert_eq!(sorted(&each.fields), whole);
            assert_eq!(
                (each.way.as_str(), &*each.verifier),
                ("office", "局 transport")
            );
        }
        // The audit log knows whom it concerned and which office looked.
        let looks: Vec<AuditRow> = house
            .audit()
            .await
            .into_iter()
            .filter(|row| row.entry.verb == "read")
            .collect();
        assert_eq!(looks.len(), 3);
        for look in looks {
            let details = &look.entry.details;
            assert_eq!(details["organisation"], "transport");
            assert!(details["records"][0]["person"].is_string(), "{details}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_licence_that_stood_for_paper_is_noted_once() {
    each_store(|store| async move {
        let house = house(&store).await;
        let licence = house.issue(driver(1)).await;
        let used = |matter: &str| InPlace {
            organisation: "market".into(),
            matter: matter.into(),
            purpose: "办理“食品经营许可”，代替纸质材料：驾驶证".into(),
            basis: "《中华人民共和国食品安全法》".into(),
        };
        for matter in ["A-1", "A-1", "A-2", "A-1"] {
            let used = used(matter);
            let noted = house.engine.note_in_place(&licence.identifier, &used);
            noted.await.unwrap();
        }
        let seen = uses(&house, 1, &licence.identifier).await;
        assert_eq!(seen.len(), 2);
        // Of one millisecond either may be listed first.
        let first = seen.iter().find(|seen| seen.matter == "A-1").unwrap();
        assert_eq!((&*first.verifier, &*first.way), ("局 market", "material"));
        assert_eq!(first.fields, ["holder_number"]);
        assert!(first.purpose.contains("食品经营许可") && !first.basis.is_empty());
        let none = house.engine.note_in_place("1.2.x", &used("A-3")).await;
        assert_ne!(code(none), "ok");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_reissues_and_the_former_names_no_successor_to_strangers() {
    each_store(|store| async move {
        let house = house(&store).await;
        let old = house.issue(driver(1)).await;
        let document = {
            let me = resident(&citizen(1));
            let made = house.engine.document(&me, &old.identifier, &[]);
            made.await.unwrap()
        };
        let desk = officer("transport");
        let asked = Reissue {
            reason: "姓名登记有误".into(),
            fields: fields(json!({ "vehicle_class": "B2", "first_issued": null })),
            ..Reissue::default()
        };
        let engine = &house.engine;
        let refused = engine
            .reissue_as_office(&officer("market"), &old.identifier, &asked)
            .await;
        assert_eq!(code(refused), "access.denied");
        let wrong = Reissue {
            reason: "x".into(),
            ..asked.clone()
        };
        let refused = engine
            .reissue_as_office(&desk, &old.identifier, &wrong)
            .await;
        assert_eq!(places(refused), ["reason"]);
        let stale = Reissue {
            version: Some(7),
            ..asked.clone()
        };
        let refused = engine
            .reissue_as_office(&desk, &old.identifier, &stale)
            .await;
        assert_eq!(code(refused), "input.stale");

        house.wait(Span::seconds(1));
        let made = engine.reissue_as_office(&desk, &old.identifier, &asked);
        let made = made.await.unwrap();
        assert_eq!(made.fields, fields(json!({ "vehicle_class": "B2" })));
        assert_eq!(
            (made.valid_from, made.valid_to),
            (old.valid_from, old.valid_to)
        );
        assert_eq!(made.number, old.number);
        assert!(made.holder == old.holder);
        let again = engine.reissue_as_office(&desk, &old.identifier, &asked);
        assert_eq!(again.await.unwrap().identifier, made.identifier);
        // Strangers learn that it was replaced, and by nothing which one.
        let by_name = Shown::Identifier {
            identifier: old.identifier.clone(),
            name: "李明".into(),
        };
        let standing = engine.print_standing(&old.identifier).await.unwrap();
        let standing = standing.unwrap();
        assert_eq!(standing.verdict, Verdict::Revoked);
        for found in [
            house.verify(by_name).await,
            house.verify_document(&document).await,
        ] {
            assert_eq!(found.verdict, Verdict::Revoked);
            assert!(found.words.zh.contains("已换发"), "{}", found.words.zh);
            let text = serde_json::to_string(&found).unwrap();
            assert!(!text.contains(&made.identifier), "{text}");
            assert_eq!(standing.words, found.words);
        }
        // The holder sees both, and that the office saw the new one.
        let mine = engine.wallet(&resident(&citizen(1)), None).await.unwrap().0;
        assert_eq!(mine[0].identifier, made.identifier);
        assert_eq!(mine[1].replaced_by.as_deref(), Some(&*made.identifier));
        assert_eq!(uses(&house, 1, &made.identifier).await[0].way, "office");
        // One that is over needs new days.
        house.wait(Span::days(40));
        let late = engine.reissue_as_office(&desk, &made.identifier, &asked);
        assert_eq!(places(late.await), ["valid_to"]);
        let longer = Reissue {
            valid_to: Day::parse("2027-12-31"),
            ..asked
        };
        let longer = engine.reissue_as_office(&desk, &made.identifier, &longer);
        assert_eq!(longer.await.unwrap().valid_to, Some(at("2028-01-01")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_licence_is_used_only_for_its_holder_and_where_it_is_asked_for() {
    each_store(|store| async move {
        let house = house(&store).await;
        let licence = house.issue(driver(1)).await;
        let mut desk = officer("market");
        desk.standing.case = Some("A-1".into());
        let papers = |serial: u32, kinds: &[&str]| Papers {
            holder: driver(serial).holder,
            kinds: kinds.iter().map(|kind| kind.to_string()).collect(),
        };
        for (papers, wrong) in [
            (papers(2, &["driver_permit"]), vec!["identifier"]),
            (papers(1, &["food_permit"]), vec!["kind"]),
            (papers(2, &[]), vec!["identifier", "kind"]),
        ] {
            let engine = &house.engine;
            let refused = engine.consult_for(&desk, &licence.identifier, &[], &papers);
            let fault = refused.await.err().unwrap();
            assert_eq!(fault.code, "licences.not_of_matter");
            let at: Vec<&str> = fault.problems.iter().map(|p| p.at.as_str()).collect();
            assert_eq!(at, wrong);
            assert!(!format!("{fault:?}").contains("李明"));
        }
        // Nothing was shown: no use. That it was tried is in the log, with what was wrong.
        assert!(uses(&house, 1, &licence.identifier).await.is_empty());
        let audit = house.audit().await;
        let tried = audit.iter().filter(|row| row.entry.outcome == "denied");
        let tried: Vec<&AuditRow> = tried.collect();
        assert_eq!(tried.len(), 3);
        for row in tried {
            assert_eq!(row.entry.subject, licence.identifier);
            assert_eq!(row.entry.details["case"], "A-1");
            assert!(row.entry.details["wrong"].is_array());
        }
        let right = papers(1, &["food_permit", "driver_permit"]);
        let used = house
            .engine
            .consult_for(&desk, &licence.identifier, &[], &right)
            .await
            .unwrap();
        assert_eq!(used.verdict, Verdict::Valid);
        assert!(used.watermark.zh.contains("局 market") && used.watermark.zh.contains("核发许可"));
        let seen = uses(&house, 1, &licence.identifier).await;
        assert_eq!((seen.len(), &*seen[0].matter), (1, "A-1"));
    })
    .await;
}

//! Narrowed grants: scope, level, second factor, purpose, masks, and what is missing when denied.

use crate::{actor, engine, person, seated, site};
use kernel::access::{Actor, Decision, Lent, Missing, Party, Policy, Standing, Tie, Verb};
use kernel::facts::{Attribute, Filter, Narrowing, Scalar, Shown};

fn missing(decision: Decision) -> Vec<Missing> {
    match decision {
        Decision::Allowed { .. } => panic!("allowed"),
        Decision::Denied { missing, .. } => missing,
    }
}

fn with(actor: Actor, change: impl FnOnce(&mut Standing)) -> Actor {
    let mut actor = actor;
    change(&mut actor.standing);
    actor
}

#[test]
fn own_is_the_organisations_one_has_a_position_in() {
    let policy = engine(&[]);
    let inspector = seated("a", &["inspector"], &["o2"], &["o2", "o3"]);
    assert!(
        policy
            .may(&inspector, Verb::Read, "register.site")
            .allowed()
    );
    let may = |org| policy.may_this(&inspector, Verb::Read, "register.site", &site("s", org));
    assert!(may("o2").allowed());
    assert_eq!(missing(may("o3")), [Missing::Scope("own".into())]);
    assert_eq!(missing(may("o4")), [Missing::Scope("own".into())]);
    let filter = policy.filter(&inspector, Verb::Read, "register.site");
    let own = Narrowing::OneOf(Attribute::Owner, vec![Scalar::Text("o2".into())]);
    assert_eq!(
        filter,
        Filter::Where(Narrowing::All(vec![Narrowing::Has(Attribute::Owner), own]))
    );
    let chief = seated("b", &["chief"], &["o2"], &["o2", "o3"]);
    let may = |org| {
        policy
            .may_this(&chief, Verb::Read, "register.site", &site("s", org))
            .allowed()
    };
    assert_eq!(
        [may("o1"), may("o2"), may("o3"), may("o4")],
        [false, true, true, false]
    );
    assert_eq!(
        policy.filter(&actor("d", &["duty"]), Verb::Read, "register.site"),
        Filter::Everything
    );
    assert_eq!(
        policy.filter(&actor("d", &["citizen"]), Verb::Read, "register.site"),
        Filter::Nothing
    );
}

#[test]
fn without_positions_the_organisation_of_the_account_and_its_tree_count() {
    let policy = engine(&[]);
    let chief = Actor {
        organisation: Some("o1".into()),
        ..actor("b", &["chief"])
    };
    let may = |org| {
        policy
            .may_this(&chief, Verb::Read, "register.site", &site("s", org))
            .allowed()
    };
    assert_eq!([may("o1"), may("o3"), may("o4")], [true, true, false]);
}

#[test]
fn level_factor_and_matter_in_hand() {
    let policy = engine(&[]);
    let chief = seated("b", &["chief"], &["o1"], &["o1"]);
    let operate = policy.may(&chief, Verb::Operate, "system");
    assert_eq!(missing(operate), [Missing::SecondFactor]);
    for factor in ["otp", "passkey"] {
        let strong = with(chief.clone(), |s| {
            s.factors = vec!["pwd".into(), factor.into()]
        });
        assert!(
            policy.may(&strong, Verb::Operate, "system").allowed(),
            "{factor}"
        );
    }
    let weak = with(chief, |s| s.factors = vec!["pwd".into()]);
    let fault = policy.demand(&weak, Verb::Operate, "system").unwrap_err();
    assert_eq!(fault.problems[0].at, "second_factor");

    let clerk = with(actor("wang", &["clerk"]), |s| {
        s.purpose = Some("受理".into())
    });
    let may = |who: &Actor, clerk| {
        policy.may_this(who, Verb::Read, "register.person", &person("p", clerk))
    };
    assert_eq!(missing(may(&clerk, "wang")), [Missing::Level(2)]);
    assert_eq!(
        missing(may(&clerk, "li")),
        [Missing::Level(2), Missing::Scope("handling".into())]
    );
    let proven = with(clerk, |s| s.proofing = 2);
    assert!(may(&proven, "wang").allowed());
    assert!(!may(&proven, "li").allowed());
    let stands_in = with(proven, |s| {
        s.acts_for = Some(Party {
            tie: Tie::Delegation,
            party: "li".into(),
            display: "李".into(),
            document: "d1".into(),
        });
    });
    assert!(may(&stands_in, "li").allowed());
}

#[test]
fn people_see_themselves_and_whom_they_act_for() {
    let policy = engine(&[]);
    let may = |who: &Actor, id| {
        policy
            .may_this(who, Verb::Read, "register.person", &person(id, "x"))
            .allowed()
    };
    let nobody = actor("z", &["citizen"]);
    assert!(!may(&nobody, "130199199001011234"));
    let me = with(nobody, |s| s.person = Some("130199199001011234".into()));
    assert!(may(&me, "130199199001011234"));
    assert!(!may(&me, "130199201501011238"));
    let guardian = with(me, |s| {
        s.acts_for = Some(Party {
            tie: Tie::Guardian,
            party: "130199201501011238".into(),
            display: "小".into(),
            document: "g1".into(),
        });
    });
    assert!(may(&guardian, "130199201501011238"));
}

#[test]
fn a_purpose_named_chooses_the_grant_and_must_be_granted_for_personal_data() {
    let policy = engine(&[]);
    let clerk = with(actor("wang", &["clerk"]), |s| s.proofing = 2);
    let purpose_of = |who: &Actor| match policy.may_this(
        who,
        Verb::Read,
        "register.person",
        &person("p", "wang"),
    ) {
        Decision::Allowed { purpose, basis, .. } => Ok((purpose, basis)),
        Decision::Denied { missing, .. } => Err(missing),
    };
    assert_eq!(purpose_of(&clerk), Ok(("受理".into(), "法四".into())));
    let named = |purpose: &str| with(clerk.clone(), |s| s.purpose = Some(purpose.into()));
    assert_eq!(
        purpose_of(&named("统计")),
        Ok(("统计".into(), "法五".into()))
    );
    assert_eq!(purpose_of(&named("好奇")), Err(vec![Missing::Purpose]));
    assert_eq!(
        policy.filter(&named("好奇"), Verb::Read, "register.person"),
        Filter::Nothing
    );
    // What is not personal is not refused for it.
    let duty = with(actor("d", &["duty"]), |s| s.purpose = Some("好奇".into()));
    assert!(policy.may(&duty, Verb::Read, "register.site").allowed());
    // What was admitted under one purpose stays under it.
    let under = clerk.under(&Decision::Allowed {
        role: "clerk".into(),
        purpose: "统计".into(),
        basis: "法五".into(),
    });
    assert_eq!(purpose_of(&under), Ok(("统计".into(), "法五".into())));
}

#[test]
fn personal_fields_are_shown_as_the_grant_says() {
    let policy = engine(&[]);
    let read = Verb::Read;
    let clerk = with(actor("wang", &["clerk"]), |s| s.proofing = 2);
    let mask = |who: &Actor, handler: &str| {
        let mask = policy.mask(who, read, "register.person", Some(&person("p", handler)));
        [mask.of("id"), mask.of("name"), mask.of("phone")]
    };
    use Shown::{Clear, Masked, Withheld};
    assert_eq!(mask(&clerk, "wang"), [Clear, Clear, Masked]);
    // Another's matter: only for statistics.
    assert_eq!(mask(&clerk, "li"), [Masked, Masked, Withheld]);
    let statistics = with(clerk.clone(), |s| s.purpose = Some("统计".into()));
    assert_eq!(mask(&statistics, "wang"), [Masked, Masked, Withheld]);
    // A grant that says nothing of fields masks them.
    assert_eq!(mask(&actor("d", &["duty"]), "x"), [Masked, Masked, Masked]);
    assert_eq!(
        mask(&actor("d", &["operator"]), "x"),
        [Withheld, Withheld, Withheld]
    );
    // Of the kind: the least that is shown of any record.
    let kind = policy.mask(&clerk, read, "register.person", None);
    assert_eq!([kind.of("id"), kind.of("phone")], [Masked, Withheld]);
}

#[test]
fn breaking_the_glass_is_offered_and_not_in_force_by_itself() {
    let policy = engine(&[]);
    let doctor = actor("yi", &["doctor"]);
    assert_eq!(
        missing(policy.may(&doctor, Verb::Read, "register.person")),
        [Missing::BreakGlass]
    );
    assert!(policy.may_list(&doctor).is_empty());
}

#[test]
fn lent_roles_count_as_far_as_the_delegation_reaches() {
    let policy = engine(&[]);
    let lent = |objects: &[&str]| {
        with(actor("z", &[]), |s| {
            s.lent = Some(Lent {
                roles: vec!["duty".into()],
                objects: objects.iter().map(|o| o.to_string()).collect(),
            });
        })
    };
    let may = |who: &Actor| {
        ["alerts", "register.site"].map(|object| policy.may(who, Verb::Read, object).allowed())
    };
    assert_eq!(may(&lent(&[])), [true, true]);
    assert_eq!(may(&lent(&["alerts"])), [true, false]);
    assert_eq!(may(&lent(&["register.*"])), [false, true]);
    assert_eq!(may(&actor("z", &[])), [false, false]);
}

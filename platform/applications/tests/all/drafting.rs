//! Drafts: filled in with what the city knows, on the disk at every save, one for applicant and
//! item, carried over to a new form, forgotten after ninety days.

use crate::stage::*;
use applications::{DRAFT_DAYS, DRAFTS};
use kernel::Span;
use kernel::access::Tie;
use kernel::applications::*;
use kernel::items::{Channel, DeliveryWay, ItemState, Source};
use serde_json::json;
use testkit::each_store;

#[tokio::test(flavor = "multi_thread")]
async fn what_the_city_knows_is_filled_in_and_may_be_changed() {
    each_store(|store| async move {
        let house = house(&store).await;
        let shop = object(json!({ "name": "示例餐馆" }));
        let key = ("shops".to_string(), citizen(1));
        house.registers.0.lock().unwrap().insert(key, shop);
        house.licences.cards.lock().unwrap().insert(citizen(1));
        let (engine, by) = (&house.engine, resident(1));
        let draft = engine.begin(&by, new_draft("food")).await.unwrap();
        assert_eq!(draft.answers["phone"], "13812345678");
        assert_eq!(draft.answers["number"], citizen(1));
        assert_eq!(draft.answers["shop"], "示例餐馆");
        assert_eq!(draft.answers["grade"], "A级");
        assert_eq!(draft.prefilled["shop"].source.zh, "登记库《门店登记簿》");
        assert_eq!(draft.prefilled["grade"].source.zh, "电子证照：健康证");
        assert!(draft.applicant.number.starts_with("1301****"), "masked");
        assert_eq!(draft.fees_fen, 5_000);
        assert!(
            !draft.asked.contains(&"chef".to_string()),
            "asked with a kitchen only"
        );
        // The licence answers a material; nobody has to bring it.
        let health = draft.materials.iter().find(|m| m.name == "health").unwrap();
        assert!(matches!(
            health.answered_by,
            Some((Source::Licence { .. }, _))
        ));
        // It was a look for the person's own use, which they find.
        let audit = house.audit().await;
        let looks: Vec<_> = audit
            .iter()
            .filter(|row| row.entry.verb == "read")
            .collect();
        assert_eq!(looks.len(), 1);
        assert_eq!(looks[0].entry.details["own_use"], true);
        assert!(!looks[0].entry.basis.is_empty());
        assert!(looks[0].entry.details["records"][0]["person"].is_string());
        assert!(
            !format!("{audit:?}").contains(&citizen(1)),
            "no number in the log"
        );
        // What the person changes or takes back stays so.
        let change = DraftChange {
            answers: object(json!({ "phone": "13900000000", "shop": null })),
            ..DraftChange::default()
        };
        let saved = engine.save(&by, &draft.id, Some(1), change).await.unwrap();
        assert_eq!(saved.answers["phone"], "13900000000");
        assert!(!saved.answers.contains_key("shop"));
        let opened = engine.draft(&by, &draft.id).await.unwrap();
        assert_eq!(opened.answers, saved.answers);
        assert_eq!(opened.version, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_is_on_the_disk_and_seen_versions_are_kept_apart() {
    each_store(|store| async move {
        let house = house(&store).await;
        let by = resident(1);
        let draft = house.engine.begin(&by, new_draft("food")).await.unwrap();
        let again = house.engine.begin(&by, new_draft("food")).await.unwrap();
        assert_eq!(draft.id, again.id, "one open draft for applicant and item");
        let saved = house
            .engine
            .save(&by, &draft.id, Some(draft.version), food_answers())
            .await
            .unwrap();
        // Another session, another process: the same draft.
        let house = house.again().await;
        let mut elsewhere = resident(1);
        elsewhere.standing.session = Some("another".into());
        let opened = house.engine.draft(&elsewhere, &draft.id).await.unwrap();
        assert!(opened == saved, "nothing is lost");
        assert_eq!(opened.step.as_deref(), Some("done"));
        let stale = house
            .engine
            .save(&by, &draft.id, Some(1), food_answers())
            .await;
        assert_eq!(code(stale), "input.stale");
        let lines = house.engine.drafts(&by).await.unwrap();
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].title.zh, "食品经营许可");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_saves_are_refused_whole_and_conditional_answers_are_kept() {
    each_store(|store| async move {
        let house = house(&store).await;
        let (engine, by) = (&house.engine, resident(1));
        let draft = engine.begin(&by, new_draft("food")).await.unwrap();
        let change = DraftChange {
            answers: object(json!({ "premises": "甲", "hat": 1, "shoe": 2 })),
            step: Some(String::new()),
            following: Some(vec!["lease".into()]),
            delivery: None,
        };
        let refused = engine.save(&by, &draft.id, None, change).await;
        let all = ["/answers/hat", "/answers/shoe", "/step", "/following/lease"];
        assert_eq!(places(refused), all);
        let opened = engine.draft(&by, &draft.id).await.unwrap();
        assert!(
            !opened.answers.contains_key("premises"),
            "nothing was taken"
        );
        let large = DraftChange {
            answers: object(json!({ "premises": "大".repeat(50_000) })),
            ..DraftChange::default()
        };
        let refused = engine.save(&by, &draft.id, None, large).await;
        assert_eq!(code(refused), "input.too_large");
        let set = |answers| DraftChange {
            answers: object(answers),
            ..DraftChange::default()
        };
        let with = set(json!({ "kitchen": true, "chef": "李师傅" }));
        let saved = engine.save(&by, &draft.id, None, with).await.unwrap();
        assert_eq!(saved.answers["chef"], "李师傅");
        assert!(saved.materials.iter().any(|m| m.name == "photo"));
        let without = set(json!({ "kitchen": false }));
        let saved = engine.save(&by, &draft.id, None, without).await.unwrap();
        assert!(!saved.answers.contains_key("chef"));
        assert_eq!(saved.left_over["chef"], "李师傅");
        assert!(!saved.materials.iter().any(|m| m.name == "photo"));
        let back = set(json!({ "kitchen": true }));
        let saved = engine.save(&by, &draft.id, None, back).await.unwrap();
        assert_eq!(saved.answers["chef"], "李师傅", "it comes back");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_survives_a_new_form_and_is_told_once() {
    each_store(|store| async move {
        let house = house(&store).await;
        let by = resident(1);
        let draft = house.food_draft(1).await;
        let mut content = food();
        let properties = content.form["properties"].as_object_mut().unwrap();
        properties.remove("premises");
        properties.insert("site".into(), json!({ "type": "string" }));
        content.form["required"] = json!(["site"]);
        house.items.publish("food", content);
        // Handing in what was written for another form shows first what changed.
        let refused = house.engine.submit(&by, &draft.id).await;
        assert_eq!(places(refused), ["/answers/premises"]);
        let house = house.again().await;
        let opened = house.engine.draft(&by, &draft.id).await.unwrap();
        assert_eq!(opened.item_version, 2);
        assert_eq!(opened.left_over["premises"], "示例路1号");
        assert_eq!(opened.changes.len(), 1);
        let again = house.engine.draft(&by, &draft.id).await.unwrap();
        assert_eq!(again.changes.len(), 1, "told until it was acknowledged");
        let missing: Vec<&str> = again.problems.iter().map(|p| p.at.as_str()).collect();
        assert_eq!(missing, ["/answers/site"]);
        let change = DraftChange {
            answers: object(json!({ "site": "示例路2号" })),
            ..DraftChange::default()
        };
        let saved = house
            .engine
            .save(&by, &draft.id, None, change)
            .await
            .unwrap();
        assert_eq!(saved.changes, []);
        assert_eq!(saved.files_at("lease"), 1, "files stay");
        house.engine.submit(&by, &draft.id).await.unwrap();
    })
    .await;
}

/// A licence that stood for paper is a use its holder sees: which office, which matter, what for;
/// once, however often the work is done.
#[tokio::test(flavor = "multi_thread")]
async fn a_licence_in_place_of_paper_is_a_use_of_it() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.licences.cards.lock().unwrap().insert(citizen(1));
        let receipt = house.food(1).await;
        house.engine.work().await.unwrap();
        house.engine.work().await.unwrap();
        let noted = house.licences.in_place.lock().unwrap().clone();
        assert_eq!(noted.len(), 1);
        let (licence, used) = &noted[0];
        assert_eq!(licence, "card-1");
        assert_eq!(used.matter, receipt.application.number);
        assert_eq!(used.organisation, receipt.application.organisation);
        assert!(used.purpose.contains(&receipt.application.title.zh));
        // Where nothing of it stood for paper there is none.
        house.food(2).await;
        house.engine.work().await.unwrap();
        assert_eq!(house.licences.in_place.lock().unwrap().len(), 1);
    })
    .await;
}

trait FilesAt {
    fn files_at(&self, name: &str) -> usize;
}

impl FilesAt for Draft {
    fn files_at(&self, name: &str) -> usize {
        let found = self.materials.iter().find(|m| m.name == name);
        found.map_or(0, |m| m.files.len())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_with_fields_of_the_form_before_keeps_them_apart() {
    each_store(|store| async move {
        let house = house(&store).await;
        let by = resident(1);
        let draft = house.food_draft(1).await;
        let mut content = food();
        let properties = content.form["properties"].as_object_mut().unwrap();
        properties.remove("premises");
        house.items.publish("food", content);
        let change = DraftChange {
            answers: object(json!({ "premises": "示例路3号", "area": 30 })),
            ..DraftChange::default()
        };
        let saved = house.engine.save(&by, &draft.id, None, change).await;
        let saved = saved.unwrap();
        assert_eq!(saved.answers["area"], 30);
        assert_eq!(saved.left_over["premises"], "示例路3号");
        assert_eq!(saved.changes.len(), 1, "not seen yet, so still told");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drafts_run_out_and_are_bounded() {
    each_store(|store| async move {
        let house = house(&store).await;
        let (engine, by) = (&house.engine, resident(1));
        let draft = house.food_draft(1).await;
        house.clock.advance(Span::days(DRAFT_DAYS - 1));
        assert_eq!(engine.tidy().await.unwrap(), 0);
        engine
            .save(&by, &draft.id, None, DraftChange::default())
            .await
            .unwrap();
        house.clock.advance(Span::days(2));
        assert_eq!(engine.tidy().await.unwrap(), 0, "somebody came back to it");
        house.clock.advance(Span::days(DRAFT_DAYS));
        let gone = engine.draft(&by, &draft.id).await;
        assert_eq!(code(gone), "input.not_found");
        // A new one may be begun before anybody has tidied up.
        let next = engine.begin(&by, new_draft("food")).await.unwrap();
        assert_ne!(next.id, draft.id);
        engine.work().await.unwrap();
        assert!(house.outside.forgotten.lock().unwrap().contains(&draft.id));
        engine.discard(&by, &next.id).await.unwrap();
        assert_eq!(engine.drafts(&by).await.unwrap().len(), 0);
        engine.work().await.unwrap();
        assert!(house.outside.forgotten.lock().unwrap().contains(&next.id));
        for n in 0..DRAFTS + 3 {
            house
                .items
                .publish(&format!("i{n:02}"), simple("civil", "reason"));
        }
        let mut begun = tokio::task::JoinSet::new();
        for n in 0..DRAFTS + 3 {
            let (engine, by) = (engine.clone(), by.clone());
            begun.spawn(async move { engine.begin(&by, new_draft(&format!("i{n:02}"))).await });
        }
        let outcomes = begun.join_all().await;
        let refused = outcomes.iter().filter(|o| o.is_err()).count();
        assert_eq!(refused, 3, "not one more, even at once");
        assert_eq!(engine.drafts(&by).await.unwrap().len(), DRAFTS);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_begin() {
    each_store(|store| async move {
        let house = house(&store).await;
        let engine = &house.engine;
        let begin = |by, new| {
            let engine = engine.clone();
            async move { engine.begin(&by, new).await }
        };
        let mut low = resident(1);
        low.standing.proofing = 1;
        assert_eq!(code(begin(low, new_draft("food")).await), "parties.level");
        let nobody = kernel::access::Actor::default();
        assert_eq!(
            code(begin(nobody, new_draft("food")).await),
            "parties.level"
        );
        // An agent within the authorisation only.
        let agent = acting(2, Tie::Agent, &credit(1));
        let draft = begin(agent.clone(), new_draft("food")).await.unwrap();
        assert_eq!(draft.applicant.number, credit(1), "credit codes are public");
        assert_eq!(draft.applicant.agent.as_deref(), Some("王小明"));
        assert!(!draft.applicant.natural);
        let beyond = begin(agent, new_draft("instant")).await;
        assert_eq!(code(beyond), "parties.beyond_scope");
        // A guardian for the ward: the draft is the ward's.
        let guardian = acting(3, Tie::Guardian, &citizen(4));
        let draft = begin(guardian, new_draft("instant")).await.unwrap();
        let ward = engine.drafts(&resident(4)).await.unwrap();
        assert_eq!(ward[0].id, draft.id);
        // Suspended: nobody can begin; a way that is not offered, or not theirs.
        let new = |channel| NewDraft {
            channel: Some(channel),
            ..new_draft("food")
        };
        let terminal = begin(resident(5), new(Channel::Terminal)).await;
        assert_eq!(places(terminal), ["channel"]);
        let counter = begin(resident(5), new(Channel::Counter)).await;
        assert_eq!(places(counter), ["channel"]);
        house.items.set_state("food", ItemState::Suspended);
        assert_eq!(
            code(begin(resident(5), new_draft("food")).await),
            "input.conflict"
        );
        let unknown = begin(resident(5), new_draft("nothing")).await;
        assert_eq!(code(unknown), "input.not_found");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clerk_writes_for_somebody() {
    each_store(|store| async move {
        let house = house(&store).await;
        let engine = &house.engine;
        let new = |n, behalf: Behalf| NewDraft {
            on_behalf: Some(behalf),
            channel: (n > 0).then_some(Channel::Hotline),
            ..new_draft("food")
        };
        let by = officer("zhao", "reader", "market");
        assert_eq!(
            code(engine.begin(&by, new(0, behalf(7))).await),
            "access.denied"
        );
        let by = clerk("zhao");
        let mut wrong = behalf(7);
        wrong.holder.number = "130199199001010070".into();
        wrong.holder.name = "?".into();
        wrong.mobile = "1".into();
        wrong.seen = String::new();
        let refused = engine.begin(&by, new(0, wrong)).await;
        let all = [
            "on_behalf/holder/number",
            "on_behalf/holder/name",
            "on_behalf/mobile",
            "on_behalf/seen",
        ];
        assert_eq!(places(refused), all);
        let draft = engine.begin(&by, new(1, behalf(7))).await.unwrap();
        assert_eq!(draft.channel, Channel::Hotline);
        assert_eq!(draft.answers["number"], citizen(7));
        let other = engine.draft(&clerk("qian"), &draft.id).await;
        assert_eq!(
            code(other),
            "input.not_found",
            "a clerk's draft is the clerk's"
        );
        for material in ["lease", "plan", "health"] {
            let file = house.file(material);
            engine
                .note_file(&by, &draft.id, material, file, false)
                .await
                .unwrap();
        }
        let mut answers = food_answers();
        answers.delivery = Some(WantedDelivery {
            way: DeliveryWay::Electronic,
            address: None,
        });
        engine.save(&by, &draft.id, None, answers).await.unwrap();
        let receipt = engine.submit(&by, &draft.id).await.unwrap();
        // It is the applicant's, who finds it.
        let mine = ApplicationFilter {
            mine: true,
            ..ApplicationFilter::default()
        };
        let page = engine.applications(&resident(7), &mine).await.unwrap();
        assert_eq!(page.rows[0].id, receipt.application.id);
        assert_eq!(page.rows[0].channel, Channel::Hotline);
        let withdraw = Own::Withdraw {
            reason: "电话要求撤回".into(),
        };
        let id = &receipt.application.id;
        let done = engine.own(&by, id, None, withdraw).await.unwrap();
        assert_eq!(done.state, ApplicationState::Withdrawn);
        let rate = Own::Rate {
            mark: 5,
            about: vec![],
            text: String::new(),
        };
        assert_eq!(code(engine.own(&by, id, None, rate).await), "access.denied");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clerk_cannot_give_a_number_another_name() {
    each_store(|store| async move {
        let house = house(&store).await;
        let (engine, by) = (&house.engine, clerk("zhao"));
        let begin = async |n: u32, name: &str, channel: Channel| {
            let mut behalf = behalf(n);
            behalf.holder.name = name.into();
            let new = NewDraft {
                on_behalf: Some(behalf),
                channel: Some(channel),
                ..new_draft("food")
            };
            engine.begin(&by, new).await
        };
        let refused = begin(7, "王八", Channel::Counter).await.err().unwrap();
        assert_eq!(refused.code, "input.invalid");
        assert!(!format!("{refused:?}").contains("王小明"), "{refused:?}");
        let at: Vec<&str> = refused.problems.iter().map(|p| p.at.as_str()).collect();
        assert_eq!(at, ["on_behalf/holder/name", "on_behalf/holder/number"]);
        let known = begin(7, "王小明", Channel::Counter).await.unwrap();
        let source = |draft: &Draft, field: &str| draft.prefilled[field].source.zh.clone();
        assert_eq!(source(&known, "number"), "经办人录入，与登记一致");
        assert_eq!(source(&known, "phone"), "经办人录入");

        // Nobody knows this number: what the clerk wrote stands, and can be written anew.
        let first = begin(950, "王八", Channel::Counter).await.unwrap();
        assert_eq!(source(&first, "number"), "经办人录入");
        let again = begin(950, "王二小", Channel::Hotline).await.unwrap();
        assert_eq!(again.id, first.id);
        assert_eq!(again.channel, Channel::Hotline);
        assert_eq!(
            again.applicant.name,
            begin(950, "王二小", Channel::Hotline)
                .await
                .unwrap()
                .applicant
                .name
        );
        assert_ne!(again.applicant.name, first.applicant.name);
        assert_eq!(again.answers["number"], citizen(950));
        let own = engine.begin(&resident(3), new_draft("food")).await.unwrap();
        assert_eq!(source(&own, "number"), "实名核验信息");
    })
    .await;
}

//! Keys over HTTP and from the command line: who may, what is shown, and what happens when the
//! master key is lost.

use crate::api::{follows, problem};
use crate::city::TestCity;
use crate::program::Place;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_ring_is_rotated_and_its_old_key_retired_by_the_operator_only() {
    let city = TestCity::start().await;
    let operator = city.token("operator").await;
    let operator = Some(operator.as_str());
    let list = city
        .call("GET", "/api/v1/operator/keys", operator, None)
        .await;
    follows(&list, "KeyRings");
    let rings = list.json()["rings"].as_array().expect("rings").len();
    assert_eq!(rings, 6);
    let set = "/api/v1/operator/keys/audit/public";
    let set = city.call("GET", set, operator, None).await;
    follows(&set, "KeySet");
    assert!(!set.text.contains("\"d\""), "a private half: {}", set.text);

    let rotate = "/api/v1/operator/keys/secrets/rotate";
    let reason = || Some(json!({"reason": "例行轮换"}));
    for (account, status) in [("officer", 403), ("resident", 403)] {
        let token = city.token(account).await;
        let answer = city.call("POST", rotate, Some(&token), reason()).await;
        assert_eq!(answer.status, status, "{account}");
    }
    let empty = Some(json!({"reason": "  "}));
    let refused = city.call("POST", rotate, operator, empty).await;
    problem(&refused, 422, "input.invalid");
    let nowhere = "/api/v1/operator/keys/none/rotate";
    let nowhere = city.call("POST", nowhere, operator, reason()).await;
    problem(&nowhere, 404, "input.not_found");

    let new = city.call("POST", rotate, operator, reason()).await;
    assert_eq!(new.status, 201, "{}", new.text);
    follows(&new, "KeyVersion");
    let now = city
        .call("GET", "/api/v1/operator/keys", operator, None)
        .await
        .json();
    let ring = now["rings"].as_array().expect("rings");
    let ring = ring.iter().find(|r| r["ring"] == "secrets").expect("it");
    let id = |n: usize| ring["keys"][n]["id"].as_str().expect("an id").to_string();
    let retire = |key: String| format!("/api/v1/operator/keys/secrets/{key}/retire");
    let current = city.call("POST", &retire(id(0)), operator, reason()).await;
    problem(&current, 409, "input.conflict");
    let old = city.call("POST", &retire(id(1)), operator, reason()).await;
    assert_eq!(old.status, 200, "{}", old.text);
    follows(&old, "KeyVersion");
    city.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_master_key_comes_back_from_its_shares() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = Place::bare(folder.path(), &["crypto_suite=national"]);
    let (done, list, said) = place.command(&["keys", "list"]);
    assert!(
        done && list.contains("SM2") && list.contains("ES256"),
        "{list}{said}"
    );
    let (done, pem, _) = place.command(&["keys", "public", "audit", "--pem"]);
    assert!(done && pem.starts_with("-----BEGIN PUBLIC KEY-----"));
    let (done, printed, said) =
        place.command(&["keys", "escrow", "--shares", "4", "--threshold", "2"]);
    assert!(done, "{said}");
    let shares: Vec<&str> = printed.lines().filter(|l| !l.starts_with('#')).collect();
    assert_eq!(shares.len(), 4);

    let file = folder.path().join("master.key");
    let content = std::fs::read_to_string(&file).expect("the master key");
    std::fs::remove_file(&file).expect("removed");
    let (started, _, said) = place.command(&["serve"]);
    assert!(!started && said.contains("crypto.master_key"), "{said}");
    assert!(!file.exists());
    let (done, _, said) = place.command(&["keys", "recover", shares[3]]);
    assert!(!done && said.contains("not enough"), "{said}");
    let (done, out, said) = place.command(&["keys", "recover", shares[3], shares[0]]);
    assert!(done, "{out}{said}");
    assert_eq!(std::fs::read_to_string(&file).expect("it is back"), content);
    let (done, again, said) = place.command(&["keys", "list"]);
    assert!(done && again == list, "{said}");
    // Nothing the program said holds the key.
    for text in [&list, &printed, &out, &said] {
        assert!(!text.contains(content.trim()));
    }
}

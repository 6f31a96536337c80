//! Deny by default, tried on every route of the table over real HTTP: without a session, and with
//! an unrelated person's.

use crate::city::TestCity;
use kernel::Access;

/// A path with something in every parameter.
pub fn concrete(path: &str) -> String {
    let fill = |part: &str| match part {
        "{register}" => "station".to_string(),
        "{*path}" => "Things".to_string(),
        "{code}" => "input.invalid".to_string(),
        p if p.starts_with('{') => "none".to_string(),
        p => p.to_string(),
    };
    path.split('/').map(fill).collect::<Vec<_>>().join("/")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_refuses_strangers_and_the_unrelated() {
    let city = TestCity::start().await;
    let nobody = city.token("nobody").await;
    let (_, routes) = jicheng::http::table(&city.running.app);
    let mut tried = 0;
    for route in routes {
        let path = concrete(&route.path);
        let (stranger, unrelated) = match route.access {
            Access::Public => continue,
            Access::SignedIn => (401, None),
            Access::May(..) => (401, Some(403)),
        };
        let answer = city.call(route.method, &path, None, None).await;
        assert_eq!(
            answer.status, stranger,
            "{} {path} without a session: {}",
            route.method, answer.text
        );
        let forged = city.call(route.method, &path, Some("forged"), None).await;
        assert_eq!(
            forged.status, 401,
            "{} {path} with a forged token: {}",
            route.method, forged.text
        );
        if let Some(expected) = unrelated {
            let answer = city.call(route.method, &path, Some(&nobody), None).await;
            assert_eq!(
                answer.status, expected,
                "{} {path} as nobody: {}",
                route.method, answer.text
            );
            assert_eq!(answer.json()["code"], "access.denied");
        }
        tried += 1;
    }
    assert!(tried > 30, "only {tried} routes were tried");
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_alone_changes_nothing() {
    let city = TestCity::start().await;
    let token = city.token("operator").await;
    let cookie = format!("jicheng_session={token}");
    let path = "/api/v1/operator/audit/verify";
    let without = city
        .raw("POST", path, None, &[("cookie", &cookie)], None)
        .await;
    assert_eq!(without.status, 403, "{}", without.text);
    let with = city
        .raw(
            "POST",
            path,
            None,
            &[("cookie", &cookie), ("x-csrf", "1")],
            None,
        )
        .await;
    assert_eq!(with.status, 200, "{}", with.text);
    city.stop().await;
}

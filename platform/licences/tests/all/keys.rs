//! Keys: both suites; a rotated ring; sealing and signing anew before a key is retired.

use crate::*;
use kernel::crypto::Ring;
use kernel::licences::Verdict;
use testkit::{FakeCrypto, each_store};

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_rotated_and_retired_without_doubting_a_licence() {
    each_store(|store| async move {
        let clock = Arc::new(ManualClock::new(at("2026-11-25T10:00:00+08:00")));
        let keys = Arc::new(FakeCrypto::default());
        let house = house_of(&store, clock.clone(), keys.clone(), &files()).await;
        let many: Vec<NewLicence> = (1..=210).map(driver).collect();
        let issued = house
            .engine
            .issue(&officer("transport"), &many)
            .await
            .unwrap();
        let by_name = || Shown::Identifier {
            identifier: issued[0].identifier.clone(),
            name: "李明".into(),
        };
        assert_eq!(house.engine.reseal().await.unwrap(), 0);
        keys.rotate(Ring::Seal);
        assert_eq!(house.verify(by_name()).await.verdict, Verdict::Valid);
        assert_eq!(house.engine.reseal().await.unwrap(), 210);
        assert_eq!(house.engine.reseal().await.unwrap(), 0);
        keys.retire(Ring::Seal);
        assert_eq!(house.verify(by_name()).await.verdict, Verdict::Valid);
        let mine = house
            .engine
            .wallet(&resident(&citizen(1)), None)
            .await
            .unwrap()
            .0;
        assert_eq!(
            (mine.len(), mine[0].version),
            (1, 1),
            "signed anew, the same licence"
        );
        // What was not signed anew in time is not believed.
        keys.rotate(Ring::Seal);
        keys.retire(Ring::Seal);
        assert_eq!(house.verify(by_name()).await.verdict, Verdict::Altered);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_national_suite_signs_with_sm2_and_wallets_with_es256() {
    each_store(|store| async move {
        let house = house_with(&store, Suite::National).await;
        let licence = house.issue(driver(1)).await;
        let me = resident(&citizen(1));
        let document = house
            .engine
            .document(&me, &licence.identifier, &[])
            .await
            .unwrap();
        let keys = house.engine.jwt_vc_issuer().unwrap();
        let keys = keys["jwks"]["keys"].as_array().unwrap();
        let algorithms: Vec<&str> = keys.iter().map(|k| k["alg"].as_str().unwrap()).collect();
        assert_eq!(algorithms, ["SM2", "ES256"]);
        let found = house.verify_document(&document).await;
        assert_eq!(found.verdict, Verdict::Valid);
        assert_eq!(found.fields.len(), 5);
        for (for_wallet, last) in [(false, ""), (true, "/es256")] {
            let list = house.engine.status_list(0, for_wallet).await.unwrap();
            use base64::Engine;
            let claims = list.split('.').nth(1).unwrap();
            let claims = base64::prelude::BASE64_URL_SAFE_NO_PAD
                .decode(claims)
                .unwrap();
            let claims: Value = serde_json::from_slice(&claims).unwrap();
            assert_eq!(claims["sub"], format!("{ISSUER}/licences/status/0{last}"));
        }
    })
    .await;
}

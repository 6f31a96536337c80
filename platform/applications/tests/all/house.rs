//! The house: letters that cannot be written now are written later, once.

use crate::stage::*;
use kernel::Span;
use kernel::applications::Applications;
use std::sync::atomic::Ordering;
use testkit::each_store;

#[tokio::test(flavor = "multi_thread")]
async fn letters_wait_until_they_can_be_written() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.outside.broken.store(true, Ordering::SeqCst);
        let id = house.food(1).await.application.id;
        house.engine.work().await.unwrap();
        let file = house.engine.application(&resident(1), &id).await.unwrap();
        assert_eq!(file.letters.len(), 1);
        assert_eq!(file.letters[0].file, None);
        assert_eq!(
            house.outside.notices.lock().unwrap().len(),
            1,
            "held up by nothing"
        );
        let house = house.again().await;
        house.outside.broken.store(false, Ordering::SeqCst);
        assert_eq!(house.engine.work().await.unwrap(), 0, "not yet");
        house.clock.advance(Span::minutes(1));
        assert_eq!(house.engine.work().await.unwrap(), 1);
        let file = house.engine.application(&resident(1), &id).await.unwrap();
        assert!(file.letters[0].file.is_some());
        let letter = file.letters[0].file.clone().unwrap();
        house
            .engine
            .may_read_file(&resident(1), &id, &letter)
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_works_by_itself_until_it_is_stopped() {
    each_store(|store| async move {
        let house = house(&store).await;
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let running = tokio::spawn(house.engine.clone().run(async move {
            let _ = stopped.await;
        }));
        let id = house.food(1).await.application.id;
        for _ in 0..100 {
            let file = house.engine.application(&resident(1), &id).await.unwrap();
            if file.letters[0].file.is_some() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let file = house.engine.application(&resident(1), &id).await.unwrap();
        assert!(file.letters[0].file.is_some());
        stop.send(()).unwrap();
        running.await.unwrap();
    })
    .await;
}

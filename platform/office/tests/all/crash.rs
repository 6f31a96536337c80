//! Kill -9 while messages are carried: none is lost, none comes more than twice, and what may have
//! come twice says so.

use crate::fakes::{Accounts, MailBox, Roles};
use crate::*;
use async_trait::async_trait;
use kernel::parties::{Message, Messenger};
use kernel::{Clock, SystemClock};
use std::collections::BTreeSet;
use std::io::Write;
use testkit::{killed, lines};

const ADDRESS: &str = "OFFICE_TEST_ADDRESS";
const MESSAGES: usize = 60;
const KILLS: usize = 3;

/// A carrier in a process that dies: whatever it takes is said to the parent.
struct Loud;

#[async_trait]
impl Messenger for Loud {
    fn is_ready(&self) -> bool {
        true
    }
    async fn send(&self, message: Message) -> Result<(), Fault> {
        let mut out = std::io::stdout().lock();
        writeln!(out, "\ncarried {}", message.text).unwrap();
        out.flush().unwrap();
        Ok(())
    }
}

async fn centre(store: &Store, clock: Arc<dyn Clock>, sms: Arc<dyn Messenger>) -> Arc<Centre> {
    let means = CentreMeans {
        crypto: Arc::new(testkit::FakeCrypto::default()),
        policy: Arc::new(Roles),
        sms,
        mail: Arc::new(MailBox::default()),
        addresses: Arc::new(Accounts),
    };
    let limits = Limits {
        // One round carries few, so that the child dies in the middle.
        at_once: 2,
        ..Limits::default()
    };
    let centre = Centre::open(store.clone(), clock, means, limits);
    centre.await.unwrap()
}

fn numbered(number: usize) -> NewMessage {
    let mut new = sms(&format!("k{number}"));
    new.fields
        .insert("progress".into(), format!("第{number}条"));
    new
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the test below in a process of its own"]
async fn child_carries_until_killed() {
    let store = Store::open(&std::env::var(ADDRESS).unwrap()).await.unwrap();
    let centre = centre(&store, Arc::new(SystemClock), Arc::new(Loud)).await;
    for number in 0..MESSAGES {
        let queued = centre
            .send(&Actor::system(), numbered(number))
            .await
            .unwrap();
        println!("\ntaken {}", queued.id);
        if number % 10 == 9 {
            centre.carry().await.unwrap();
        }
    }
    println!("\nend");
}

/// Runs the child and kills it after so many messages carried; the texts it carried.
async fn run_and_kill(address: &str, after: usize) -> (Vec<String>, BTreeSet<String>) {
    let enough = lines(after, move |line| line.starts_with("carried "));
    let child = "crash::child_carries_until_killed";
    let said = killed(child, &[(ADDRESS, address)], enough).await;
    let those = |what: &'static str| said.iter().filter_map(move |line| line.strip_prefix(what));
    let taken = those("taken ").map(String::from).collect();
    (those("carried ").map(String::from).collect(), taken)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_message_is_lost_and_none_comes_more_than_twice() {
    testkit::each_address(|address| async move {
        let (mut carried, mut taken) = (vec![], BTreeSet::new());
        for round in 1..=KILLS {
            let (some, ids) = run_and_kill(&address, 3 + 2 * round).await;
            carried.extend(some);
            taken.extend(ids);
        }
        // Here the claims of the dead are over.
        let store = Store::open(&address).await.unwrap();
        let clock = Arc::new(ManualClock::new(SystemClock.now() + Span::minutes(10)));
        let sms = Arc::new(fakes::Carrier::default());
        let centre = centre(&store, clock.clone(), sms.clone()).await;
        for _ in 0..3 {
            centre.carry().await.unwrap();
            clock.advance(Span::days(1));
        }
        carried.extend(sms.arrived.lock().iter().map(|(_, text)| text.clone()));
        let filter = MessageFilter {
            limit: Some(200),
            ..MessageFilter::default()
        };
        let rows = centre.list(&operator(), &filter).await.unwrap().items;
        for id in &taken {
            assert!(
                rows.iter().any(|row| row.id == *id),
                "acknowledged and lost: {id}"
            );
        }
        assert!(rows.len() >= 10, "{}", rows.len());
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for text in &carried {
            *times.entry(text.as_str()).or_default() += 1;
        }
        for row in &rows {
            assert!(
                row.state == MessageState::Sent
                    || (row.state == MessageState::GivenUp && row.maybe_repeated),
                "{row:?}"
            );
        }
        assert!(
            times.len() >= rows.len(),
            "{} of {}",
            times.len(),
            rows.len()
        );
        assert!(times.values().all(|count| *count <= 2), "{times:?}");
        let twice = times.values().filter(|count| **count == 2).count();
        let said = rows.iter().filter(|row| row.maybe_repeated).count();
        assert!(twice <= said, "{twice} came twice, {said} say so");
        store.close().await;
    })
    .await;
}

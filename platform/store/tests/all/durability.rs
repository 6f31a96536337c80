//! Kill -9 in the middle of writing: everything acknowledged is there, and numbers have no gap.

use kernel::Time;
use kernel::events::EventKind;
use sea_query::{Expr, Func, Query};
use store::{Run, Store, Tx, cursors, events};
use testkit::{each_address, killed, lines};

/// Where the child finds the store.
const ADDRESS: &str = "STORE_TEST_ADDRESS";
const KILLS: usize = 5;
/// Acknowledgements the parent waits for before it kills.
const PATIENCE: usize = 60;

/// What an event of this number carries: long enough to span pages.
fn body(seq: i64) -> Vec<u8> {
    (0..30_000).map(|n| (seq * 31 + n) as u8).collect()
}

async fn last(tx: &mut Tx) -> i64 {
    let question = Query::select()
        .expr_as(Func::max(Expr::col("seq")), "last")
        .from("events")
        .to_owned();
    let row = tx.fetch_optional(&question).await.unwrap().unwrap();
    row.opt_i64("last").unwrap().unwrap_or(0)
}

/// The child: appends until it is killed, and says what was acknowledged.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the test below in a process of its own"]
async fn child_appends_until_killed() {
    let store = Store::open(&std::env::var(ADDRESS).unwrap()).await.unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let store = store.clone();
        writers.spawn(async move {
            loop {
                let mut tx = store.begin().await.unwrap();
                // What others wrote for the same commit is not yet in `last_seq`.
                let next = last(&mut tx).await + 1;
                let kind = EventKind::Record;
                let seq = events::append(&mut tx, Time(next), kind, "x", &body(next))
                    .await
                    .unwrap();
                assert_eq!(seq, next);
                cursors::set(&mut tx, "child", seq).await.unwrap();
                tx.commit().await.unwrap();
                println!("\nacknowledged {seq}");
            }
        });
    }
    writers.join_next().await;
}

/// Runs the child, kills it after some acknowledgements, and returns the highest of them.
async fn run_and_kill(address: &str) -> i64 {
    let number = |line: &str| line.strip_prefix("acknowledged ")?.parse::<i64>().ok();
    let enough = lines(PATIENCE, move |line| number(line).is_some());
    let child = "durability::child_appends_until_killed";
    let said = killed(child, &[(ADDRESS, address)], enough).await;
    said.iter().filter_map(|line| number(line)).max().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_when_killed() {
    each_address(|address| async move {
        let mut before = 0;
        for round in 1..=KILLS {
            let acknowledged = run_and_kill(&address).await;
            let store = Store::open(&address).await.unwrap();
            let last = store.events().last_seq();
            assert!(
                last >= acknowledged,
                "round {round}: {acknowledged} is lost"
            );
            assert!(
                last >= before + PATIENCE as i64,
                "round {round} went on from the last"
            );
            let mut seq = before;
            while seq < last {
                for event in store.events().read(seq, 1 << 20).await.unwrap() {
                    assert_eq!(event.seq, seq + 1, "round {round}: a gap");
                    assert!(
                        *event.body == *body(event.seq),
                        "round {round}: a torn event"
                    );
                    seq = event.seq;
                }
            }
            assert_eq!(
                store.cursors().get("child").await.unwrap(),
                Some(last),
                "one transaction"
            );
            store.close().await;
            before = last;
        }
    })
    .await;
}

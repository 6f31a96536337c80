//! Bills: whole numbers of fen, paid once, by a payment service or at the counter. When nothing is
//! open any more the case goes on.

use crate::body::StepBody;
use crate::change::Change;
use crate::faults::{conflict, not_found};
use crate::{Engine, TRIES};
use kernel::access::Actor;
use kernel::applications::Bill;
use kernel::fault::FaultKind;
use kernel::items::Fee;
use kernel::{Fault, Words};
use serde_json::json;

/// Identification of a bill: that of its application, and its number.
fn bill_id(application: &str, number: usize) -> String {
    format!("{application}-{number}")
}

/// Makes bills of these fees; those that stand already stay.
pub(crate) fn add_bills(change: &mut Change, fees: &[Fee]) {
    for fee in fees.iter().filter(|fee| fee.fen > 0) {
        let bills = &mut change.open.body.bills;
        let id = bill_id(&change.open.row.id, bills.len() + 1);
        bills.push(Bill {
            id,
            title: fee.title.clone(),
            fen: fee.fen,
            state: "open".into(),
            paid_at: None,
            paid_by: None,
            reference: None,
        });
    }
}

/// Pays a bill. `fen` is what the service says; `None` at the counter. Says whether anything
/// changed: the same payment told twice is one payment.
pub(crate) fn pay(
    change: &mut Change,
    bill: &str,
    fen: Option<i64>,
    reference: &str,
    how: &str,
) -> Result<bool, Fault> {
    let now = change.now;
    let found = change.open.body.bills.iter_mut().find(|b| b.id == bill);
    let found = found.ok_or_else(|| Fault::missing("bill"))?;
    if let Some(fen) = fen
        && fen != found.fen
    {
        return Err(Fault::invalid_at(
            "fen",
            format!("金额不符：应付 {} 分，实付 {fen} 分", found.fen),
            format!("the bill is {} fen, not {fen}", found.fen),
        ));
    }
    match found.state.as_str() {
        "open" => {}
        "paid" if found.reference.as_deref() == Some(reference) => return Ok(false),
        "paid" => {
            return Err(conflict(
                "该账单已由另一笔付款付清，请办理退款",
                "the bill was paid by another payment; this one is to be refunded",
            ));
        }
        _ => {
            return Err(conflict(
                "该账单已作废，不能付款",
                "the bill is void and cannot be paid",
            ));
        }
    }
    found.state = "paid".into();
    found.paid_at = Some(now);
    found.paid_by = Some(how.into());
    found.reference = Some(reference.into());
    let words = Words::new("已缴费", "paid");
    change.step("paid", words, None, how == "counter");
    change.event("paid");
    let bills = &change.open.body.bills;
    if !bills.iter().any(|bill| bill.state == "open") {
        change.message();
    }
    Ok(true)
}

/// Step of a payment that pays nothing.
const TO_REFUND: &str = "to_refund";

/// Notes a payment of a bill that is paid or void already, once; `false` when it was noted before.
fn to_refund(change: &mut Change, reference: &str) -> bool {
    let steps = &change.open.body.steps;
    let known = |step: &StepBody| step.what == TO_REFUND && step.note.as_deref() == Some(reference);
    if steps.iter().any(known) {
        return false;
    }
    let words = Words::new(
        "收到多付的一笔款项，将退回原付款账户",
        "a payment too many was received and will be refunded",
    );
    change.step(TO_REFUND, words, Some(reference), true);
    change.event(TO_REFUND);
    true
}

impl Engine {
    pub(crate) async fn paid_by_service(
        &self,
        bill: &str,
        fen: i64,
        reference: &str,
    ) -> Result<(), Fault> {
        let sound = (1..=100).contains(&reference.chars().count()) && !reference.contains('\0');
        if !sound {
            return Err(Fault::invalid_at(
                "reference",
                "缺少付款流水号",
                "the number of the payment is missing",
            ));
        }
        for _ in 0..TRIES {
            let application = bill.rsplit_once('-').map(|(application, _)| application);
            let open = match application {
                Some(application) => self.find(application).await?,
                None => None,
            };
            let open = open.ok_or_else(not_found)?;
            let mut change = self.change(open);
            let (what, refused) = match pay(&mut change, bill, Some(fen), reference, "service") {
                Ok(true) => ("paid", Ok(())),
                Ok(false) => return Ok(()),
                // The money came all the same: that it goes back is for everybody to see.
                Err(fault) if fault.kind == FaultKind::Conflict => {
                    if !to_refund(&mut change, reference) {
                        return Err(fault);
                    }
                    (TO_REFUND, Err(fault))
                }
                Err(fault) => return Err(fault),
            };
            let details = json!({ "bill": bill, "fen": fen, "reference": reference });
            change.audit(&Actor::system(), "write", what, details);
            let (write, _) = self.finish(change).await?;
            if self.put(write).await?.is_some() {
                return refused;
            }
        }
        Err(Fault::overloaded("applications", 1))
    }
}

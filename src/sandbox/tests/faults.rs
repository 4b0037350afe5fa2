//! What faults do to the ledger and to the caller.

use super::super::faults::{Instruction, parse as parse_fault, parse_all};
use super::*;

/// Places one order under a fault: what became of the connection, the HTTP status, and how many orders there are then.
fn strike(text: &str) -> (Fate, u16, usize) {
    let caller = Caller::new(Settings::default());
    caller.fault(text);
    let verdict = caller.save(TUTORIAL);
    (verdict.fate, verdict.answer.status, caller.portal.orders().len())
}

#[test]
fn each_fault_does_what_its_word_says() {
    assert_eq!(strike("save=ok"), (Fate::Answer, 200, 1));
    assert_eq!(strike("save=refuse"), (Fate::Answer, 400, 0));
    assert_eq!(strike("save=error-200"), (Fate::Answer, 200, 0));
    assert_eq!(strike("save=401"), (Fate::Answer, 401, 0));
    assert_eq!(strike("save=429"), (Fate::Answer, 429, 0));
    assert_eq!(strike("save=500"), (Fate::Answer, 500, 0));
    assert_eq!(strike("save=503+done"), (Fate::Answer, 503, 1));
    assert_eq!(strike("save=redirect"), (Fate::Answer, 307, 0));
    assert_eq!(strike("save=unread").0, Fate::CloseUnread);
    assert_eq!(strike("save=unread").2, 0);
    assert_eq!(strike("save=reset").2, 0);
    assert_eq!(strike("save=reset+done"), (Fate::Reset, 200, 1));
    assert_eq!(strike("save=hang").2, 0);
    assert_eq!(strike("save=hang+done"), (Fate::Hang, 200, 1));
    assert_eq!(strike("save=lost-answer"), (Fate::Close, 200, 1));
    assert_eq!(strike("save=late:2m"), (Fate::AnswerAfter(seconds(120)), 200, 1));
    assert_eq!(strike("save=cut:15"), (Fate::CutAfter(15), 200, 1));
    assert_eq!(strike("save=garbage"), (Fate::Answer, 200, 1));
    assert_eq!(strike("save=no-order-number"), (Fate::Answer, 200, 1));
}

#[test]
fn every_listed_word_is_understood() {
    for word in Fault::all() {
        let target = if word.what.starts_with("any only") { "any" } else { "save" };
        parse_fault(&format!("{target}={}", word.word)).unwrap();
    }
}

#[test]
fn mistakes_in_fault_texts_say_what_would_be_right() {
    let problem = |text: &str| parse_fault(text).unwrap_err().to_string();
    assert!(problem("save=lost-anser").contains("did you mean lost-answer?"));
    assert!(problem("safe=500").contains("did you mean save?"));
    assert!(problem("lost-answer").contains("TARGET=WORD"));
    assert!(problem("save=500*many").contains("`many`"));
    assert!(problem("save=late:soon").contains("`soon`"));
    assert!(problem("list=later").contains("save="));
    assert!(problem("save=down").contains("any=down"));
    assert!(problem("save=unread+done").contains("lost-answer"));
    assert!(problem("save=hang:3").contains("nothing after a colon"));
    assert!(problem("save=600").contains("`600`"));
    assert!(problem("save=500+perhaps").contains("done, undone or later"));
}

#[test]
fn several_texts_are_read_together_and_one_mistake_refuses_them_all() {
    assert_eq!(parse_all("save=lost-answer, list=500*3\n\nany=down:2h\n").unwrap().len(), 3);
    assert_eq!(parse_all("save=lost-answer\nlist=5000").unwrap_err().text, "list=5000");
    assert_eq!(parse_fault("any=down:2h"), Ok(Instruction::Down(seconds(7200))));
}

#[test]
fn a_fault_strikes_as_often_as_it_is_told_and_only_its_endpoint() {
    let caller = Caller::new(Settings::default());
    caller.fault("list=500*3");
    assert_eq!(caller.save(TUTORIAL).answer.status, 200);
    let statuses: Vec<u16> = (0..4).map(|_| caller.get(PAGE).answer.status).collect();
    assert_eq!(statuses, [500, 500, 500, 200]);
    caller.fault("any=503:7*2");
    let verdict = caller.get(PAGE);
    assert!(verdict.answer.headers.contains(&("retry-after", "7".into())));
    assert_eq!(caller.save(TUTORIAL).answer.status, 503);
    caller.fault("list=hang");
    caller.portal.clear_faults();
    assert_eq!(caller.get(PAGE).fate, Fate::Answer);
}

#[test]
fn faults_of_one_endpoint_strike_in_the_order_in_which_they_were_given() {
    let caller = Caller::new(Settings::default());
    for text in ["save=ok", "save=500", "save=lost-answer"] {
        caller.fault(text);
    }
    let fates: Vec<(Fate, u16)> = (0..3).map(|_| caller.save(TUTORIAL)).map(|v| (v.fate, v.answer.status)).collect();
    assert_eq!(fates, [(Fate::Answer, 200), (Fate::Answer, 500), (Fate::Close, 200)]);
    assert_eq!(caller.portal.orders().len(), 2);
}

#[test]
fn an_order_carried_out_two_hours_later_appears_then_and_not_before() {
    let caller = Caller::new(patient());
    caller.fault("save=later:2h");
    assert_eq!(caller.save(&numbered("RW1-7")).fate, Fate::Close);
    assert_eq!(caller.portal.postponed().len(), 1);
    caller.wait(seconds(7199));
    assert_eq!((caller.listed("").len(), caller.portal.orders().len()), (0, 0));
    caller.wait(seconds(3600));
    let orders = caller.portal.orders();
    assert_eq!(orders[0].created_at, start().checked_add(seconds(7200)).unwrap(), "when it was due, not when somebody looked");
    assert_eq!(orders[0].request.po_number.as_deref(), Some("RW1-7"));
    assert_eq!(caller.portal.postponed().len(), 0);
}

#[test]
fn a_request_that_would_be_refused_is_not_carried_out_later_either() {
    let caller = Caller::new(Settings::default());
    caller.fault("save=500+later:1h");
    assert_eq!(caller.save("{}").answer.status, 500);
    assert_eq!(caller.portal.postponed().len(), 0);
}

#[test]
fn a_duplicate_answer_names_the_order_before_although_a_new_one_was_made() {
    let caller = Caller::new(Settings::default());
    let first = order_no(&caller.save(TUTORIAL));
    caller.fault("save=duplicate-answer");
    assert_eq!(order_no(&caller.save(TUTORIAL)), first);
    assert_eq!(caller.portal.orders().len(), 2);
}

#[test]
fn a_success_without_an_order_number_is_still_an_order() {
    let caller = Caller::new(Settings::default());
    caller.fault("save=no-order-number");
    let answer = parse(&caller.save(TUTORIAL));
    assert_eq!((answer["code"].as_str(), answer["result"].get("orderNo")), (Some("success"), None));
    assert_eq!(caller.portal.orders().len(), 1);
}

#[test]
fn while_the_portal_is_down_nothing_arrives_and_then_all_is_as_before() {
    let caller = Caller::new(Settings::default());
    caller.fault("any=down:10m");
    assert_eq!((caller.save(TUTORIAL).fate, caller.get(PAGE).fate), (Fate::Unreachable, Fate::Unreachable));
    assert_eq!((caller.portal.orders().len(), caller.portal.calls_of(Endpoint::Save)), (0, 0));
    caller.wait(seconds(600));
    assert_eq!(caller.save(TUTORIAL).fate, Fate::Answer);
}

#[test]
fn calls_are_counted_by_endpoint_with_or_without_a_fault() {
    let caller = Caller::new(Settings::default());
    caller.fault("save=500");
    caller.save(TUTORIAL);
    caller.save(TUTORIAL);
    caller.get(PAGE);
    let calls = caller.portal.calls();
    assert_eq!((calls["save"], calls["list"], calls["token"], calls["get"]), (2, 1, 1, 0));
}

//! Writes that the channel turns down (D-3, D-4): what came of them is looked for once, whatever the
//! answer says, and only what is not there is made again.

use ordersync::sim::{Exchange, Fault, FaultKind, Standing};

use super::desk::{Desk, writes_of_a_dispatch};
use super::setups::{NUMBER, all_due, each_set_up, states};
use super::support::program::{Call, Done};

/// How long the channel asks to be left alone, where it does.
fn too_many() -> [FaultKind; 2] {
    [FaultKind::RateLimited(Some("1".to_owned())), FaultKind::RateLimited(None)]
}

fn done_then(answer: &FaultKind) -> FaultKind {
    FaultKind::DoneThen(Box::new(answer.clone()))
}

/// What the names of writes like this one have in common, whatever they are about: what stands behind
/// the last id, else what stands before the first.
fn part(name: &str) -> String {
    let segments: Vec<&str> = name.split('/').collect();
    let is_id = |segment: &&str| !segment.is_empty() && segment.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    match (segments.iter().position(is_id), segments.iter().rposition(is_id)) {
        (Some(first), Some(last)) if last + 1 == segments.len() => format!("{}/", segments[..first].join("/")),
        (_, Some(last)) => format!("/{}", segments[last + 1]),
        _ => name.to_owned(),
    }
}

/// A fault of the next write like this one.
fn struck(kind: FaultKind, write: &Exchange) -> Fault {
    Fault::new(kind).on(&write.method, &part(&write.name())).on_writes()
}

fn prepared(desk: &Desk, commands: &[(&str, &str)]) -> String {
    let id = desk.paid(&[("TEE-001", 1)]);
    for (command, more) in &commands[..commands.len() - 1] {
        desk.on(command, &id, more).exits(0);
    }
    desk.server.clear_requests();
    id
}

fn run<'d>(desk: &'d Desk, commands: &[(&str, &str)], id: &str) -> Call<'d> {
    let (command, more) = commands[commands.len() - 1];
    desk.on(command, id, more)
}

/// An act of a new order, and what it is about.
struct Act<'a> {
    /// What is done before it, and it.
    commands: &'a [(&'a str, &'a str)],
    /// Its writes where nothing goes wrong, and how the order stands then.
    writes: Vec<Exchange>,
    once: Standing,
    /// How many requests the look before them takes.
    looks: usize,
}

impl<'a> Act<'a> {
    fn new(desk: &Desk, commands: &'a [(&'a str, &'a str)]) -> Self {
        let without = prepared(desk, commands);
        run(desk, commands, &without).exits(0);
        let asked = desk.server.requests();
        let looks = asked.iter().take_while(|one| !one.is_write()).count();
        let writes = asked.into_iter().filter(Exchange::is_write).collect();
        let once = desk.store.standing(&without).unwrap();
        Self { commands, writes, once, looks }
    }

    /// A new order for which all but the last command is done.
    fn prepared(&self, desk: &Desk) -> String {
        prepared(desk, self.commands)
    }

    fn run<'d>(&self, desk: &'d Desk, id: &str) -> Call<'d> {
        run(desk, self.commands, id)
    }

    /// How often a write like this went out since, and whether something was read between each two.
    fn went_out(desk: &Desk, write: &Exchange) -> (usize, bool) {
        let asked = desk.server.requests();
        let is_same =
            |one: &Exchange| one.is_write() && one.method == write.method && part(&one.name()) == part(&write.name());
        let places: Vec<usize> = (0..asked.len()).filter(|nth| is_same(&asked[*nth])).collect();
        let looked = places.windows(2).all(|pair| asked[pair[0]..pair[1]].iter().any(|one| !one.is_write()));
        (places.len(), looked)
    }

    /// Whether it is known what became of a write that met a fault, the act having ended like this. Of
    /// what leaves no trace at the channel, an e-mail, it is not: that is told, and it is not made
    /// again.
    fn is_known(&self, desk: &Desk, write: &Exchange, done: Done) -> bool {
        assert!(matches!(done.code, Some(0 | 3)), "{} {}: {done:?}", desk.kind, write.name());
        if done.code == Some(0) {
            return true;
        }
        done.says("whether the last of it was done is not known");
        assert!(std::ptr::eq(write, &self.writes[self.writes.len() - 1]) && self.writes.len() > 2, "{}", write.name());
        assert_eq!(desk.home.json("inbox")[0]["kind"], "unheard");
        assert_eq!((Self::went_out(desk, write).0, states(desk)), (1, Vec::new()));
        desk.home.sql("DELETE FROM inbox RETURNING 1");
        false
    }

    /// Asserts that an order stands as one whose act met no fault.
    fn is_as_once(&self, desk: &Desk, id: &str, told: &str) {
        let standing = desk.store.standing(id).unwrap();
        let facts = |one: &Standing| {
            let numbers: Vec<String> = one.parcels.iter().map(|(_, number)| number.clone()).collect();
            (one.cancelled, one.shipped, one.sent, numbers, one.dispatch_mails, one.restocked, one.remarks.clone())
        };
        assert_eq!(facts(&standing), facts(&self.once), "{told}: {standing:?}");
        assert_eq!(states(desk), [""; 0], "{told}");
        assert_eq!(desk.home.json("inbox").as_array().unwrap().len(), 0, "{told}: {}", desk.home.json("inbox"));
    }
}

const DISPATCH: &[(&str, &str)] = &[("dispatch", NUMBER)];
const REPLACE: &[(&str, &str)] = &[("dispatch", NUMBER), ("dispatch", "--replaces JD01 --carrier ups --tracking 1Z02")];
const CANCEL: &[(&str, &str)] = &[("cancel", "--reason fraud")];

/// Holds the contract for each act that the store can do.
fn each_act(contract: impl Fn(&Desk, &Act<'_>) + Sync) {
    each_set_up(|desk| {
        let can = desk.capabilities();
        let cancels = matches!(can.cancel, ordersync::channel::CancelSupport::Yes(_));
        let acts = [(DISPATCH, true), (REPLACE, can.replace_tracking), (CANCEL, cancels)];
        for (commands, _) in acts.iter().filter(|(_, can)| *can) {
            contract(desk, &Act::new(desk, commands));
        }
    });
}

#[test]
fn d3_a_write_that_is_done_and_then_answered_429_is_found_and_not_repeated() {
    each_act(|desk, act| {
        for (write, answer) in act.writes.iter().zip(too_many().iter().cycle()) {
            let told = format!("{} {} {answer:?}", desk.kind, write.name());
            let id = act.prepared(desk);
            desk.server.faults().add(struck(done_then(answer), write));
            act.is_known(desk, write, act.run(desk, &id).done());
            assert_eq!(desk.server.faults().pending(), 0, "{told}");
            assert_eq!(Act::went_out(desk, write).0, 1, "{told}");
            act.is_as_once(desk, &id, &told);
        }
    });
}

/// The list in which it would stand is behind, or the channel is still at work on it.
#[test]
fn d3_a_write_that_is_done_and_then_answered_429_is_not_repeated_because_it_shows_a_moment_later() {
    each_act(|desk, act| {
        let (write, told) = (&act.writes[0], format!("{} {}", desk.kind, act.writes[0].name()));
        let id = act.prepared(desk);
        desk.server.faults().add(struck(done_then(&FaultKind::RateLimited(None)), write));
        // The look before the write, and the first one behind it.
        let looks = u32::try_from(2 * act.looks).unwrap();
        desk.server.faults().add(Fault::new(FaultKind::Lagging).times(looks));
        let done = act.run(desk, &id).done();
        if act.is_known(desk, write, done) {
            assert_eq!(Act::went_out(desk, write).0, 1, "{told}");
            act.is_as_once(desk, &id, &told);
        }
    });
}

#[test]
fn d3_a_write_that_is_turned_away_by_429_goes_out_in_the_same_run_after_a_look() {
    each_act(|desk, act| {
        for (write, answer) in act.writes.iter().zip(too_many().iter().cycle()) {
            let told = format!("{} {} {answer:?}", desk.kind, write.name());
            let id = act.prepared(desk);
            desk.server.faults().add(struck(answer.clone(), write));
            if act.is_known(desk, write, act.run(desk, &id).done()) {
                assert_eq!(Act::went_out(desk, write), (2, true), "{told}");
                act.is_as_once(desk, &id, &told);
            }
        }
    });
}

/// What a look finds is there, however long the shop may still be at work on what was cut off: only
/// making that again has to wait.
#[test]
fn d3_what_is_found_of_a_write_whose_answer_was_lost_is_known_at_once_and_the_rest_is_made() {
    each_act(|desk, act| {
        for write in &act.writes {
            let told = format!("{} {}", desk.kind, write.name());
            let id = act.prepared(desk);
            desk.server.faults().add(struck(FaultKind::AnswerLost, write));
            let mut done = act.run(desk, &id).done();
            assert_eq!(desk.server.faults().pending(), 0, "{told}");
            if done.code == Some(5) {
                done = desk.on("retry", &id, "").env("ORDERSYNC_RETRY_MS", "1000").done().prints("has arrived");
            }
            if act.is_known(desk, write, done) {
                assert_eq!(Act::went_out(desk, write).0, 1, "{told}");
                act.is_as_once(desk, &id, &told);
            }
        }
    });
}

/// A limit behind the shop's work strikes each time.
#[test]
fn d3_a_store_that_works_and_then_throttles_whatever_is_written_works_once() {
    each_act(|desk, act| {
        let id = act.prepared(desk);
        for write in &act.writes {
            desk.server.faults().add(struck(done_then(&FaultKind::RateLimited(None)), write).always());
        }
        act.is_known(desk, &act.writes[act.writes.len() - 1], act.run(desk, &id).done());
        for write in &act.writes {
            assert_eq!(Act::went_out(desk, write).0, 1, "{} {}", desk.kind, write.name());
        }
        desk.server.faults().clear();
        act.is_as_once(desk, &id, &format!("{}", desk.kind));
    });
}

/// A proxy or a plugin answers as it likes once the shop has done the work.
#[test]
fn d3_a_write_that_is_done_and_then_refused_or_failed_is_found_and_not_repeated() {
    let says = |status| FaultKind::Says(status, "not like this".to_owned());
    let answers =
        [says(400), says(404), says(422), FaultKind::Firewall, FaultKind::Unauthorized, FaultKind::ServerError(503)];
    each_act(|desk, act| {
        for write in &act.writes {
            for answer in &answers {
                let told = format!("{} {} {answer:?}", desk.kind, write.name());
                let id = act.prepared(desk);
                desk.server.faults().add(struck(done_then(answer), write));
                let mut done = act.run(desk, &id).done();
                let may_be_lost = matches!(answer, FaultKind::ServerError(_) | FaultKind::Says(..));
                assert!(!done.stderr.contains("nothing was"), "{told}: {done:?}");
                if done.code == Some(5) && may_be_lost {
                    drop(done.says("ordersync retry book:"));
                    done = desk.on("retry", &id, "").done().prints("has arrived");
                }
                act.is_known(desk, write, done);
                assert_eq!(Act::went_out(desk, write).0, 1, "{told}");
                act.is_as_once(desk, &id, &told);
            }
        }
    });
}

#[test]
fn d4_a_refused_write_is_looked_for_once_before_it_is_said_not_to_be_there() {
    each_set_up(|desk| {
        let (writes, _) = writes_of_a_dispatch(desk);
        let id = desk.paid(&[("TEE-001", 1)]);
        let refused = FaultKind::Firewall;
        desk.server.faults().add(struck(refused, &writes[0]).always());
        let done = desk.on("dispatch", &id, NUMBER).done();
        assert!(matches!(done.code, Some(4 | 5)), "{}: {done:?}", desk.kind);
        done.says("it was looked for at the channel then, and is not there").without("nothing was");
        let asked = desk.server.requests();
        assert_eq!(asked.iter().filter(|one| one.is_write()).count(), 1, "{}: {asked:?}", desk.kind);
        // It is sure, so it can be taken back.
        let row = desk.home.json("outbox")[0]["row"].as_str().unwrap().to_owned();
        let taken_back = desk.home.run(&format!("outbox --withdraw {row}")).exits(0);
        taken_back.prints("nothing of it is at the channel").without("nothing was sent");
        desk.server.faults().clear();
    });
}

/// The look behind a refusal fails: what became of it is not known, and no answer was lost.
#[test]
fn d3_a_refused_write_that_could_not_be_looked_for_is_not_called_lost() {
    each_act(|desk, act| {
        let id = act.prepared(desk);
        let refused = FaultKind::Says(422, "not like this".to_owned());
        desk.server.faults().add(struck(refused, &act.writes[0]));
        let looks = u32::try_from(act.looks).unwrap();
        desk.server.faults().add(Fault::new(FaultKind::ServerError(503)).after(looks).always());
        let done = act.run(desk, &id).exits(5);
        assert!(done.stderr.contains("could not be looked up") || done.stderr.contains("is not known"), "{done:?}");
        done.without("lost");
        desk.server.faults().clear();
        let retried = desk.on("retry", &id, "").env("ORDERSYNC_RETRY_MS", "1000").exits(5);
        retried.says("is not known").says("nothing was written again").without("lost");
        desk.home.sql("UPDATE outbox SET attempted_at = attempted_at - 660001");
        desk.on("retry", &id, "").exits(0);
        act.is_as_once(desk, &id, &format!("{}", desk.kind));
    });
}

/// The pause is longer than anybody waits, and holds for the look as well: whether the write was done
/// is not known until then.
#[test]
fn d3_a_write_that_met_a_long_pause_is_looked_for_behind_it() {
    let pause = FaultKind::RateLimited(Some("3600".to_owned()));
    each_set_up(|desk| {
        let (writes, without) = writes_of_a_dispatch(desk);
        let once = desk.store.standing(&without).unwrap();
        for fault in [done_then(&pause), pause.clone()] {
            let told = format!("{} {fault:?}", desk.kind);
            let id = desk.paid(&[("TEE-001", 1)]);
            desk.server.faults().add(struck(fault, &writes[0]));
            let done = desk.on("dispatch", &id, NUMBER).exits(5);
            done.says("429").says("could not be looked up").without("nothing was");
            desk.server.clear_requests();
            all_due(desk);
            desk.home.run("sync").exits(5).says("asked to be left alone until");
            assert!(desk.server.requests().is_empty(), "{told}: the pause holds for all");
            let row = desk.home.json("outbox")[0]["row"].as_str().unwrap().to_owned();
            desk.home.run(&format!("outbox --withdraw {row}")).exits(6).says("may have reached the channel");
            desk.home.sql("UPDATE stores SET paused_until = 0 RETURNING 1");
            desk.home.sql("DELETE FROM lanes RETURNING 1");
            desk.on("retry", &id, "").exits(0).prints("has arrived");
            let standing = desk.store.standing(&id).unwrap();
            assert_eq!(
                (standing.told("JD01"), standing.dispatch_mails),
                (once.told("JD00"), once.dispatch_mails),
                "{told}"
            );
            assert_eq!(states(desk), [""; 0], "{told}");
        }
    });
}

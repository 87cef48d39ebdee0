//! The connections that are served at a time. Where all places are taken, whoever was refused and has
//! not gone yet makes room, then whoever has waited longest without having sent its request:
//! thousands that send nothing, or nothing good, keep nobody waiting. Of those that have sent theirs
//! so many are worked on at a time, a number waits for that, and what is beyond is refused: so there is
//! always somebody who can make room.

use std::collections::BTreeMap;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many there are at a time: well below the 1,024 open files that a process may have where nobody
/// has raised that, and so many that in a burst nobody has to make room whose request has come and
/// was only not looked at yet.
pub(super) const PLACES: usize = 448;

/// How many requests are worked on at a time.
pub(super) const AT_WORK: usize = 64;

/// How many wait for that.
const WAITING: usize = 256;

const _: () = assert!(AT_WORK + WAITING < PLACES, "somebody can always make room");

/// How far a connection has come. Who is less far makes room first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// It was answered, and is still there.
    Answered,
    /// Its head is not whole yet.
    Silent,
    /// Its body is not.
    Sending,
    /// It has sent all, and waits for its turn. From here on it makes room for nobody.
    Waiting,
    /// It is worked on.
    AtWork,
}

#[derive(Debug)]
struct Seat {
    stream: Arc<TcpStream>,
    stage: Stage,
}

#[derive(Debug, Default)]
struct Seats {
    /// By the order in which they came.
    taken: BTreeMap<u64, Seat>,
    last: u64,
    is_closed: bool,
}

impl Seats {
    /// How many have come this far.
    fn at(&self, stage: Stage) -> usize {
        self.taken.values().filter(|seat| seat.stage == stage).count()
    }

    fn put(&mut self, number: u64, stage: Stage) {
        if let Some(seat) = self.taken.get_mut(&number) {
            seat.stage = stage;
        }
    }

    /// Ends the longest waiting of those that are least far; false where all are heard.
    fn make_room(&mut self) -> bool {
        let waiting = self.taken.iter().filter(|(_, seat)| seat.stage < Stage::Waiting);
        let Some(number) = waiting.min_by_key(|(number, seat)| (seat.stage, **number)).map(|(number, _)| *number)
        else {
            return false;
        };
        if let Some(seat) = self.taken.remove(&number) {
            // Its thread notices, and ends.
            let _ = seat.stream.shutdown(Shutdown::Both);
        }
        true
    }
}

/// All places.
#[derive(Debug, Default)]
pub(super) struct Room {
    seats: Mutex<Seats>,
    left: Condvar,
    /// Told to one who waits, as it is somebody's turn.
    turn: Condvar,
}

/// A place, given up when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    room: Arc<Room>,
    number: u64,
}

impl Room {
    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for this connection; nothing where nobody can make room, or none is given any more.
    pub(super) fn enter(self: &Arc<Self>, stream: &Arc<TcpStream>) -> Option<Place> {
        let mut seats = self.seats();
        if seats.is_closed || (seats.taken.len() >= PLACES && !seats.make_room()) {
            return None;
        }
        seats.last += 1;
        let number = seats.last;
        seats.taken.insert(number, Seat { stream: stream.clone(), stage: Stage::Silent });
        Some(Place { room: self.clone(), number })
    }

    /// Ends the connection that has waited longest, as the process can open no more.
    pub(super) fn make_room(&self) {
        self.seats().make_room();
    }

    /// Gives no more places. Whoever has sent its request is answered, for so long at most; the
    /// others are sent away.
    pub(super) fn close(&self, patience: Duration) {
        let end = Instant::now() + patience;
        let mut seats = self.seats();
        seats.is_closed = true;
        while seats.make_room() {}
        while !seats.taken.is_empty() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.left.wait_timeout(seats, left);
            seats = waited.map_or_else(|poisoned| poisoned.into_inner().0, |(seats, _)| seats);
        }
    }
}

impl Place {
    /// Its head is whole.
    pub(super) fn sends(&self) {
        self.is_at(Stage::Sending);
    }

    /// It has its answer, and nothing more is done for it.
    pub(super) fn is_answered(&self) {
        self.is_at(Stage::Answered);
        self.room.turn.notify_one();
    }

    /// It has sent all, and is worked on when its turn comes. False where too many wait for that, or
    /// `until` then it has not come.
    pub(super) fn is_heard(&self, until: Instant) -> bool {
        let mut seats = self.room.seats();
        let mut waiting = seats.at(Stage::Waiting);
        if waiting >= WAITING {
            return false;
        }
        seats.put(self.number, Stage::Waiting);
        loop {
            // Whoever comes just now goes behind those who wait.
            if waiting == 0 && seats.at(Stage::AtWork) < AT_WORK {
                seats.put(self.number, Stage::AtWork);
                if seats.at(Stage::Waiting) > 0 {
                    self.room.turn.notify_one();
                }
                return true;
            }
            waiting = 0;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            seats = self.room.turn.wait_timeout(seats, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn is_at(&self, stage: Stage) {
        self.room.seats().put(self.number, stage);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.seats().taken.remove(&self.number);
        self.room.turn.notify_one();
        self.room.left.notify_all();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failure here is a failed test")]
mod tests {
    use std::io::Read;
    use std::net::TcpListener;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    /// Both ends of a connection.
    fn pair(listener: &TcpListener) -> (TcpStream, Arc<TcpStream>) {
        let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (near, Arc::new(listener.accept().unwrap().0))
    }

    #[test]
    fn x4_who_has_sent_least_makes_room_and_who_is_worked_on_stays() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let room = Arc::new(Room::default());
        let mut all: Vec<_> = (0..PLACES)
            .map(|_| {
                let (near, far) = pair(&listener);
                (near, room.enter(&far).unwrap())
            })
            .collect();
        assert!(all[0].1.is_heard(Instant::now() + LONG));
        all[1].1.sends();
        let (_near, far) = pair(&listener);
        let newest = room.enter(&far).unwrap();
        let ended = |stream: &mut TcpStream| {
            stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
            matches!(stream.read(&mut [0]), Ok(0))
        };
        let gone: Vec<usize> =
            all.iter_mut().enumerate().filter_map(|(n, one)| ended(&mut one.0).then_some(n)).collect();
        assert_eq!(gone, [2], "the oldest that has sent nothing");
        for (_, place) in &all {
            place.is_at(Stage::AtWork);
        }
        newest.is_at(Stage::AtWork);
        assert!(room.enter(&far).is_none(), "nobody can make room");
        drop(newest);
        assert!(room.enter(&far).is_some());
    }

    #[test]
    fn x4_who_was_refused_and_stays_makes_room_before_anybody_else() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let room = Arc::new(Room::default());
        let all: Vec<_> = (0..PLACES)
            .map(|_| {
                let (near, far) = pair(&listener);
                (near, room.enter(&far).unwrap())
            })
            .collect();
        for (_, place) in all.iter().skip(2) {
            place.is_at(Stage::AtWork);
        }
        all[5].1.is_answered();
        all[3].1.is_answered();
        let has_place = |nth: usize| room.seats().taken.contains_key(&all[nth].1.number);
        let mut newcomers = Vec::new();
        for gone in [3, 5, 0] {
            let (near, far) = pair(&listener);
            let newcomer = room.enter(&far).unwrap();
            newcomer.is_at(Stage::AtWork);
            newcomers.push((near, newcomer));
            assert!(!has_place(gone), "{gone}");
        }
        assert!(has_place(1), "one that has sent nothing yet, and is newer");
    }

    #[test]
    fn x4_sixty_four_are_worked_on_a_number_waits_and_the_next_one_is_refused() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let room = Arc::new(Room::default());
        let (near, far) = pair(&listener);
        let enter = || room.enter(&far).unwrap();
        let until = |room: &Room, stage, number| {
            let begun = Instant::now();
            while room.seats().at(stage) != number {
                assert!(begun.elapsed() < LONG, "{} and not {number}", room.seats().at(stage));
                std::thread::sleep(Duration::from_millis(1));
            }
        };
        let mut at_work: Vec<Place> = (0..64).map(|_| enter()).collect();
        assert!(at_work.iter().all(|place| place.is_heard(Instant::now())), "they need not wait");
        let too_late = enter();
        assert!(!too_late.is_heard(Instant::now() + Duration::from_millis(20)), "nobody has left");
        too_late.is_answered();
        let (turns, had) = std::sync::mpsc::channel();
        for _ in 0..WAITING {
            let (place, turns) = (enter(), turns.clone());
            std::thread::spawn(move || turns.send((place.is_heard(Instant::now() + LONG), place)));
        }
        until(&room, Stage::Waiting, WAITING);
        let refused = enter();
        let begun = Instant::now();
        assert!(!refused.is_heard(Instant::now() + LONG), "the queue is bounded");
        assert!(begun.elapsed() < LONG / 2, "and it is told at once");
        // Whoever leaves lets one in, also where several leave at a time.
        drop(at_work.pop());
        until(&room, Stage::Waiting, WAITING - 1);
        at_work.pop().unwrap().is_answered();
        at_work.truncate(40);
        until(&room, Stage::Waiting, WAITING - 24);
        assert_eq!(room.seats().at(Stage::AtWork), 64);
        drop(at_work);
        for _ in 0..WAITING {
            let (has_turn, place) = had.recv().unwrap();
            assert!(has_turn, "each has its turn");
            drop(place);
        }
        drop(near);
    }

    #[test]
    fn x4_at_the_end_who_has_sent_its_request_is_waited_for() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let room = Arc::new(Room::default());
        let (mut silent_near, silent) = pair(&listener);
        let (_near, far) = pair(&listener);
        let (_silent, heard) = (room.enter(&silent).unwrap(), room.enter(&far).unwrap());
        assert!(heard.is_heard(Instant::now() + LONG));
        let begun = Instant::now();
        room.close(Duration::from_millis(100));
        assert!(begun.elapsed() >= Duration::from_millis(100), "it was not waited for");
        assert_eq!(silent_near.read(&mut [0]).unwrap(), 0);
        assert!(room.enter(&far).is_none(), "nobody else comes in");
        let leaving = std::thread::spawn(move || drop(heard));
        room.close(Duration::from_secs(60));
        leaving.join().unwrap();
    }
}

//! The connections that are served at a time. Where all places are taken, whoever was refused and has
//! not gone yet makes room, then whoever has waited longest without having sent its request:
//! thousands that send nothing, or nothing good, keep nobody waiting.

use std::collections::BTreeMap;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many are served at a time: well below the 1,024 open files that a process may have where
/// nobody has raised that.
pub(super) const PLACES: usize = 256;

/// How far a connection has come. Who is less far makes room first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// It was answered, and is still there.
    Answered,
    /// Its head is not whole yet.
    Silent,
    /// Its body is not.
    Sending,
    /// It is worked on, and makes room for nobody.
    Heard,
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
    /// Ends the longest waiting of those that are least far; false where all are worked on.
    fn make_room(&mut self) -> bool {
        let waiting = self.taken.iter().filter(|(_, seat)| seat.stage < Stage::Heard);
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
    }

    /// It has sent all.
    pub(super) fn is_heard(&self) {
        self.is_at(Stage::Heard);
    }

    fn is_at(&self, stage: Stage) {
        if let Some(seat) = self.room.seats().taken.get_mut(&self.number) {
            seat.stage = stage;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.seats().taken.remove(&self.number);
        self.room.left.notify_all();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failure here is a failed test")]
mod tests {
    use std::io::Read;
    use std::net::TcpListener;

    use super::*;

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
        all[0].1.is_heard();
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
            place.is_heard();
        }
        newest.is_heard();
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
            place.is_heard();
        }
        all[5].1.is_answered();
        all[3].1.is_answered();
        let has_place = |nth: usize| room.seats().taken.contains_key(&all[nth].1.number);
        let mut newcomers = Vec::new();
        for gone in [3, 5, 0] {
            let (near, far) = pair(&listener);
            let newcomer = room.enter(&far).unwrap();
            newcomer.is_heard();
            newcomers.push((near, newcomer));
            assert!(!has_place(gone), "{gone}");
        }
        assert!(has_place(1), "one that has sent nothing yet, and is newer");
    }

    #[test]
    fn x4_at_the_end_who_has_sent_its_request_is_waited_for() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let room = Arc::new(Room::default());
        let (mut silent_near, silent) = pair(&listener);
        let (_near, far) = pair(&listener);
        let (_silent, heard) = (room.enter(&silent).unwrap(), room.enter(&far).unwrap());
        heard.is_heard();
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

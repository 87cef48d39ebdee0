//! What each run did.

use rusqlite::{OptionalExtension, Row, params};

use super::Book;
use super::error::{Done, odd};
use super::personal::unaddressed;
use crate::clock::{Timestamp, from_millis};
use crate::error::{Error, ErrorKind, Result};

/// Who asked for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunKind {
    /// The merchant.
    Sync,
    /// The timer.
    Autosync,
    /// A single order was read.
    Pull,
    /// The channel's list was compared with the book.
    Reconcile,
    /// The channel has told of changes by itself.
    Listen,
    /// A store is asked again and again.
    Watch,
}

impl RunKind {
    fn word(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Autosync => "autosync",
            Self::Pull => "pull",
            Self::Reconcile => "reconcile",
            Self::Listen => "listen",
            Self::Watch => "watch",
        }
    }
}

/// What a run did for one store, beside what the imports themselves have accounted for.
#[derive(Debug, Clone)]
pub(crate) struct StoreSummary {
    /// The store's name.
    pub(crate) store: String,
    /// Outbox rows confirmed.
    pub(crate) exported: u32,
    /// Requests sent.
    pub(crate) requests: u64,
    /// Bytes received.
    pub(crate) bytes: u64,
    /// Whether all that changed at the channel was read: a whole import, not a range of it and not
    /// a rehearsal.
    pub(crate) read: bool,
    /// What the merchant should know about how it went, one sentence each.
    pub(crate) notes: Vec<String>,
    /// Why it stopped early, if it did.
    pub(crate) error: Option<Error>,
}

/// A run and one of its stores.
#[derive(Debug, Clone)]
pub(crate) struct RunRow {
    /// The run's number.
    pub(crate) id: i64,
    /// `sync`, `autosync`, `pull`, `reconcile`, `listen` or `watch`.
    pub(crate) kind: String,
    /// Whether it kept nothing.
    pub(crate) dry: bool,
    /// When it began.
    pub(crate) started_at: Timestamp,
    /// When it ended; `None`: at work, or interrupted.
    pub(crate) finished_at: Option<Timestamp>,
    /// The store; none where the run never came to one.
    pub(crate) store: Option<String>,
    /// New, changed, unchanged, failed, drafts.
    pub(crate) tally: super::Tally,
    /// Outbox rows confirmed.
    pub(crate) exported: u64,
    /// Requests sent.
    pub(crate) requests: u64,
    /// Bytes received.
    pub(crate) bytes: u64,
    /// What was told of how it went, one sentence each.
    pub(crate) notes: Vec<String>,
    /// Why it stopped early, if it did.
    pub(crate) error: Option<String>,
}

/// What the newest sync of a store stopped at.
#[derive(Debug, Clone)]
pub(crate) struct LastError {
    /// Why.
    pub(crate) why: String,
    /// When it ended.
    pub(crate) at: Timestamp,
    /// Whether the credentials were refused, which new ones settle before the next sync.
    pub(crate) about_credentials: bool,
}

/// How long runs are remembered.
const KEPT: chrono::TimeDelta = chrono::TimeDelta::days(90);

/// So long rounds of a watch that bring nothing are one run.
const ROUNDS: chrono::TimeDelta = chrono::TimeDelta::hours(1);

impl Book {
    /// Begins a run and gives its number. Forgets the runs of long ago.
    pub(crate) fn start_run(&mut self, kind: RunKind, dry: bool) -> Result<i64> {
        self.start_run_of(kind, dry, &[])
    }

    /// The same for a run that is known to be about these stores: one that is killed is seen to
    /// have been at work on them.
    pub(crate) fn start_run_of(&mut self, kind: RunKind, dry: bool, stores: &[i64]) -> Result<i64> {
        let now = self.now_ms();
        self.write("written", |db| {
            // First the new one: it has the number after the last one, which events are told with.
            db.execute(
                "INSERT INTO runs (kind, dry, pid, started_at) VALUES (?, ?, ?, ?)",
                params![kind.word(), dry, std::process::id(), now],
            )
            .done("written")?;
            let run = db.last_insert_rowid();
            let old = now - KEPT.num_milliseconds();
            db.execute("DELETE FROM run_stores WHERE run_id IN (SELECT id FROM runs WHERE started_at < ?)", [old])
                .done("written")?;
            db.execute("DELETE FROM runs WHERE started_at < ?", [old]).done("written")?;
            for store in stores {
                db.execute("INSERT INTO run_stores (run_id, store_id) VALUES (?, ?)", [run, *store]).done("written")?;
            }
            Ok(run)
        })
    }

    /// The syncs of the store that have not ended, each with its number and when it began, the
    /// newest first: they are at work, or were killed.
    pub(crate) fn unfinished(&self, store: i64) -> Result<Vec<(i64, Timestamp)>> {
        let sql = "SELECT r.id, r.started_at FROM runs r JOIN run_stores rs ON rs.run_id = r.id AND rs.store_id = ?1
                   WHERE r.finished_at IS NULL AND r.kind IN ('sync', 'autosync', 'watch') AND NOT r.dry ORDER BY r.id DESC LIMIT 20";
        let mut statement = self.db.prepare_cached(sql).done("read")?;
        let runs = statement.query_map([store], |row| Ok((row.get(0)?, from_millis(row.get(1)?)))).done("read")?;
        runs.collect::<rusqlite::Result<_>>().done("read")
    }

    /// What the newest sync of the store that has ended stopped at, if it did, and when. A dry run
    /// brings nothing, and says nothing of how the store stands; nor does a round of a watch that was
    /// interrupted or gave way.
    pub(crate) fn last_error(&self, store: i64) -> Result<Option<LastError>> {
        let sql = "SELECT rs.error, rs.error_kind, r.finished_at FROM runs r JOIN run_stores rs ON rs.run_id = r.id AND rs.store_id = ?1
                   WHERE r.finished_at IS NOT NULL AND r.kind IN ('sync', 'autosync', 'watch') AND NOT r.dry
                     AND NOT (rs.error IS NULL AND rs.error_kind IS NOT NULL) ORDER BY r.id DESC LIMIT 1";
        let read = |row: &Row<'_>| {
            let Some(why) = row.get::<_, Option<String>>(0)? else { return Ok(None) };
            let kind: Option<String> = row.get(1)?;
            let refused = [ErrorKind::Credentials, ErrorKind::Permission];
            let about_credentials = refused.into_iter().any(|one| kind.as_deref() == Some(one.word()));
            Ok(Some(LastError { why, at: from_millis(row.get(2)?), about_credentials }))
        };
        let error = self.db.prepare_cached(sql).done("read")?.query_row([store], read);
        Ok(error.optional().done("read")?.flatten())
    }

    /// The run that was at work on the store at this time, as far as runs are remembered.
    pub(crate) fn run_at(&self, store: i64, at: Timestamp) -> Result<Option<i64>> {
        let sql = "SELECT r.id FROM runs r JOIN run_stores rs ON rs.run_id = r.id AND rs.store_id = ?1
                   WHERE r.started_at <= ?2 AND coalesce(r.finished_at, ?2) >= ?2 ORDER BY r.id DESC LIMIT 1";
        let mut statement = self.db.prepare_cached(sql).done("read")?;
        statement.query_row(params![store, at.timestamp_millis()], |row| row.get(0)).optional().done("read")
    }

    /// Ends a run with what became of each store.
    pub(crate) fn finish_run(&mut self, run: i64, stores: &[StoreSummary]) -> Result<()> {
        let now = self.now_ms();
        self.write("written", |db| {
            let (kind, dry, started): (String, bool, i64) = db
                .query_row("SELECT kind, dry, started_at FROM runs WHERE id = ?", [run], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })
                .done("read")?;
            db.execute("UPDATE runs SET finished_at = ? WHERE id = ?", [now, run]).done("written")?;
            for s in stores {
                let told: Vec<_> = s.notes.iter().map(|note| unaddressed(note)).collect();
                let notes = serde_json::to_string(&told).map_err(|e| odd("list of notes", &e.to_string()))?;
                db.execute(
                    "INSERT INTO run_stores (run_id, store_id, exported, requests, bytes, error_kind, error, notes)
                     SELECT ?1, id, ?3, ?4, ?5, ?6, ?7, ?8 FROM stores WHERE name = ?2
                     ON CONFLICT DO UPDATE SET exported = excluded.exported, requests = excluded.requests, bytes = excluded.bytes,
                       error_kind = excluded.error_kind, error = excluded.error, notes = excluded.notes",
                    params![
                        run,
                        s.store,
                        s.exported,
                        s.requests,
                        s.bytes,
                        s.error.as_ref().map(|e| e.kind().word()),
                        s.error.as_ref().map(|e| unaddressed(e.message())),
                        notes
                    ],
                )
                .done("written")?;
                // An autosync counts from its beginning: one that takes minutes must not make the
                // store miss the next turn.
                db.execute(
                    "UPDATE stores SET last_sync_at = CASE WHEN ? THEN ? ELSE last_sync_at END,
                       last_autosync_at = CASE WHEN ? = 'autosync' THEN ? ELSE last_autosync_at END,
                       told_kind = CASE WHEN ? THEN NULL ELSE told_kind END WHERE name = ?",
                    params![s.read && !dry, now, kind, started, s.error.is_none() && kind != "reconcile", s.store],
                )
                .done("written")?;
            }
            Ok(())
        })
    }

    /// A round of a watch is over. Rounds of an hour that came to the same and brought nothing are one
    /// run: its beginning is that of the first. One that was interrupted or gave way has not failed: it
    /// keeps the kind of its error alone, which tells it from one that went well.
    pub(crate) fn round_over(&mut self, run: i64) -> Result<()> {
        self.write("written", |db| {
            let excused = "UPDATE run_stores SET error = NULL WHERE run_id = ? AND error_kind IN ('interrupted', 'locked')";
            db.prepare_cached(excused).done("written")?.execute([run]).done("written")?;
            let sql = "SELECT rs.store_id, rs.error, rs.error_kind, r.finished_at, r.started_at FROM runs r JOIN run_stores rs ON rs.run_id = r.id
                       WHERE r.kind = 'watch' AND r.finished_at IS NOT NULL AND rs.notes = '[]'
                         AND rs.new + rs.changed + rs.failed + rs.drafts + rs.exported = 0 AND ";
            let read = |row: &Row<'_>| {
                let error: (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
                Ok((row.get::<_, i64>(0)?, error, row.get::<_, i64>(3)?, row.get::<_, i64>(4)?))
            };
            let quiet = |rest: &str, of: &dyn rusqlite::ToSql| {
                let mut statement = db.prepare_cached(&format!("{sql}{rest}")).done("read")?;
                statement.query_row([of], read).optional().done("read")
            };
            let Some((store, error, finished, _)) = quiet("r.id = ?", &run)? else { return Ok(()) };
            let newest = "SELECT r.id FROM runs r JOIN run_stores rs ON rs.run_id = r.id AND rs.store_id = ?
                          WHERE r.kind = 'watch' AND r.id < ? ORDER BY r.id DESC LIMIT 1";
            let before: Option<i64> = db
                .prepare_cached(newest)
                .and_then(|mut found| found.query_row([store, run], |row| row.get(0)).optional())
                .done("read")?;
            let Some(before) = before else { return Ok(()) };
            let Some((_, former, _, started)) = quiet("r.id = ?", &before)? else { return Ok(()) };
            if former != error || !(0..ROUNDS.num_milliseconds()).contains(&(finished - started)) {
                return Ok(());
            }
            for (sql, of) in [
                (
                    "UPDATE run_stores AS n SET requests = n.requests + b.requests, bytes = n.bytes + b.bytes, unchanged = n.unchanged + b.unchanged
                     FROM (SELECT requests, bytes, unchanged FROM run_stores WHERE run_id = ?2) b WHERE n.run_id = ?1",
                    [run, before],
                ),
                ("UPDATE runs SET started_at = ?2 WHERE id = ?1", [run, started]),
            ] {
                db.prepare_cached(sql).done("written")?.execute(of).done("written")?;
            }
            // The number that is kept is the larger one: none is given twice.
            for sql in ["DELETE FROM run_stores WHERE run_id = ?", "DELETE FROM runs WHERE id = ?"] {
                db.prepare_cached(sql).done("written")?.execute([before]).done("written")?;
            }
            Ok(())
        })
    }

    /// The rounds of a watch that this process has under way are cut off, as the merchant wants it: they
    /// are over, and the next ones go on from there.
    pub(crate) fn rounds_cut_off(&mut self) -> Result<()> {
        let now = self.now_ms();
        self.write("written", |db| {
            let sql = "UPDATE runs SET finished_at = ? WHERE kind = 'watch' AND pid = ? AND finished_at IS NULL";
            db.execute(sql, params![now, std::process::id()]).done("written").map(drop)
        })
    }

    /// What the rounds of a watch took of the store's requests since, each with its end.
    pub(crate) fn rounds(&self, store: i64, since: Timestamp) -> Result<Vec<(Timestamp, u64)>> {
        let sql =
            "SELECT r.finished_at, rs.requests FROM runs r JOIN run_stores rs ON rs.run_id = r.id AND rs.store_id = ?
                   WHERE r.kind = 'watch' AND r.finished_at >= ? ORDER BY r.id";
        let mut statement = self.db.prepare_cached(sql).done("read")?;
        let read = |row: &Row<'_>| Ok((from_millis(row.get(0)?), row.get(1)?));
        let rows = statement.query_map([store, since.timestamp_millis()], read).done("read")?;
        rows.collect::<rusqlite::Result<_>>().done("read")
    }

    /// The last `limit` runs, the newest first, store by store.
    pub(crate) fn runs(&self, limit: usize) -> Result<Vec<RunRow>> {
        let sql = "SELECT r.id, r.kind, r.dry, r.started_at, r.finished_at, s.name, coalesce(rs.new, 0), coalesce(rs.changed, 0),
              coalesce(rs.unchanged, 0), coalesce(rs.failed, 0), coalesce(rs.drafts, 0), coalesce(rs.exported, 0),
              coalesce(rs.requests, 0), coalesce(rs.bytes, 0), rs.error, coalesce(rs.notes, '[]')
            FROM (SELECT * FROM runs ORDER BY id DESC LIMIT ?) r
            LEFT JOIN run_stores rs ON rs.run_id = r.id LEFT JOIN stores s ON s.id = rs.store_id ORDER BY r.id DESC, s.name";
        let mut statement = self.db.prepare_cached(sql).done("read")?;
        let rows = statement
            .query_map([limit], |row| {
                Ok(RunRow {
                    id: row.get(0)?,
                    kind: row.get(1)?,
                    dry: row.get(2)?,
                    started_at: from_millis(row.get(3)?),
                    finished_at: row.get::<_, Option<i64>>(4)?.map(from_millis),
                    store: row.get(5)?,
                    tally: super::Tally {
                        new: row.get(6)?,
                        changed: row.get(7)?,
                        unchanged: row.get(8)?,
                        failed: row.get(9)?,
                        drafts: row.get(10)?,
                    },
                    exported: row.get(11)?,
                    requests: row.get(12)?,
                    bytes: row.get(13)?,
                    error: row.get(14)?,
                    // What cannot be read is no reason to show no run.
                    notes: serde_json::from_str(&row.get::<_, String>(15)?).unwrap_or_default(),
                })
            })
            .done("read")?;
        rows.collect::<rusqlite::Result<_>>().done("read")
    }
}

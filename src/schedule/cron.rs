//! A marked block in the merchant's crontab. Everything else in it stays, byte for byte.

use super::{Plan, programs};
use crate::error::{Error, ErrorKind, Result};

fn first_line(plan: &Plan) -> String {
    format!("# >>> {}: written by `ordersync schedule install`, taken away by `ordersync schedule remove`", plan.name)
}

fn last_line(plan: &Plan) -> String {
    format!("# <<< {}", plan.name)
}

/// The block.
pub(crate) fn block(plan: &Plan) -> String {
    let minutes: Vec<String> = plan.minutes().map(|minute| minute.to_string()).collect();
    let environment = plan.environment.iter().map(|(name, value)| format!("{name}={}", quoted(value)));
    let words = std::iter::once(plan.program.as_str()).chain(plan.arguments()).map(quoted);
    let network = (!plan.network.is_empty()).then(|| {
        let file = quoted(&plan.network_file);
        format!("[ ! -r {file} ] || {{ set -a; . {file}; set +a; }};")
    });
    let command: Vec<String> = network.into_iter().chain(environment).chain(words).collect();
    format!("{}\n{} * * * * {}\n{}\n", first_line(plan), minutes.join(","), command.join(" "), last_line(plan))
}

/// A word for the shell behind cron. Cron turns a bare % into a line break and eats the backslash
/// of `\%`, some crons do neither; outside of quotes `\%` means a per cent sign to all of them.
fn quoted(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./".contains(&b);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''").replace('%', r"'\%'"))
}

/// The crontab with the block taken out, or `None` where it was not in it.
///
/// # Errors
/// `Refused` for a block whose end is gone: what belongs to it is anybody's guess.
fn without(plan: &Plan, crontab: &[u8]) -> Result<Option<Vec<u8>>> {
    let (first, last) = (first_line(plan), last_line(plan));
    let (mut kept, mut found, mut inside) = (Vec::with_capacity(crontab.len()), false, false);
    for line in crontab.split_inclusive(|byte| *byte == b'\n') {
        let bare = line.trim_ascii_end();
        if bare == first.as_bytes() {
            (found, inside) = (true, true);
        } else if inside {
            inside = bare != last.as_bytes();
        } else {
            kept.extend_from_slice(line);
        }
    }
    if inside {
        let text =
            format!("the ordersync block in the crontab has lost its last line (\"{last}\"); nothing was changed");
        return Err(Error::new(ErrorKind::Refused, text).hint("crontab -e: put that line back, or take the block out"));
    }
    Ok(found.then_some(kept))
}

/// The crontab with the block in it: where it stood, else at the end.
fn with(plan: &Plan, crontab: &[u8]) -> Result<Vec<u8>> {
    let mut text = match without(plan, crontab)? {
        None => crontab.to_vec(),
        Some(kept) => {
            let at = crontab.iter().zip(&kept).take_while(|(a, b)| a == b).count();
            // Back to the beginning of the line: the block's first line and the next one may begin
            // alike.
            let at = kept[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            let (before, after) = kept.split_at(at);
            return Ok([before, block(plan).as_bytes(), after].concat());
        }
    };
    if text.last().is_some_and(|byte| *byte != b'\n') {
        text.push(b'\n');
    }
    text.extend_from_slice(block(plan).as_bytes());
    Ok(text)
}

/// The merchant's crontab; empty where there is none.
fn read() -> Result<Vec<u8>> {
    let output = programs::run("crontab", &["-l"], b"")?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let why = programs::complaint(&output);
    // "no crontab for ann"; busybox opens a file that is not there.
    if why.contains("no crontab") || why.contains("No such file") {
        return Ok(Vec::new());
    }
    Err(Error::new(ErrorKind::Failed, format!("the crontab cannot be read: {why}; nothing was changed")))
}

fn write(text: &[u8]) -> Result<()> {
    if text.is_empty() { programs::must("crontab", &["-r"], b"") } else { programs::must("crontab", &["-"], text) }
        .map(|_| ())
}

pub(super) fn is_installed(plan: &Plan) -> Result<bool> {
    Ok(programs::is_in_path("crontab") && without(plan, &read()?)?.is_some())
}

pub(super) fn install(plan: &Plan) -> Result<()> {
    let before = read()?;
    let after = with(plan, &before)?;
    if after == before { Ok(()) } else { write(&after) }
}

pub(super) fn remove(plan: &Plan) -> Result<bool> {
    if !programs::is_in_path("crontab") {
        return Ok(false);
    }
    match without(plan, &read()?)? {
        None => Ok(false),
        Some(kept) => write(&kept).map(|()| true),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::plan;
    use super::*;

    /// What Vixie's cron and its heirs hand to the shell: the rest of the line, `\%` without its
    /// backslash, up to a bare %.
    fn command(line: &str) -> String {
        let rest = line.splitn(6, ' ').nth(5).unwrap();
        let (mut command, mut escaped) = (String::new(), false);
        for c in rest.chars() {
            if escaped && c != '%' {
                command.push('\\');
            }
            if c == '%' && !escaped {
                break;
            }
            escaped = c == '\\';
            if !escaped {
                command.push(c);
            }
        }
        command
    }

    fn words(command: &str) -> Vec<String> {
        let script = format!("for word in {command}; do printf '%s\\n' \"$word\"; done");
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn paths_with_anything_in_them_reach_the_program_through_cron_and_shell() {
        for odd in ["/a b/ordersync", "/100%/x", "/it's \"%d\"/$HOME/`id`/x", r"/back\slash/\%/x", "/ü/x"] {
            let block = block(&plan(odd, Some(odd)));
            let line = block.lines().nth(1).unwrap();
            let wanted = [odd, "--home", odd, "sync", "--autosync"];
            assert_eq!(words(&command(line)), wanted, "{line}");
            // A cron that leaves the line as it is.
            assert_eq!(words(line.splitn(6, ' ').nth(5).unwrap()), wanted, "{line}");
        }
    }

    #[test]
    fn x5_the_line_reads_the_proxies_from_their_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("it's 100% mine.env");
        let mut plan = plan("/usr/bin/env", None);
        plan.network = vec![("HTTPS_PROXY".into(), "http://a:b'c%d@proxy.test".into())];
        plan.network_file = file.display().to_string();
        std::fs::write(&file, super::super::network_text(&plan)).unwrap();
        let block = block(&plan);
        let line = command(block.lines().nth(1).unwrap());
        let shown = |line: &str| {
            let line = line.replace(" sync --autosync", "");
            String::from_utf8(std::process::Command::new("sh").args(["-c", &line]).output().unwrap().stdout).unwrap()
        };
        assert!(shown(&line).contains("HTTPS_PROXY=http://a:b'c%d@proxy.test\n"), "{line}");
        std::fs::remove_file(&file).unwrap();
        assert!(shown(&line).contains("PATH="), "without the file it runs all the same");
    }

    #[test]
    fn i1_a_cron_line_runs_in_both_halves_of_the_hour() {
        assert!(
            block(&plan("/usr/bin/ordersync", None)).contains("\n7,37 * * * * /usr/bin/ordersync sync --autosync\n")
        );
    }

    #[test]
    fn every_other_line_of_the_crontab_stays_byte_for_byte() {
        let plan = plan("/usr/bin/ordersync", None);
        for crontab in
            [&b""[..], b"# mine\n@daily x\n", b"MAILTO=\xff\n\n\t1 2 * * * y %a\r\n", b"# >>> other\n# <<< other\n"]
        {
            let installed = with(&plan, crontab).unwrap();
            assert_eq!(with(&plan, &installed).unwrap(), installed, "once");
            assert_eq!(without(&plan, &installed).unwrap().unwrap(), crontab);
            let more = [&installed[..], b"# later\n"].concat();
            let moved = Plan { minute: 9, ..plan.clone() };
            let changed = with(&moved, &more).unwrap();
            assert!(changed.starts_with(crontab) && changed.ends_with(b"# later\n"), "the block stays where it stood");
            assert_eq!(without(&moved, &changed).unwrap().unwrap(), [crontab, b"# later\n"].concat());
        }
        assert_eq!(without(&plan, b"# mine\n").unwrap(), None);
    }

    #[test]
    fn a_block_without_its_end_is_left_alone() {
        let plan = plan("/usr/bin/ordersync", None);
        let broken = block(&plan).replace("# <<< ordersync\n", "@daily backup\n");
        assert_eq!(with(&plan, broken.as_bytes()).unwrap_err().kind(), ErrorKind::Refused);
    }
}

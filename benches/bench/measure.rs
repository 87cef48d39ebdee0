//! What a process costs: wall time, CPU time of all its threads and its peak memory, as the kernel
//! counts them for a child that has ended. The child's parent is a process of its own, because the
//! kernel adds up all children of a process.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde_json::Value;

use crate::shop::ShopProcess;

/// The cost of one run.
pub struct Cost {
    /// Seconds.
    pub wall: f64,
    /// Seconds of all threads, in the program and for it in the kernel.
    pub cpu: f64,
    /// Bytes.
    pub peak: u64,
    /// What it printed.
    pub output: String,
}

impl Cost {
    /// A figure of the first store in the output of `sync --json`.
    pub fn store(&self, name: &str) -> u64 {
        let value: Value = serde_json::from_str(&self.output).expect(&self.output);
        value["stores"][0][name].as_u64().expect(&self.output)
    }

    /// The requests by which `reconcile --json` has listed the first store's orders.
    pub fn listings(&self) -> u64 {
        let value: Value = serde_json::from_str(&self.output).expect(&self.output);
        value["stores"][0]["requests"]["listing"].as_u64().expect(&self.output)
    }

    /// The requests of the first store.
    pub fn requests(&self) -> u64 {
        self.store("requests")
    }
}

/// A program that is run and measured.
pub struct Program {
    path: PathBuf,
    home: PathBuf,
    secrets: Vec<(String, String)>,
}

impl Program {
    /// The real binary, with a home.
    pub fn ordersync(home: &Path) -> Self {
        Self { home: home.to_owned(), ..Self::at(env!("CARGO_BIN_EXE_ordersync").into()) }
    }

    /// This program.
    pub fn this() -> Self {
        Self::at(std::env::current_exe().unwrap())
    }

    /// Another one.
    pub fn at(path: PathBuf) -> Self {
        Self { path, home: PathBuf::new(), secrets: Vec::new() }
    }

    /// It is given the keys of this shop.
    pub fn with_keys_of(self, shop: &ShopProcess) -> Self {
        Self { secrets: shop.secrets.clone(), ..self }
    }

    /// The size of the real binary.
    pub fn size() -> u64 {
        std::fs::metadata(env!("CARGO_BIN_EXE_ordersync")).unwrap().len()
    }

    /// Runs it; a failure ends the bench.
    pub fn run(&self, args: &[&str]) -> Cost {
        let report = tempfile::NamedTempFile::new().unwrap();
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["measured", report.path().to_str().unwrap(), self.path.to_str().unwrap()])
            .args(args)
            .env("ORDERSYNC_HOME", &self.home)
            .envs(self.secrets.iter().cloned())
            .output()
            .unwrap();
        assert!(output.status.success(), "{args:?} failed: {}", String::from_utf8_lossy(&output.stderr));
        let text = std::fs::read_to_string(report.path()).unwrap();
        let figures: Vec<f64> = text.split_whitespace().map(|figure| figure.parse().unwrap()).collect();
        Cost {
            wall: figures[0],
            cpu: figures[1],
            peak: figures[2] as u64,
            output: String::from_utf8_lossy(&output.stdout).into_owned(),
        }
    }

    /// Runs it several times.
    pub fn many(&self, args: &[&str], times: usize) -> Vec<Cost> {
        (0..times).map(|_| self.run(args)).collect()
    }
}

/// The process between: runs `program` and writes down what it cost.
pub fn run(report: &Path, program: &str, args: &[&str]) {
    let started = Instant::now();
    let status = Command::new(program).args(args).status().unwrap();
    let wall = started.elapsed().as_secs_f64();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let cpu = (usage.user_time() + usage.system_time()).num_microseconds() as f64 / 1e6;
    // Linux counts in kilobytes, macOS in bytes.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    std::fs::write(report, format!("{wall} {cpu} {}", usage.max_rss() * unit)).unwrap();
    std::process::exit(status.code().unwrap_or(1));
}

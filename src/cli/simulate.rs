//! `ordersync simulate`.

use std::time::Duration;

use super::output;
use super::{App, Outcome};
use crate::channel::ChannelKind;
use crate::sim::{CONTROL, Lack, Recording, Server, ServerOptions, fault_kinds, rehearsal};

/// Serve a simulated shop on this machine to rehearse against; Ctrl-C ends it. It keeps nothing.
#[derive(Debug, clap::Args)]
#[command(after_long_help = fault_kinds())]
pub(super) struct Args {
    /// The kind of channel
    #[arg(value_enum, default_value = "woocommerce")]
    channel: ChannelKind,
    /// The port to serve on; 0 takes a free one
    #[arg(long, default_value_t = 8899)]
    port: u16,
    /// So many orders more than the 40 that are always there
    #[arg(long, default_value_t = 0)]
    orders: u64,
}

pub(super) fn run(app: &App, args: Args) -> Outcome {
    let clock = app.context.clock.clone();
    let shop = rehearsal(args.channel, clock.clone(), Duration::ZERO);
    let now = clock.now();
    shop.seed(args.orders, now - chrono::TimeDelta::days(29), now);
    let options = ServerOptions { port: args.port, recording: Recording::Off, ..ServerOptions::default() };
    let server = Server::start(shop.clone(), options)?;
    let url = server.url();
    let access = shop.access(url);
    output::line(&format!("a simulated {} shop answers at {url} (Ctrl-C ends it)", args.channel.title()))?;
    output::line("")?;
    output::line("connect it, in another terminal, with a home of its own:")?;
    let secrets: Vec<String> = access.secrets.iter().map(|(name, value)| format!("{name}={value}")).collect();
    output::command(&format!("  export ORDERSYNC_HOME=./rehearsal {}", secrets.join(" ")))?;
    output::command(&format!("  ordersync connect {} {}", args.channel, access.flags.join(" ")))?;
    output::command("  ordersync sync")?;
    output::line("")?;
    output::line("be its buyer, or its bad luck:")?;
    output::command(&format!(
        "  curl -X POST {url}{CONTROL}/place-order -d '{{\"lines\":[{{\"sku\":\"TEE-001\",\"quantity\":2}}]}}'"
    ))?;
    output::command(&format!(
        "  curl -X POST {url}{CONTROL}/fault -d '{{\"kind\":\"answer-lost\",\"method\":\"POST\"}}'"
    ))?;
    output::command("     (ordersync simulate --help lists the kinds of faults)")?;
    output::command(&format!("  curl -X POST {url}{CONTROL}/edit-address/ID -d '{{\"street\":\"New street 1\"}}'"))?;
    let others = if shop.lacks(Lack::Holds) { "pay" } else { "pay, hold" };
    output::command(&format!("  curl -X POST {url}{CONTROL}/cancel/ID   (or {others})"))?;
    output::command(&format!("  curl {url}{CONTROL}/ids"))?;
    output::command(&format!("  curl {url}{CONTROL}/stats"))?;
    while clock.sleep(Duration::from_secs(3600)).is_ok() {}
    server.stop();
    Ok(0)
}

//! What a run found, as one JSON document or as a table.

use std::fmt::Write as _;

use serde::Serialize;

use super::args::{Plan, Scenario, Server};
use super::backlog::Backlog;
use super::burst::Burst;
use super::claims::Claims;
use super::slow_neighbour::SlowNeighbour;

/// A whole run.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    scenario: &'static str,
    version: &'static str,
    settings: Settings,
    #[serde(flatten)]
    figures: Figures,
    gateway_peak_memory_mib: Option<f64>,
    duplicates: u64,
    missing: u64,
    /// Requests at the sink that carried no number of this run.
    strays: u64,
}

#[derive(Debug, Serialize)]
struct Settings {
    events_per_round: usize,
    endpoints: usize,
    connections: usize,
    payload_bytes: usize,
    batch_events: usize,
    rounds: usize,
    rate_per_s: Option<u32>,
    cores: usize,
    own_server: bool,
}

/// The figures of a scenario.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Figures {
    /// Of `burst`.
    Burst(Burst),
    /// Of `slow-neighbour`.
    SlowNeighbour(SlowNeighbour),
    /// Of `backlog`.
    Backlog(Backlog),
}

impl Report {
    /// Puts a run's figures together.
    pub(super) fn new(
        plan: &Plan,
        figures: Figures,
        gateway_peak_memory_mib: Option<f64>,
        strays: u64,
    ) -> Self {
        let (duplicates, missing) = match &figures {
            Figures::Burst(found) => (found.gateway.duplicates, found.gateway.missing),
            Figures::Backlog(found) => (found.gateway.duplicates, found.gateway.missing),
            Figures::SlowNeighbour(found) => (
                found.alone.duplicates + found.with_neighbours.duplicates,
                found.alone.missing + found.with_neighbours.missing,
            ),
        };
        Self {
            scenario: match plan.scenario {
                Scenario::Burst => "burst",
                Scenario::SlowNeighbour => "slow-neighbour",
                Scenario::Backlog => "backlog",
            },
            version: env!("CARGO_PKG_VERSION"),
            settings: Settings {
                events_per_round: plan.events,
                endpoints: plan.endpoints,
                connections: plan.connections,
                payload_bytes: plan.payload_bytes,
                batch_events: plan.batch,
                rounds: plan.rounds,
                rate_per_s: (plan.scenario == Scenario::SlowNeighbour).then_some(plan.rate_per_s),
                cores: std::thread::available_parallelism().map_or(0, usize::from),
                own_server: matches!(plan.server, Server::Own { .. }),
            },
            figures,
            gateway_peak_memory_mib,
            duplicates,
            missing,
            strays,
        }
    }

    /// Deliveries that never arrived.
    pub(super) fn missing(&self) -> u64 {
        self.missing
    }

    /// The report for people.
    pub(super) fn table(&self) -> String {
        let mut table = Table::new(self.heading());
        match &self.figures {
            Figures::Burst(found) => burst(&mut table, found),
            Figures::SlowNeighbour(found) => slow_neighbour(&mut table, found),
            Figures::Backlog(found) => backlog(&mut table, found),
        }
        table.row("gateway's peak memory, MiB", [None, self.gateway_peak_memory_mib, None]);
        table.count("duplicates", self.duplicates);
        table.count("missing", self.missing);
        if self.strays > 0 {
            table.count("unknown requests at the sink", self.strays);
        }
        if let Figures::Backlog(Backlog { claims: Some(found), .. }) = &self.figures {
            claims(&mut table, found);
        }
        table.text
    }

    fn heading(&self) -> String {
        let settings = &self.settings;
        let pace = settings.rate_per_s.map_or(String::new(), |rate| format!(", {rate} per s"));
        format!(
            "{}: {} events{pace}, endpoints {}, payload {} bytes, connections {}, batch {}, \
             cores {}, medians of {} round(s)\n",
            self.scenario,
            settings.events_per_round,
            settings.endpoints,
            settings.payload_bytes,
            settings.connections,
            settings.batch_events,
            settings.cores,
            settings.rounds,
        )
    }
}

fn burst(table: &mut Table, found: &Burst) {
    let Burst { bare, gateway, .. } = found;
    table.head(["bare limit", "gateway", "ratio"]);
    table.row("accepted per s", [None, Some(gateway.accepted_per_s), None]);
    table.row(
        "delivered per s (bare: requests)",
        [
            Some(bare.requests_per_s),
            Some(gateway.delivered_per_s),
            Some(found.delivered_to_bare_ratio),
        ],
    );
    table.row(
        "publish p50, ms (bare: request)",
        [Some(bare.latency_p50_ms), Some(gateway.publish_p50_ms), None],
    );
    table.row(
        "publish p99, ms (bare: request)",
        [Some(bare.latency_p99_ms), Some(gateway.publish_p99_ms), None],
    );
    table.row("delivery p50, ms", [None, Some(gateway.delivery_p50_ms), None]);
    table.row("delivery p99, ms", [None, Some(gateway.delivery_p99_ms), None]);
    table.row(
        "gateway's CPU ms per 1,000 (bare: generator and sink)",
        [
            bare.generator_and_sink_cpu_ms_per_1000_requests,
            gateway.gateway_cpu_ms_per_1000_deliveries,
            found.gateway_to_bare_cpu_ratio,
        ],
    );
    if let Some(spent) = gateway.database_cpu_ms_per_1000_deliveries {
        table.row("database's CPU ms per 1,000", [None, Some(spent), None]);
    }
    table.row(
        "generator's and sink's CPU ms per 1,000",
        [
            bare.generator_and_sink_cpu_ms_per_1000_requests,
            gateway.generator_and_sink_cpu_ms_per_1000_deliveries,
            None,
        ],
    );
}

fn slow_neighbour(table: &mut Table, found: &SlowNeighbour) {
    let SlowNeighbour { bare, alone, with_neighbours, .. } = found;
    table.head(["alone", "with neighbours", "ratio"]);
    table.row(
        "healthy delivery p50, ms",
        [
            Some(alone.delivery_p50_ms),
            Some(with_neighbours.delivery_p50_ms),
            Some(found.delivery_p50_ratio),
        ],
    );
    table.row(
        "healthy delivery p99, ms",
        [
            Some(alone.delivery_p99_ms),
            Some(with_neighbours.delivery_p99_ms),
            Some(found.delivery_p99_ratio),
        ],
    );
    table.row(
        "publish p50, ms",
        [Some(alone.publish_p50_ms), Some(with_neighbours.publish_p50_ms), None],
    );
    table.row(
        "publish p99, ms",
        [Some(alone.publish_p99_ms), Some(with_neighbours.publish_p99_ms), None],
    );
    table.row("bare request p50, ms", [Some(bare.latency_p50_ms), None, None]);
    table.row("bare request p99, ms", [Some(bare.latency_p99_ms), None, None]);
}

fn backlog(table: &mut Table, found: &Backlog) {
    let Backlog { bare, gateway, .. } = found;
    table.head(["bare limit", "gateway", "ratio"]);
    table.row("accepted per s", [None, Some(gateway.accepted_per_s), None]);
    table.row("publish p50, ms", [None, Some(gateway.publish_p50_ms), None]);
    table.row("publish p99, ms", [None, Some(gateway.publish_p99_ms), None]);
    table.row(
        "drained per s (bare: requests)",
        [Some(bare.requests_per_s), Some(gateway.drained_per_s), Some(found.drain_to_bare_ratio)],
    );
    table.row("first arrival, s after start", [None, Some(gateway.first_arrival_s), None]);
    table.row("last arrival, s after start", [None, Some(gateway.last_arrival_s), None]);
    table.row(
        "gateway's CPU ms per 1,000 (bare: generator and sink)",
        [
            bare.generator_and_sink_cpu_ms_per_1000_requests,
            gateway.gateway_cpu_ms_per_1000_deliveries,
            None,
        ],
    );
}

fn claims(table: &mut Table, found: &Claims) {
    let mib = |bytes: i64| Some(bytes as f64 / (1024.0 * 1024.0));
    let (empty, full) = (&found.empty, &found.full);
    table.say(&format!(
        "\nthe store alone, a healthy endpoint beside {} ended deliveries and {} due of a dead one",
        found.ended_rows, found.due_rows_of_the_dead_endpoint
    ));
    table.head(["empty", "full", "ratio"]);
    table.row(
        "asking for what is due p50, ms",
        [Some(empty.p50_ms), Some(full.p50_ms), Some(found.full_to_empty_p50_ratio)],
    );
    table.row(
        "asking for what is due p99, ms",
        [Some(empty.p99_ms), Some(full.p99_ms), Some(found.full_to_empty_p99_ratio)],
    );
    table.row("dropping the day of the ended, ms", [None, Some(found.drop_of_a_day_ms), None]);
    table.row("tables before the drop, MiB", [None, mib(found.filled_bytes), None]);
    table.row("tables after it, MiB", [None, mib(found.bytes_after_the_drop), None]);
    table.row("dead rows after it", [None, Some(found.dead_rows_after_the_drop as f64), None]);
    for line in &found.plan {
        table.say(&format!("  {line}"));
    }
}

/// Three columns of figures behind a label.
struct Table {
    text: String,
}

impl Table {
    fn new(heading: String) -> Self {
        Self { text: heading }
    }

    fn head(&mut self, columns: [&str; 3]) {
        self.line("", columns.map(str::to_owned));
    }

    fn row(&mut self, label: &str, figures: [Option<f64>; 3]) {
        self.line(label, figures.map(|figure| figure.map_or(String::new(), figure_text)));
    }

    /// A line without figures.
    fn say(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn count(&mut self, label: &str, count: u64) {
        self.line(label, [String::new(), count.to_string(), String::new()]);
    }

    fn line(&mut self, label: &str, columns: [String; 3]) {
        let [first, second, third] = columns;
        let line = format!("{label:<54}{first:>16}{second:>16}{third:>10}");
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{}", line.trim_end());
    }
}

/// As many decimals as say something.
fn figure_text(figure: f64) -> String {
    let decimals = match figure {
        _ if figure >= 1000.0 => 0,
        _ if figure >= 10.0 => 1,
        _ => 3,
    };
    format!("{figure:.decimals$}")
}

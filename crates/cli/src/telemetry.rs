//! Logs on stderr, and the recorder behind `/metrics`.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::config::raw::LogFormat;
use crate::exit::Exit;

/// Seconds: from a local receiver's answer to the longest time-out.
const BUCKETS_S: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];

/// Events: from one alone to as many as a transaction takes.
const BUCKETS_EVENTS: [f64; 12] =
    [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 4096.0];

/// What the library of the Model Context Protocol may log, whatever is asked for.
const MCP_LIBRARY: &str = "rmcp=error";

/// Reads a log filter such as `info` or `hookyard_engine=debug,warn`.
pub fn filter(text: &str) -> anyhow::Result<EnvFilter> {
    let filter = EnvFilter::try_new(text).map_err(|error| {
        Exit::Usage.because(format!(
            "`--log {text}` is no filter ({error}); use `error`, `warn`, `info`, `debug`, `trace`, or \
             `target=level` pairs joined by commas"
        ))
    })?;
    // Below that it writes down whole messages, and in those stand secrets.
    Ok(filter.add_directive(MCP_LIBRARY.parse()?))
}

/// Starts logging. Once per process.
pub fn start_logs(text: &str, format: LogFormat) -> anyhow::Result<()> {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter(text)?)
        .with_writer(std::io::stderr)
        // It would print that it cannot print, and panic when that fails too: on a full disk that holds the log as well.
        .log_internal_errors(false)
        .with_ansi(std::io::stderr().is_terminal());
    let started = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).with_ansi(false).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("starting the log: {error}"))
}

/// Installs the recorder; the handle prints what it holds. Its upkeep is the caller's.
pub fn start_metrics() -> anyhow::Result<PrometheusHandle> {
    PrometheusBuilder::new()
        .set_buckets(&BUCKETS_S)
        .and_then(|it| {
            it.set_buckets_for_metric(Matcher::Suffix("_events".into()), &BUCKETS_EVENTS)
        })
        .and_then(PrometheusBuilder::install_recorder)
        .context("installing the metrics recorder")
}

//! Opens the house on a port, keeps it open until told to stop, and closes it in order.

use std::future::Future;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use hookyard_engine::Running;
use hookyard_http::DoorState;
use metrics_exporter_prometheus::PrometheusHandle;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::exit::Exit;

/// How long callers get to finish their requests when the server stops; the rest of the grace is the attempts'.
const CALLERS_WITHIN: Duration = Duration::from_secs(5);
/// How often histograms are folded, as the recorder's manual asks.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Takes the port.
pub async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let is = |kind| error.kind() == kind;
        let why = if is(ErrorKind::AddrInUse) {
            "the port is in use".to_owned()
        } else if is(ErrorKind::PermissionDenied) {
            "this user may not take that port".to_owned()
        } else {
            error.to_string()
        };
        Exit::Failure.because(format!(
            "cannot listen on {address}: {why}; choose another with `--listen ADDR:PORT`"
        ))
    })
}

/// Lets the process open as many files as it may: each attempt in flight and each caller costs one.
pub fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit on open files could not be raised");
    }
}

/// What runs while the house is open.
pub struct Open {
    /// Where callers come in.
    pub listener: TcpListener,
    /// The doors.
    pub router: Router,
    /// What the doors share.
    pub doors: DoorState,
    /// The engine.
    pub running: Running,
    /// Holds the metrics.
    pub metrics: PrometheusHandle,
    /// How long attempts in flight may take at the end.
    pub grace: Duration,
}

/// Keeps the house open until a signal comes or `meanwhile` ends; then closes it in order. A second signal does not wait.
pub async fn keep_open(
    open: Open,
    signals: &mut Signals,
    meanwhile: impl Future<Output = anyhow::Result<Exit>>,
) -> anyhow::Result<Exit> {
    let (stop, stopped) = watch::channel(false);
    let callers_within = CALLERS_WITHIN.min(open.grace);
    let mut tasks = JoinSet::new();
    let shutdown = told(stopped.clone());
    tasks.spawn(hookyard_http::server::serve(open.listener, open.router, shutdown, callers_within));
    tasks.spawn(upkeep(open.metrics, stopped));
    let ended = tokio::select! {
        name = signals.next() => {
            tracing::info!(signal = name, "stopping: no more is accepted, what is in flight may finish");
            Ok(Exit::Ok)
        }
        ended = meanwhile => ended,
        () = open.running.engine.replaced() => {
            tracing::error!("stopping: this node's name is another process's now");
            Err(anyhow::anyhow!(
                "another process serves under this node's name; give each a `--node-name` of its own"
            ))
        }
    };
    let deadline = Instant::now() + open.grace;
    let close = async {
        open.doors.drain();
        // At once: an attempt begun while callers are still served would find less than the whole grace left.
        open.running.rest();
        stop.send_replace(true);
        while tasks.join_next().await.is_some() {}
        open.running.drain(deadline.saturating_duration_since(Instant::now())).await;
    };
    tokio::select! {
        () = close => {
            tracing::info!("stopped");
            ended
        }
        name = signals.next() => Err(anyhow::anyhow!("{name} again: stopped without waiting")),
    }
}

async fn told(mut stop: watch::Receiver<bool>) {
    // An error means that the one who could tell is gone, which is as good as being told.
    let _ = stop.wait_for(|it| *it).await;
}

async fn upkeep(metrics: PrometheusHandle, stop: watch::Receiver<bool>) {
    let mut stop = std::pin::pin!(told(stop));
    loop {
        tokio::select! {
            () = sleep(UPKEEP_EVERY) => metrics.run_upkeep(),
            () = &mut stop => return,
        }
    }
}

/// Waits for somebody to ask the process to stop.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Listens from here on: a signal is never lost between this and [`Signals::next`].
    pub fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// The next one's name.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

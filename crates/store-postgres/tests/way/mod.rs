//! A way to the database that is lost at a commit: with the commit, or behind it.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected must stop at once")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use hookyard_domain::secret::Secret;
use hookyard_store_postgres::Settings;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::place::Place;

const COMMIT: &[u8] = b"COMMIT";

/// How the way is, and what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Open,
    /// With the next commit, which does not arrive, it is cut.
    CutBefore,
    /// The next commit arrives; then it is cut.
    CutBehind,
    /// The next commit arrives; then it is cut, and whoever comes anew hears nothing.
    SilentBehind,
    Cut,
    Silent,
}

/// A proxy before the database.
pub struct Proxy {
    address: String,
    way: Arc<watch::Sender<Way>>,
    /// How often somebody came while nothing was heard.
    pub unheard: Arc<AtomicU32>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// Open, to the server of a place.
    pub async fn start(place: &Place) -> Self {
        let (_, rest) = place.url.split_once('@').unwrap();
        let target = rest.split(['/', '?']).next().unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let way = Arc::new(watch::Sender::new(Way::Open));
        let unheard = Arc::new(AtomicU32::new(0));
        let (set, count) = (Arc::clone(&way), Arc::clone(&unheard));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let (target, set, count) = (target.clone(), Arc::clone(&set), Arc::clone(&count));
                connections.spawn(async move {
                    let _ = pass(client, &target, &set, &count).await;
                });
            }
        });
        Self { address, way, unheard, _tasks: tasks }
    }

    pub fn set(&self, way: Way) {
        self.way.send_replace(way);
    }

    /// How the store of the place is reached through it.
    pub fn settings(&self, place: &Place) -> Settings {
        let mut settings = place.settings();
        let url = settings.url.reveal();
        let (user, rest) = url.split_once('@').unwrap();
        let at = rest.find(['/', '?']).unwrap();
        let (address, rest) = (&self.address, &rest[at..]);
        settings.url = Secret::new(format!("{user}@{address}{rest}&sslmode=disable"));
        settings
    }
}

async fn pass(
    mut client: TcpStream,
    target: &str,
    set: &watch::Sender<Way>,
    unheard: &AtomicU32,
) -> std::io::Result<()> {
    let mut way = set.subscribe();
    match *way.borrow() {
        Way::Cut => return Ok(()),
        Way::Silent => {
            unheard.fetch_add(1, Ordering::SeqCst);
        }
        Way::Open | Way::CutBefore | Way::CutBehind | Way::SilentBehind => {}
    }
    let is_open = |way: Way| !matches!(way, Way::Cut | Way::Silent);
    if !is_open(*way.borrow()) {
        // Whoever came while nothing was heard is never answered.
        let _ = way.wait_for(|it| is_open(*it)).await;
        return Ok(());
    }
    let mut server = TcpStream::connect(target).await?;
    let (mut up, mut down) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            biased;
            _ = async { way.wait_for(|it| !is_open(*it)).await.is_ok() } => break,
            read = client.read(&mut up) => {
                let sent = &up[..read?];
                if sent.is_empty() {
                    return Ok(());
                }
                let now = *set.borrow();
                let behind = match now {
                    Way::CutBefore | Way::CutBehind => Some(Way::Cut),
                    Way::SilentBehind => Some(Way::Silent),
                    Way::Open | Way::Cut | Way::Silent => None,
                };
                let behind = behind.filter(|_| sent.windows(COMMIT.len()).any(|it| it == COMMIT));
                if now == Way::CutBefore && behind.is_some() {
                    set.send_replace(Way::Cut);
                    return Ok(());
                }
                server.write_all(sent).await?;
                if let Some(behind) = behind {
                    set.send_replace(behind);
                }
            }
            read = server.read(&mut down) => match read? {
                0 => return Ok(()),
                many => client.write_all(&down[..many]).await?,
            },
        }
    }
    // The server reads to the end what it was sent.
    drop(client);
    server.shutdown().await?;
    while server.read(&mut down).await? > 0 {}
    Ok(())
}

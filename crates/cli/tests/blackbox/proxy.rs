//! A way between a client and a server that can be lost: cut, or silent as a network is that has gone away.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::world::PATIENCE;

/// How the way is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Open,
    /// What was connected is cut, and nothing new is let in.
    Cut,
    /// Nothing comes through, and nobody is told.
    Silent,
}

type Fatal = Arc<Mutex<Option<&'static str>>>;

/// A proxy for TCP.
pub struct Proxy {
    pub address: SocketAddr,
    target: Arc<Mutex<SocketAddr>>,
    way: Arc<watch::Sender<Way>>,
    /// What is said in the transaction whose commit cuts the way.
    fatal: Fatal,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// Open, to a server.
    pub async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let target = Arc::new(Mutex::new(target));
        let (way, fatal) = (Arc::new(watch::Sender::new(Way::Open)), Fatal::default());
        let mut tasks = JoinSet::new();
        let (to, set, said) = (target.clone(), way.clone(), fatal.clone());
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let target = *to.lock().unwrap();
                let (set, said) = (set.clone(), said.clone());
                connections.spawn(async move {
                    let _ = pass(client, target, &set, &said).await;
                });
            }
        });
        Self { address, target, way, fatal, _tasks: tasks }
    }

    /// From now on new connections lead to another server.
    pub fn lead_to(&self, target: SocketAddr) {
        *self.target.lock().unwrap() = target;
    }

    /// Cuts every connection, and takes no other.
    pub fn cut(&self) {
        self.way.send_replace(Way::Cut);
    }

    /// Cuts every connection as soon as a transaction in which this is said to a database commits: its commit arrives, and
    /// its answer does not.
    pub fn cut_behind_commit_of(&self, said: &'static str) {
        *self.fatal.lock().unwrap() = Some(said);
    }

    /// Waits until that has happened.
    pub async fn is_cut(&self) {
        let mut way = self.way.subscribe();
        let cut = timeout(PATIENCE, way.wait_for(|it| *it == Way::Cut)).await;
        assert!(cut.is_ok(), "nothing of the kind was committed");
    }

    /// Lets nothing through and tells nobody.
    pub fn fall_silent(&self) {
        self.way.send_replace(Way::Silent);
    }

    /// Lets connections through again; those that were cut or silent are gone.
    pub fn open(&self) {
        self.way.send_replace(Way::Cut);
        self.way.send_replace(Way::Open);
    }
}

async fn pass(
    mut client: TcpStream,
    target: SocketAddr,
    set: &watch::Sender<Way>,
    fatal: &Mutex<Option<&'static str>>,
) -> std::io::Result<()> {
    let mut way = set.subscribe();
    if *way.borrow_and_update() == Way::Cut {
        return Ok(());
    }
    let mut server = TcpStream::connect(target).await?;
    let (mut up, mut down) = (vec![0; 65_536], vec![0; 65_536]);
    let mut is_silent = *way.borrow() == Way::Silent;
    let mut is_fatal = false;
    loop {
        tokio::select! {
            biased;
            changed = way.changed() => {
                // Whatever was silent does not come back: in between it was cut.
                let now = *way.borrow_and_update();
                if changed.is_err() || now == Way::Cut || (is_silent && now == Way::Open) {
                    return Ok(());
                }
                is_silent = now == Way::Silent;
            }
            read = client.read(&mut up), if !is_silent => match read? {
                0 => return Ok(()),
                many => {
                    server.write_all(&up[..many]).await?;
                    let says = |what: &str| {
                        up[..many].windows(what.len()).any(|it| it == what.as_bytes())
                    };
                    is_fatal |= fatal.lock().unwrap().is_some_and(says);
                    if is_fatal && says("COMMIT") {
                        *fatal.lock().unwrap() = None;
                        break;
                    }
                }
            },
            read = server.read(&mut down), if !is_silent => match read? {
                0 => return Ok(()),
                many => client.write_all(&down[..many]).await?,
            },
        }
    }
    drop(client);
    set.send_replace(Way::Cut);
    // The server reads to the end what it was sent.
    server.shutdown().await?;
    while server.read(&mut down).await? > 0 {}
    Ok(())
}

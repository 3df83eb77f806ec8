//! `kill -9` at random points under load, over and over in one data folder.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::dice::Dice;
use super::load::Load;
use crate::receiver::{Arrival, Receiver};
use crate::scene::{Acme, Scene, text};
use crate::world::{OPERATOR_KEY, Server, World, until};

const ROUNDS: usize = 24;
const PUBLISHERS: usize = 8;
/// Attempts under way at once.
const IN_FLIGHT: &str = "16";
/// Deliveries that may arrive twice for one kill and one endpoint: those under way, and those that ended but were not
/// recorded: the commit that was being synced and the one that was filling up meanwhile.
const TWICE_MAX: usize = 16 * 8;

/// When a process died.
struct Kill {
    /// Before it could have been dead.
    at: Instant,
    /// When a server had started after it: whatever the dead one had sent has been read by then.
    over: Instant,
}

async fn start(world: &World) -> Server {
    let env = [("HOOKYARD_OPERATOR_KEY", OPERATOR_KEY)];
    world.serve_with(&["--max-in-flight", IN_FLIGHT], &env).await
}

/// A start that is killed at any point of it, even before it listens; answers when.
async fn stillborn(world: &World, dice: &mut Dice) -> Instant {
    let data = world.data();
    let mut command = world.hookyard(&["serve", "--data", data.to_str().unwrap()]);
    command.args(["--listen", "127.0.0.1:0", "--allow-http", "--allow-network", "127.0.0.0/8"]);
    command.env("HOOKYARD_OPERATOR_KEY", OPERATOR_KEY);
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut child = command.spawn().unwrap();
    // A random point of a start is a point in time; there is no fact to wait for.
    sleep(Duration::from_millis(dice.below(120))).await;
    let at = Instant::now();
    child.kill().await.unwrap();
    at
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_kill_9_under_load_every_acknowledged_event_arrives_and_only_what_was_in_flight_twice()
 {
    let mut dice = Dice::new();
    let world = World::new();
    let receivers = [Receiver::start().await, Receiver::start().await];
    let mut server = start(&world).await;
    let acme = Acme(server.operator().tenant("acme").await);
    for receiver in &receivers {
        acme.endpoint_at(&receiver.url()).await;
    }
    let load = Load::start(PUBLISHERS, &acme.0.key, &mut dice);
    let mut kills = Vec::new();
    for _ in 0..ROUNDS {
        load.go_on_at(server.address);
        let more = usize::try_from(dice.below(150)).unwrap();
        load.more(more).await;
        // So that the kill does not always come right after an answer.
        sleep(Duration::from_micros(dice.below(30_000))).await;
        let at = Instant::now();
        server.kill_9().await;
        let mut dead = vec![at];
        if dice.below(4) == 0 {
            // It may have sent something too.
            dead.push(stillborn(&world, &mut dice).await);
        }
        server = start(&world).await;
        let over = Instant::now();
        kills.extend(dead.into_iter().map(|at| Kill { at, over }));
    }
    load.go_on_at(server.address);
    load.more(50).await;
    let acknowledged = load.stop().await;
    assert!(acknowledged.len() > 1_000, "hardly a load: {}", acknowledged.len());

    for receiver in &receivers {
        all_arrived(receiver, &acknowledged).await;
    }
    let acme = Acme(server.client(&acme.0.key));
    acme.count_is("status=pending", 0).await;
    for receiver in &receivers {
        check_doubles(&receiver.arrivals(), &kills);
    }
    let listed = acme.deliveries("status=succeeded").await;
    let mut listed_events = HashMap::new();
    for it in &listed {
        *listed_events.entry(text(&it["event_id"])).or_insert(0) += 1;
    }
    for event in &acknowledged {
        assert_eq!(listed_events.get(event.as_str()), Some(&2), "deliveries listed of {event}");
    }
    assert!(server.stop().await.success());
}

async fn all_arrived(receiver: &Receiver, acknowledged: &[String]) {
    let mut owed: HashSet<_> = acknowledged.iter().map(String::as_str).collect();
    let mut seen = 0;
    while !owed.is_empty() {
        let more = async || (receiver.count() > seen).then_some(());
        until(&format!("{} acknowledged events arrive", owed.len()), more).await;
        for arrival in receiver.from(seen) {
            owed.remove(arrival.event());
            seen += 1;
        }
    }
}

/// Every arrival of an event after its first comes after a kill, another one each time, and few do.
fn check_doubles(arrivals: &[Arrival], kills: &[Kill]) {
    let mut last: HashMap<&str, (Instant, usize)> = HashMap::new();
    let mut doubles = vec![0; kills.len()];
    for arrival in arrivals {
        let Some((before, from)) = last.insert(arrival.event(), (arrival.at, 0)) else { continue };
        let between = |kill: &Kill| before <= kill.over && kill.at <= arrival.at;
        let Some(kill) = (from..kills.len()).find(|kill| between(&kills[*kill])) else {
            let since = |kill: &Kill| before.saturating_duration_since(kill.over);
            let since: Vec<_> = kills.iter().map(since).collect();
            panic!(
                "{} arrived twice without a kill in between, {:?} apart; first so long after each restart: {since:?}",
                arrival.event(),
                arrival.at - before,
            )
        };
        doubles[kill] += 1;
        last.insert(arrival.event(), (arrival.at, kill + 1));
    }
    eprintln!("{} arrivals, twice after each kill: {doubles:?}", arrivals.len());
    assert!(doubles.iter().all(|it| *it <= TWICE_MAX), "{doubles:?}");
}

#[tokio::test]
async fn the_first_start_may_be_killed_at_any_point_of_it() {
    let mut dice = Dice::new();
    let world = World::new();
    for _ in 0..8 {
        stillborn(&world, &mut dice).await;
    }
    let server = start(&world).await;
    let acme = Acme(server.operator().tenant("acme").await);
    let receiver = Receiver::start().await;
    acme.endpoint_at(&receiver.url()).await;
    let scene = Scene::of(world, server, acme);
    let event = scene.acme.order(1).await;
    scene.acme.delivery_is(&event, "succeeded").await;
}

//! The disk is full, at each write in turn.
//!
//! A limit on the size of files stands for the disk: with SIGXFSZ ignored a write beyond it fails, and the limit of a running process
//! can be lifted. It is raised step by step, so that each write of an order's life is once the first that fails.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::scene::{A_MINUTE, Scene};
use super::support::{Place, RENEWD, due, until};

/// The size of a page, in the shell's unit of 512 bytes: a page of the journal is a little longer, so that none is passed over.
const STEP: u64 = 8;
/// Longer than a failure and its mending take.
const PATIENCE: Duration = Duration::from_secs(40);
/// How many daemons live at once; they mostly wait.
const AT_ONCE: u64 = 12;

#[test]
fn a_disk_that_is_full_at_any_write_costs_no_order_and_sends_none_that_is_not_recorded() {
    let workers: Vec<_> = (0..AT_ONCE).map(|worker| std::thread::spawn(move || lived(worker))).collect();
    let struck: usize = workers.into_iter().map(|worker| worker.join().unwrap()).sum();
    assert!(struck >= 10, "only {struck} writes failed: it is not the disk that was tried here");
}

/// One daemon after the other, each with a little more room, until one has enough. How many had not.
fn lived(first: u64) -> usize {
    let mut struck = 0;
    for limit in (first * STEP..).step_by(usize::try_from(AT_ONCE * STEP).unwrap()) {
        // A portal of its own: what others order there would make the database grow.
        let scene = Scene::with(&due("one", "1", 3));
        let complained = with_room_for(&scene, limit);
        scene.is_ordered_once();
        if !complained {
            break;
        }
        struck += 1;
    }
    struck
}

/// Runs a daemon on a disk with so much room, then gives it all the room. Whether it complained.
fn with_room_for(place: &Scene, limit: u64) -> bool {
    let mut daemon = Limited::start(place, limit);
    let began = Instant::now();
    while !is_placed(place) && !is_explained(&daemon.said()) && daemon.child.try_wait().unwrap().is_none() {
        assert!(began.elapsed() < PATIENCE, "with {limit} blocks nothing comes of it:\n{}", daemon.said());
        std::thread::sleep(Duration::from_millis(20));
    }
    let ended = daemon.child.try_wait().unwrap();
    let complained = !is_placed(place) || is_explained(&daemon.said());
    if let Some(status) = ended {
        assert_eq!(status.code(), Some(1), "{}", daemon.said());
        daemon = Limited::start(place, u64::MAX);
    } else {
        daemon.lift();
        place.clock(3 * A_MINUTE); // what was cancelled unsent is tried again after a minute
    }
    while !is_placed(place) {
        let lives = daemon.child.try_wait().unwrap().is_none();
        assert!(
            lives && began.elapsed() < PATIENCE,
            "with {limit} blocks, and then room, nothing comes of it:\n{}",
            daemon.said()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    daemon.stop();
    complained
}

fn is_placed(place: &Place) -> bool {
    place.attempts().last() == Some(&"placed".into())
}

fn is_explained(log: &str) -> bool {
    log.contains("nothing is ordered")
}

/// `renewd run` with a limit on the size of its files. Its log is a pipe, which the limit leaves alone.
struct Limited {
    child: Child,
    log: Arc<Mutex<String>>,
}

impl Limited {
    fn start(place: &Place, limit: u64) -> Self {
        let limit = if limit == u64::MAX { "unlimited".to_owned() } else { limit.to_string() };
        let ours = place.command(&[]);
        let mut command = Command::new("sh");
        command.args(["-c", &format!("trap '' XFSZ; ulimit -S -f {limit}; exec {RENEWD} run")]);
        for (name, value) in ours.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let mut child = command
            .current_dir(ours.get_current_dir().unwrap())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (lines, kept) = (BufReader::new(child.stderr.take().unwrap()).lines(), Arc::clone(&log));
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut log = kept.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        Self { child, log }
    }

    fn said(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    fn lift(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited:"]).status().unwrap().success());
    }

    fn stop(mut self) {
        let kill = format!("kill -TERM {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        let status = until("the daemon has ended", || self.child.try_wait().unwrap());
        assert!(status.success(), "{}", self.said());
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

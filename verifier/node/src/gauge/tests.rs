#![allow(clippy::unwrap_used)]

use super::*;
use surety_verifier::classes::ClassId;
use surety_verifier::gauge::wire::ASK_BYTES;
use surety_verifier::gauge::{CHUNK_BYTES, Gauge, Medium, Sizes};
use tokio::io::{AsyncReadExt, DuplexStream};

fn room() -> (tempfile::TempDir, Room) {
    let dir = tempfile::tempdir().unwrap();
    let room = Room { dir: dir.path().to_owned() };
    (dir, room)
}

/// A machine at the other end of a stream.
fn machine(room: Room) -> (DuplexStream, tokio::task::JoinHandle<Result<(), GaugeError>>) {
    let (keeper, machine) = tokio::io::duplex(1 << 20);
    let (reader, writer) = tokio::io::split(machine);
    (keeper, tokio::spawn(converse(room, Caps::SMALL, Box::new(()), reader, writer)))
}

async fn answer(keeper: &mut DuplexStream, task: Task) -> Option<Vec<u8>> {
    keeper.write_all(&Ask { task, seed: [5; 32] }.encode()).await.unwrap();
    let mut head = [0];
    keeper.read_exact(&mut head).await.unwrap();
    if head[0] == DECLINED {
        return None;
    }
    let mut answer = vec![0; task.answer_bytes()];
    keeper.read_exact(&mut answer).await.unwrap();
    Some(answer)
}

#[tokio::test]
async fn a_keeper_finds_every_answer_right_and_gets_every_figure() {
    let (_dir, room) = room();
    let (mut keeper, talking) = machine(room);
    let mut gauge = Gauge::new([1; 32], Sizes::of(ClassId::CPU_TEST));
    while let Some(ask) = gauge.ask() {
        keeper.write_all(&ask.encode()).await.unwrap();
        keeper.write_all(&gauge.payload()).await.unwrap();
        let mut answer = vec![0; 1 + ask.task.answer_bytes()];
        keeper.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer.remove(0), DONE, "{:?}", ask.task);
        gauge.answered(&answer, 1_000).unwrap();
    }
    drop(keeper);
    talking.await.unwrap().unwrap();
    let figures = serde_json::to_value(gauge.figures()).unwrap();
    assert!(figures.as_object().unwrap().values().all(|figure| !figure.is_null()), "{figures}");
}

#[tokio::test]
async fn what_is_beyond_the_machine_or_out_of_order_is_declined_and_the_talk_goes_on() {
    let (_dir, room) = room();
    let threads = room.free().threads;
    let (mut keeper, _talking) = machine(room);
    let (memory, disk) = (Medium::Memory, Medium::Disk);
    for task in [
        Task::Steps { threads: threads + 1, each: 1 },
        Task::Fill { medium: memory, bytes: Caps::SMALL.memory_bytes + CHUNK_BYTES },
        Task::Fill { medium: disk, bytes: Caps::SMALL.disk_bytes + CHUNK_BYTES },
        Task::Read { medium: memory, bytes: CHUNK_BYTES },
        Task::Gather { medium: disk, each: 1 },
        Task::Scatter { writes: 1 },
    ] {
        assert_eq!(answer(&mut keeper, task).await, None, "{task:?}");
    }
    assert!(answer(&mut keeper, Task::Fill { medium: memory, bytes: CHUNK_BYTES }).await.is_some());
    assert_eq!(answer(&mut keeper, Task::Read { medium: memory, bytes: 2 * CHUNK_BYTES }).await, None);
    assert_eq!(answer(&mut keeper, Task::Read { medium: disk, bytes: CHUNK_BYTES }).await, None);
    assert_eq!(answer(&mut keeper, Task::Scatter { writes: 1 }).await, None);
    assert!(answer(&mut keeper, Task::Read { medium: memory, bytes: CHUNK_BYTES }).await.is_some());
    // Filling the other medium gives this one back.
    assert!(answer(&mut keeper, Task::Fill { medium: disk, bytes: CHUNK_BYTES }).await.is_some());
    assert_eq!(answer(&mut keeper, Task::Read { medium: memory, bytes: CHUNK_BYTES }).await, None);
}

#[tokio::test]
async fn a_conversation_has_one_file_and_has_it_written_at_random_once() {
    let (_dir, room) = room();
    let (mut keeper, _talking) = machine(room);
    let file = Task::Fill { medium: Medium::Disk, bytes: CHUNK_BYTES };
    assert!(answer(&mut keeper, file).await.is_some());
    assert!(answer(&mut keeper, Task::Scatter { writes: 2 }).await.is_some());
    assert_eq!(answer(&mut keeper, Task::Scatter { writes: 2 }).await, None);
    assert_eq!(
        answer(&mut keeper, Task::Read { medium: Medium::Disk, bytes: CHUNK_BYTES }).await,
        None,
        "not as filled"
    );
    assert_eq!(answer(&mut keeper, file).await, None);
    assert!(answer(&mut keeper, Task::Fill { medium: Medium::Memory, bytes: CHUNK_BYTES }).await.is_some());
}

/// Says when it is dropped.
struct Place(Arc<AtomicBool>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A leg of the most steps there are takes a tenth of a second, all of them six.
#[tokio::test(flavor = "multi_thread")]
async fn the_place_is_given_back_when_the_work_has_ended_and_soon() {
    let (_dir, room) = room();
    let free = Arc::new(AtomicBool::new(false));
    let (mut keeper, machine) = tokio::io::duplex(1 << 10);
    let (reader, writer) = tokio::io::split(machine);
    let talking = tokio::spawn(converse(room, Caps::SMALL, Box::new(Place(free.clone())), reader, writer));
    assert!(answer(&mut keeper, Task::Steps { threads: 1, each: 1 }).await.is_some());
    let long = Ask { task: Task::Steps { threads: 1, each: 1 << 26 }, seed: [1; 32] };
    keeper.write_all(&long.encode()).await.unwrap();
    // The question has been taken when the next one waits behind it.
    keeper.write_all(&vec![0; 1 << 10]).await.unwrap();
    assert!(!free.load(Ordering::Relaxed));
    talking.abort();
    let deadline = std::time::Instant::now() + Duration::from_secs(5);
    while !free.load(Ordering::Relaxed) {
        assert!(std::time::Instant::now() < deadline, "it goes on");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn bytes_that_are_no_question_end_the_talk() {
    let (_dir, room) = room();
    let (mut keeper, talking) = machine(room);
    keeper.write_all(&[0xff; ASK_BYTES]).await.unwrap();
    assert!(matches!(talking.await.unwrap(), Err(GaugeError::Ask(_))));
}

#[tokio::test]
async fn a_download_that_breaks_off_ends_the_talk() {
    let (_dir, room) = room();
    let (mut keeper, talking) = machine(room);
    keeper.write_all(&Ask { task: Task::Download { bytes: 1 << 20 }, seed: [1; 32] }.encode()).await.unwrap();
    keeper.write_all(&[1; 1000]).await.unwrap();
    drop(keeper);
    assert!(matches!(talking.await.unwrap(), Err(GaugeError::Lost(_))));
}

#[tokio::test]
async fn the_file_has_no_name() {
    let (dir, room) = room();
    let (mut keeper, _talking) = machine(room);
    assert!(answer(&mut keeper, Task::Fill { medium: Medium::Disk, bytes: CHUNK_BYTES }).await.is_some());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    assert!(answer(&mut keeper, Task::Scatter { writes: 3 }).await.is_some());
}

/// The longest steps there are take seconds on each thread; told to stop, they end with the leg they are at.
#[test]
fn work_ends_soon_after_it_is_told_to() {
    let (_dir, room) = room();
    let stop = Stop::default();
    let mut bench = Bench::new(room, Caps::SMALL, stop.clone(), Box::new(()));
    drop(Leash(stop));
    let seed = [7; 32];
    for task in [
        Task::Steps { threads: 1, each: 1 },
        Task::Fill { medium: Medium::Memory, bytes: CHUNK_BYTES },
        Task::Fill { medium: Medium::Disk, bytes: CHUNK_BYTES },
    ] {
        assert_eq!(bench.answer(&Ask { task, seed }), None, "{task:?}");
    }
}

#[test]
fn what_is_free_is_found_out() {
    let (_dir, room) = room();
    let free = room.free();
    assert!(free.threads >= 1 && free.memory_bytes > 1 << 20 && free.disk_bytes > 1 << 20, "{free:?}");
    let nowhere = Room { dir: "/nowhere/at/all".into() };
    assert_eq!(nowhere.free().disk_bytes, 0);
}

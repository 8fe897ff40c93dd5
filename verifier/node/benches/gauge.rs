//! Soft figures of this computer, at the sizes that machines with GPUs are asked for (memory: 4 GiB), and what they
//! cost a keeper.
//!
//! `cargo bench -p surety-node --bench gauge`
//!
//! The keeper's share is set against the machine's in the same run. The clock is set against what the kernel says it is
//! (`/proc/cpuinfo`), where it says anything.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::time::{Duration, Instant};
use surety_node::gauge::{Caps, Room, converse};
use surety_verifier::gauge::wire::DONE;
use surety_verifier::gauge::{Gauge, Sizes};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::main]
async fn main() {
    let dir = tempfile::tempdir_in(std::env::current_dir().unwrap()).unwrap();
    let (mut keeper, machine) = tokio::io::duplex(1 << 20);
    let (reader, writer) = tokio::io::split(machine);
    let talking = tokio::spawn(converse(Room { dir: dir.path().to_owned() }, Caps::FULL, Box::new(()), reader, writer));
    let (mut checking, all) = (Duration::ZERO, Instant::now());
    let mut gauge = Gauge::new([1; 32], Sizes { memory_max_bytes: 4 << 30, ..Sizes::FULL });
    loop {
        let began = Instant::now();
        let Some(ask) = gauge.ask() else { break };
        let payload = gauge.payload();
        checking += began.elapsed();
        let began = Instant::now();
        let (mut from, mut to) = tokio::io::split(&mut keeper);
        let mut answer = vec![0; 1 + ask.task.answer_bytes()];
        let asking = async {
            to.write_all(&ask.encode()).await.unwrap();
            to.write_all(&payload).await.unwrap();
        };
        let (_, count) = tokio::join!(asking, from.read_exact(&mut answer));
        assert_eq!(count.unwrap(), answer.len());
        let took_us = u64::try_from(began.elapsed().as_micros()).unwrap();
        let began = Instant::now();
        if answer.remove(0) == DONE {
            gauge.answered(&answer, took_us).unwrap();
        } else {
            println!("declined: {:?}", ask.task);
            gauge.declined();
        }
        checking += began.elapsed();
    }
    drop(keeper);
    talking.await.unwrap().unwrap();
    println!("{:#?}", gauge.figures());
    println!("all of it {:?}, of which the keeper's own work {checking:?}", all.elapsed());
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mhz = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("cpu MHz")?.trim_start_matches(['\t', ':', ' ']).parse().ok());
    if let (Some(mhz), Some(khz)) = (mhz, gauge.figures().core_khz_one) {
        let mhz: f64 = mhz;
        #[allow(clippy::cast_precision_loss)]
        let ratio = khz as f64 / 1000.0 / mhz;
        println!("one core's clock by steps / by the kernel: {ratio:.2}");
    }
}

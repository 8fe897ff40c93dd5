//! The operator's anchors: addresses that are up whenever this keeper's own network is.

use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Longest an anchor may take to accept a connection.
const ANCHOR_TIMEOUT: Duration = Duration::from_secs(5);

/// How many of `anchors` (`host:port`) accept a TCP connection, of how many asked.
pub async fn look(anchors: &[String]) -> (u32, u32) {
    let mut round = JoinSet::new();
    for anchor in anchors {
        let anchor = anchor.clone();
        round.spawn(async move {
            let connecting = TcpStream::connect(anchor);
            matches!(tokio::time::timeout(ANCHOR_TIMEOUT, connecting).await, Ok(Ok(_)))
        });
    }
    let (mut reachable, mut asked) = (0, 0);
    while let Some(answer) = round.join_next().await {
        asked += 1;
        reachable += u32::from(answer.unwrap_or(false));
    }
    (reachable, asked)
}

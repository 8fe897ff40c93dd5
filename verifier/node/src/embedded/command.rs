//! One command of a tenant: started in the tenant's directory, tied to its channel, bounded in time and output.

use super::{Limits, Shop};
use crate::processes::{MARK, kill_group};
use russh::server::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::{ExitStatus, Stdio};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::sleep;

/// A started command.
pub(super) struct Running {
    child: Child,
}

/// Starts `sh -c line` in a process group of its own. The line goes to the shell as one argument, as the renter wrote
/// it: it is the renter's own shell.
pub(super) fn start(shop: &Shop, line: &[u8]) -> std::io::Result<Running> {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(OsStr::from_bytes(line)).current_dir(&shop.tenant_dir);
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", &shop.tenant_dir);
    command.env("USER", &shop.tenant_user).env("LANG", "C.UTF-8").env(MARK, &shop.mark);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.process_group(0).kill_on_drop(true).spawn()?;
    Ok(Running { child })
}

impl Running {
    /// Carries bytes both ways until the command ends, the tenant leaves, or its time is over.
    pub(super) async fn attend(mut self, channel: Channel<Msg>, limits: Limits) {
        let leader = self.child.id();
        let (from_tenant, to_tenant) = channel.split();
        let stdin = self.child.stdin.take();
        let output = pump(self.child.stdout.take(), to_tenant.make_writer(), limits.output_bytes_max);
        let errors = pump(self.child.stderr.take(), to_tenant.make_writer_ext(Some(1)), limits.output_bytes_max);
        let finished = async {
            tokio::join!(output, errors);
            self.child.wait().await
        };
        let status = tokio::select! {
            status = finished => status.ok(),
            () = feed(from_tenant, stdin) => None,
            () = sleep(limits.command_max) => None,
        };
        if status.is_none() {
            leader.into_iter().for_each(kill_group);
        }
        to_tenant.exit_status(exit_code(status)).await.ok();
        to_tenant.eof().await.ok();
        to_tenant.close().await.ok();
    }
}

async fn pump(from: Option<impl AsyncRead + Unpin>, mut to: impl tokio::io::AsyncWrite + Unpin, bytes_max: u64) {
    if let Some(from) = from {
        tokio::io::copy(&mut from.take(bytes_max), &mut to).await.ok();
    }
}

/// Feeds the command's input; returns when the tenant is gone.
async fn feed(mut from: ChannelReadHalf, mut stdin: Option<ChildStdin>) {
    loop {
        match from.wait().await {
            Some(ChannelMsg::Data { data }) => {
                let written = match stdin.as_mut() {
                    Some(stdin) => stdin.write_all(&data).await,
                    None => Ok(()),
                };
                if written.is_err() {
                    stdin = None;
                }
            }
            Some(ChannelMsg::Eof) => stdin = None,
            Some(ChannelMsg::Close) | None => return,
            Some(_) => {}
        }
    }
}

/// As shells count: 128 and the signal for a killed command.
fn exit_code(status: Option<ExitStatus>) -> u32 {
    use std::os::unix::process::ExitStatusExt;
    let killed = 137;
    let Some(status) = status else { return killed };
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u32::try_from(code).ok()).unwrap_or(killed)
}

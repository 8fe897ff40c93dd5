//! What sshd reads: its configuration and the keys files. Pure text.

use crate::access::{Grants, Keeper, Rental};
use crate::config::Config;
use crate::isolation::{self, Driver};
use russh::keys::PublicKey;
use russh::keys::ssh_key::public::Ed25519PublicKey;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use surety_core::types::{SshKey, UnixSecs};

/// sshd's configuration. `penalties_known`: this sshd knows `PerSourcePenalties` (OpenSSH 9.8 and newer).
pub(super) fn sshd_config(config: &Config, listen: SocketAddr, strict_modes: bool, penalties_known: bool) -> String {
    let state = config.state_dir.display();
    let (tenant, keeper) = (&config.tenant_user, &config.keeper_user);
    let mut lines = vec![
        "# Written by surety-node at every start: changes are lost.".to_owned(),
        format!("HostKey {}", config.host_key.display()),
        format!("ListenAddress {listen}"),
        "PidFile none".to_owned(),
        format!("AuthorizedKeysFile {state}/keys/%u"),
        "AuthenticationMethods publickey".to_owned(),
        "PasswordAuthentication no".to_owned(),
        "KbdInteractiveAuthentication no".to_owned(),
        format!("PermitRootLogin {}", if config.dev { "prohibit-password" } else { "no" }),
        format!("AllowUsers {tenant} {keeper}"),
        format!("StrictModes {}", if strict_modes { "yes" } else { "no" }),
        "UsePAM no".to_owned(),
        "PermitUserEnvironment no".to_owned(),
        "AllowTcpForwarding no".to_owned(),
        "AllowStreamLocalForwarding no".to_owned(),
        "AllowAgentForwarding no".to_owned(),
        "X11Forwarding no".to_owned(),
        // bash reads its start-up files when sshd runs it at shell level 0; a measurement must neither wait for them
        // nor carry what they print.
        format!("SetEnv {}={state} SHLVL=1", crate::processes::MARK),
        "ClientAliveInterval 15".to_owned(),
        "ClientAliveCountMax 4".to_owned(),
        // Keepers look without logging in: neither that nor a hundred idle connections may lock them out.
        "LoginGraceTime 20".to_owned(),
        "MaxStartups 200:30:1000".to_owned(),
        "PerSourceMaxStartups 4".to_owned(),
    ];
    if penalties_known {
        lines.push("PerSourcePenalties no".to_owned());
    }
    // Only the first SetEnv that applies counts. HOME is the tenant's directory, so that what programs leave at home is
    // wiped with it; a keeper's shell finds no start-up files on its way to the forced command.
    let mark = format!("{}={state}", crate::processes::MARK);
    if config.isolation == Driver::Account {
        lines.push(format!("Match User {tenant}"));
        lines.push(format!("    SetEnv {mark} HOME={}", config.tenant_dir().display()));
    } else {
        // Files are carried by the image's own program, in the container: the forced command knows this word.
        lines.push(format!("Subsystem sftp {}", isolation::SFTP));
        lines.push(format!("Match User {tenant}"));
        lines.push(format!("    SetEnv {mark} HOME=/nonexistent"));
    }
    lines.push(format!("Match User {keeper}"));
    lines.push(format!("    SetEnv {mark} HOME=/nonexistent"));
    lines.join("\n") + "\n"
}

/// The keys files, by account: exactly what the grants say. `expires_secs` is the tenant's end on this host's clock.
pub(super) fn keys_files(
    config: &Config,
    grants: &Grants,
    expires_secs: UnixSecs,
    agent: &Path,
) -> BTreeMap<String, String> {
    let accounts = [&config.tenant_user, &config.keeper_user];
    let mut files: BTreeMap<String, String> = accounts.map(|account| (account.clone(), String::new())).into();
    let way_in = |rental: &Rental| match config.isolation {
        Driver::Account => String::new(),
        _ => enter_option(rental, agent, &config.state_dir.join(isolation::SOCKET)),
    };
    let tenant = grants.tenant.map(|rental| {
        let line = tenant_line(&rental, expires_secs, &way_in(&rental));
        (&config.tenant_user, line)
    });
    let socket = config.state_dir.join(super::SOCKET);
    let keepers = grants.keepers.iter().map(|keeper| (&config.keeper_user, keeper_line(keeper, agent, &socket)));
    for (account, line) in tenant.into_iter().chain(keepers) {
        files.entry(account.clone()).or_default().push_str(&line);
    }
    files
}

fn tenant_line(rental: &Rental, expires_secs: UnixSecs, way_in: &str) -> String {
    let key = public(&rental.renter_key);
    format!("{way_in}expiry-time=\"{}\" {key} rental-{}\n", utc(expires_secs), rental.id)
}

/// Nothing on the host but the way into the container. The renter's own line does not come near a shell here: sshd
/// hands it over in the environment.
fn enter_option(rental: &Rental, agent: &Path, socket: &Path) -> String {
    let (agent, socket, id) = (agent.display(), socket.display(), rental.id);
    format!("restrict,pty,command=\"{agent} enter --socket {socket} --rental {id}\",")
}

/// The paths hold nothing that means anything to sshd or a shell: `Config` and the door's start have checked.
fn keeper_line(keeper: &Keeper, agent: &Path, socket: &Path) -> String {
    let (agent, socket, key) = (agent.display(), socket.display(), keeper.ssh_key);
    let command = format!("{agent} prove --socket {socket} --keeper {key}");
    format!("restrict,command=\"{command}\" {} keeper-{}\n", public(&keeper.ssh_key), keeper.account)
}

fn public(key: &SshKey) -> String {
    // An ed25519 key always has an OpenSSH form; an empty line lets nobody in.
    PublicKey::from(Ed25519PublicKey(key.0)).to_openssh().unwrap_or_default()
}

/// `YYYYMMDDHHMMSSZ`, the form of `expiry-time` since OpenSSH 9.1. Days to a date as in "chrono-Compatible Low-Level
/// Date Algorithms" (H. Hinnant): years begin in March, 400 of them have 146,097 days.
fn utc(secs: UnixSecs) -> String {
    let (days, rest) = (secs / 86_400, secs % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}{month:02}{day:02}{:02}{:02}{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::tests::ON_HOST;

    const CONTAINER: &str = r#"
        isolation = "docker"
        container = { engine = "/usr/bin/docker", image = "a", memory_mib = 64, cpus = 1, network = "none" }
    "#;

    fn tenants_file(config: &str) -> String {
        let rental = Rental { id: 7, renter_key: SshKey([1; 32]), until_secs: 9 };
        let grants = Grants { tenant: Some(rental), left_secs: 5, ..Grants::default() };
        let config: Config = toml::from_str(config).unwrap();
        keys_files(&config, &grants, 0, Path::new("/usr/local/bin/surety-node")).remove("tenant").unwrap()
    }

    #[test]
    fn a_renter_with_a_container_gets_nothing_of_the_host_but_the_way_into_it() {
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB rental-7\n";
        let plain = format!("expiry-time=\"19700101000000Z\" {key}");
        assert_eq!(tenants_file(ON_HOST), plain);
        let way_in = "restrict,pty,command=\"/usr/local/bin/surety-node enter --socket /var/lib/surety/enter.sock \
                      --rental 7\",";
        assert_eq!(tenants_file(&format!("{ON_HOST}{CONTAINER}")), format!("{way_in}{plain}"));
    }

    #[test]
    fn files_are_carried_into_containers_only() {
        let text = |config: &str| {
            let config: Config = toml::from_str(config).unwrap();
            sshd_config(&config, config.listen, true, true)
        };
        assert!(!text(ON_HOST).contains("Subsystem"));
        let with_container = text(&format!("{ON_HOST}{CONTAINER}"));
        assert!(with_container.contains("\nSubsystem sftp surety-sftp\nMatch User tenant\n"), "{with_container}");
        assert!(!with_container.contains("HOME=/var/lib/surety/tenant"));
    }

    #[test]
    fn times_are_written_as_openssh_reads_them() {
        let known = [
            (0, "19700101000000Z"),
            (951_782_400, "20000229000000Z"),
            (1_700_000_000, "20231114221320Z"),
            (1_709_251_199, "20240229235959Z"),
            (4_102_444_800, "21000101000000Z"),
        ];
        for (secs, text) in known {
            assert_eq!(utc(secs), text);
        }
    }
}

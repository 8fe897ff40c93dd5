//! What `surety-node doctor` wants to know about sshd: nothing here changes anything.

use super::system::{self, OpensshError};
use crate::config::Config;
use crate::reconcile::error_chain;
use std::path::Path;
use tokio::process::Command;

/// One thing that was looked at: what is well, or what is wrong and what to do.
#[derive(Debug)]
pub struct Verdict {
    /// What was looked at.
    pub item: &'static str,
    /// How it is.
    pub state: Result<String, String>,
}

/// Looks at sshd, the accounts, the way to the keys files, the agent's configuration of sshd as sshd understands it,
/// and the host's own sshd.
pub async fn inspect(config: &Config, agent: &Path) -> Vec<Verdict> {
    let Some(sshd) = system::find_sshd() else {
        return vec![verdict("sshd", Err(OpensshError::NotInstalled.to_string()))];
    };
    let checked = system::check(config, &sshd, agent).await;
    let told = format!("{} lets {} and {} in", sshd.display(), config.tenant_user, config.keeper_user);
    vec![
        verdict("sshd", checked.map(|_| told).map_err(|error| error_chain(&error))),
        verdict("keys files", keys_files(config)),
        verdict("sshd configuration", effective(config, &sshd).await),
        verdict("the host's own sshd", own_sshd(config, &sshd).await),
    ]
}

fn verdict(item: &'static str, state: Result<String, String>) -> Verdict {
    Verdict { item, state }
}

/// Whoever may write above the keys files lets in whom they like.
fn keys_files(config: &Config) -> Result<String, String> {
    let keys = config.state_dir.join("keys");
    let existing = keys.ancestors().find(|path| path.exists()).unwrap_or(&keys);
    match system::loose_ancestor(existing) {
        Some(path) if !config.dev => Err(OpensshError::Loose(path).to_string()),
        Some(path) => Ok(format!("{} can be written by others, which development allows", path.display())),
        None => Ok(format!("{} is out of tenants' reach", keys.display())),
    }
}

/// What keepers' looks and renters' safety need, as `sshd -T` prints it.
fn wanted(config: &Config) -> Vec<(&'static str, String)> {
    let mut wanted = vec![
        ("authorizedkeysfile", format!("{}/keys/%u", config.state_dir.display())),
        ("passwordauthentication", "no".into()),
        ("kbdinteractiveauthentication", "no".into()),
        ("permituserenvironment", "no".into()),
        ("allowtcpforwarding", "no".into()),
        ("logingracetime", "20".into()),
        ("maxstartups", "200:30:1000".into()),
        ("persourcemaxstartups", "4".into()),
    ];
    if !config.dev {
        wanted.push(("permitrootlogin", "no".into()));
        wanted.push(("strictmodes", "yes".into()));
    }
    wanted
}

async fn effective(config: &Config, sshd: &Path) -> Result<String, String> {
    let path = system::config_path(config);
    if !path.exists() {
        return Ok("not written yet, the agent writes it at its start".into());
    }
    let shown = path.display();
    let settings = settings(Command::new(sshd).arg("-T").arg("-f").arg(&path)).await;
    let settings = settings.map_err(|why| format!("sshd does not take {shown}: {why}; restart the agent"))?;
    for (name, want) in wanted(config) {
        let found = value(&settings, name);
        if found != Some(want.as_str()) {
            let found = found.unwrap_or("not set");
            return Err(format!(
                "{name} in {shown} is {found}, wanted is {want}: restart the agent, it writes it anew"
            ));
        }
    }
    // Versions before 9.8 have no penalties and do not print them.
    match value(&settings, "persourcepenalties") {
        None | Some("no") => Ok(format!("{shown} says what keepers and renters need")),
        Some(_) => Err(format!("persourcepenalties in {shown} would lock keepers out: restart the agent")),
    }
}

/// A tenant can write their own `~/.ssh/authorized_keys`: an sshd that reads it lets them in past the agent.
async fn own_sshd(config: &Config, sshd: &Path) -> Result<String, String> {
    if config.dev || !Path::new("/etc/ssh/sshd_config").exists() {
        return Ok("not looked at".into());
    }
    let mut command = Command::new(sshd);
    command.arg("-T").arg("-C").arg(format!("user={},host=localhost,addr=127.0.0.1", config.tenant_user));
    match settings(&mut command).await {
        Ok(settings) if lets_in(&settings, &config.tenant_user) => Err(format!(
            "it would let {} in past the agent: put scripts/sshd/host.conf into /etc/ssh/sshd_config.d/ (with this \
             machine's account names) and reload sshd",
            config.tenant_user
        )),
        Ok(_) => Ok(format!("refuses {}", config.tenant_user)),
        Err(_) => Ok("none is set up".into()),
    }
}

/// Whether these settings let an account in. Patterns are left out: a doubt is told.
fn lets_in(settings: &[(String, String)], user: &str) -> bool {
    let lists = |name: &str| settings.iter().any(|(key, value)| key == name && value.split(' ').any(|one| one == user));
    let has_allow = settings.iter().any(|(key, _)| key == "allowusers");
    !lists("denyusers") && (!has_allow || lists("allowusers"))
}

async fn settings(command: &mut Command) -> Result<Vec<(String, String)>, String> {
    let output = system::run(command).await.map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().chars().take(300).collect());
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let pair = |line: &str| line.split_once(' ').map(|(key, value)| (key.to_lowercase(), value.trim().to_owned()));
    Ok(text.lines().filter_map(pair).collect())
}

fn value<'a>(settings: &'a [(String, String)], name: &str) -> Option<&'a str> {
    settings.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(lines: &[&str]) -> Vec<(String, String)> {
        lines.iter().filter_map(|line| line.split_once(' ')).map(|(k, v)| (k.into(), v.into())).collect()
    }

    #[test]
    fn an_sshd_that_does_not_name_the_tenant_lets_them_in() {
        assert!(lets_in(&parsed(&["port 22"]), "tenant"));
        assert!(lets_in(&parsed(&["denyusers other"]), "tenant"));
        assert!(lets_in(&parsed(&["allowusers tenant"]), "tenant"));
        assert!(!lets_in(&parsed(&["allowusers admin"]), "tenant"));
        assert!(!lets_in(&parsed(&["denyusers other tenant"]), "tenant"));
        assert!(!lets_in(&parsed(&["denyusers other", "denyusers tenant"]), "tenant"));
    }
}

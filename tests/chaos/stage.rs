//! One Worker on workerd, a Box and a KV of its own, and the people who use it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use keyhole_core::seal::SealKeys;
use keyhole_core::secret::MasterKey;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::caller::{Manner, Site};
use crate::clock::eventually;
use crate::failure::{Outcome, While as _, said};
use crate::line::Tally;
use crate::local_box::{Issued, LocalBox};
use crate::local_kv::LocalKv;
use crate::moments::Moments;
use crate::serve;
use crate::session::{Session, Told};
use crate::stored::{Reader, Row};
use crate::window::{Holding, Mode};
use crate::workerd::{NAMESPACE, Setup, Workerd};

/// workerd compiles the Worker at each start; a busy machine takes its time.
const STARTS_WITHIN: Duration = Duration::from_secs(60);
/// Somebody who was told to come again does so after this long at first, and then after twice as long each time.
const COME_AGAIN: Duration = Duration::from_millis(250);
const COME_AGAIN_MAX: Duration = Duration::from_secs(2);
/// Files that sessions ask for.
const FILES: usize = 10;

/// Where the parts of a stage come from.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) workerd: PathBuf,
    pub(crate) build: PathBuf,
    pub(crate) assets: PathBuf,
    pub(crate) wrangler: PathBuf,
}

/// See the module. Dropping it ends workerd.
pub(crate) struct Stage {
    pub(crate) mode: Mode,
    /// How long access tokens live.
    pub(crate) life: Duration,
    pub(crate) site: Site,
    pub(crate) local_box: Arc<LocalBox>,
    pub(crate) kv: Arc<LocalKv>,
    pub(crate) moments: Arc<Moments>,
    pub(crate) workerd: Workerd,
    pub(crate) reader: Reader,
    /// Typed ids of files at Box.
    pub(crate) files: Vec<String>,
    /// Outlives workerd.
    _home: TempDir,
}

/// How it ended for somebody who kept asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AtLast {
    Served,
    Ended(String),
    /// Not in time; what was heard last.
    Stuck(String),
}

impl Stage {
    /// Starts everything. Access tokens live `life_seconds`, so that they end while a scenario watches: workerd's
    /// clock cannot be moved.
    ///
    /// # Errors
    /// Something does not start.
    pub(crate) async fn set(parts: &Parts, mode: Mode, seed: u64, life_seconds: u64) -> Outcome<Self> {
        let home = tempfile::tempdir().or_say("making a directory")?;
        let moments = Arc::new(Moments::default());
        let (box_listener, box_address) = serve::listen().await?;
        let local_box = Arc::new(LocalBox::new(box_address, mode, life_seconds, seed, Arc::clone(&moments)));
        tokio::spawn(serve::serve(box_listener, Arc::clone(&local_box)));
        let (kv_listener, kv_address) = serve::listen().await?;
        let kv = Arc::new(LocalKv::new(Arc::clone(&moments)));
        tokio::spawn(serve::serve(kv_listener, Arc::clone(&kv)));

        let (listener, address) = serve::listen().await?;
        let listener = listener.into_std().or_say("handing the socket on")?;
        let site = Site { address, origin: format!("http://localhost:{}", address.port()) };
        let mut master = [0_u8; 32];
        getrandom::fill(&mut master).or_say("asking the system for randomness")?;
        let seal_keys = format!("chaos:{}", MasterKey::new(master).expose_text());
        let mut settings = local_box.settings();
        settings.extend([
            ("PUBLIC_ORIGIN", site.origin.clone()),
            ("SEAL_KEYS", seal_keys.clone()),
            ("NEW_ITEMS_PER_MINUTE", "1000000".to_owned()),
            ("NEW_ITEMS_PER_DAY", "1000000".to_owned()),
        ]);
        let setup = Setup {
            workerd: parts.workerd.clone(),
            build: parts.build.clone(),
            assets: parts.assets.clone(),
            wrangler: parts.wrangler.clone(),
            home: home.path().to_owned(),
            kv: kv_address.to_string(),
            settings,
        };
        let workerd = Workerd::start(setup, listener)?;
        let keys = SealKeys::parse(&seal_keys).or_say("making a sealing key")?;
        let reader = Reader::new(keys, workerd.objects(), NAMESPACE.to_owned());
        let life = Duration::from_secs(life_seconds);
        let files = Vec::new();
        let mut stage =
            Self { mode, life, site, local_box, kv, moments, workerd, reader, files, _home: home };
        stage.wait_for_health().await?;
        stage.files = stage.look_for_files().await?;
        Ok(stage)
    }

    async fn wait_for_health(&self) -> Outcome {
        let healthy = eventually(STARTS_WITHIN, async || {
            let answer = self.site.send("GET", "/healthz", None, Manner::Navigation).await.ok()?;
            (answer.status == 200).then_some(())
        });
        match healthy.await {
            Some(()) => Ok(()),
            None => {
                let log = std::fs::read_to_string(self.workerd.log()).unwrap_or_default();
                said(format!("the Worker is not healthy. workerd said:\n{log}"))
            }
        }
    }

    async fn look_for_files(&self) -> Outcome<Vec<String>> {
        let scout = self.sign_in().await?;
        let (mut files, mut folders) = (Vec::new(), vec!["0".to_owned()]);
        while let Some(folder) = folders.pop().filter(|_| files.len() < FILES) {
            let page = scout.folder(&folder).await?;
            for entry in page.get("entries").and_then(Value::as_array).into_iter().flatten() {
                let text = |name: &str| entry.get(name).and_then(Value::as_str);
                match (text("type"), text("id")) {
                    (Some("folder"), Some(id)) => folders.push(id.to_owned()),
                    (Some("file"), Some(id)) => files.push(format!("file_{id}")),
                    _ => {}
                }
            }
        }
        if files.len() < FILES {
            return said("the sample account has too few files");
        }
        Ok(files)
    }

    /// A new session.
    ///
    /// # Errors
    /// Signing in does not work.
    pub(crate) async fn sign_in(&self) -> Outcome<Session> {
        Session::sign_in(&self.site, &self.local_box, self.life).await
    }

    /// So many new sessions.
    ///
    /// # Errors
    /// Signing in does not work.
    pub(crate) async fn sign_in_all(&self, count: usize) -> Outcome<Vec<Session>> {
        let mut sessions = Vec::new();
        for _ in 0..count {
            sessions.push(self.sign_in().await?);
        }
        Ok(sessions)
    }

    /// A file, by any number.
    pub(crate) fn file(&self, number: usize) -> &str {
        self.files.iter().cycle().nth(number % FILES).map_or("", String::as_str)
    }

    /// Asks until there is a token, the session is over, or `limit` is.
    pub(crate) async fn ask_until(
        &self,
        session: &mut Session,
        file: &str,
        limit: Duration,
        tally: &mut Tally,
    ) -> AtLast {
        let over = Instant::now() + limit;
        let mut pause = COME_AGAIN;
        loop {
            let words = match session.ask(file).await {
                Told::Served(token) => {
                    if !self.local_box.takes(&token, file) {
                        tally.broken(format!("a token for {file} was handed out that Box does not take"));
                    }
                    session.renewed(self.life);
                    return AtLast::Served;
                }
                Told::Ended(reason) => return AtLast::Ended(reason),
                Told::Wait(words) => words,
                Told::Nonsense(words) => {
                    tally.broken(words.clone());
                    words
                }
            };
            tally.errors_seen += 1;
            if Instant::now() >= over {
                return AtLast::Stuck(words);
            }
            sleep(pause).await;
            pause = (pause * 2).min(COME_AGAIN_MAX);
        }
    }

    /// The refresh tokens that Box ever issued for a session, oldest first.
    ///
    /// # Errors
    /// Box's ledger cannot be read, or knows none.
    pub(crate) fn refresh_tokens(&self, session: &Session) -> Outcome<Vec<Issued>> {
        let mut family = self.local_box.family(&session.code)?;
        family.retain(|issued| issued.kind == "refresh");
        if family.is_empty() { said("Box has issued no refresh token for a session") } else { Ok(family) }
    }

    /// Who holds Box's newest pair of a session. `row` is the last that is known of it.
    ///
    /// # Errors
    /// Box's ledger or a copy cannot be read.
    pub(crate) fn holding(&self, session: &Session, row: Option<&Row>) -> Outcome<Holding> {
        let mut tokens = self.refresh_tokens(session)?;
        let Some(newest) = tokens.pop() else { return Ok(Holding::default()) };
        let old = tokens.iter().find(|token| newest.parent.as_ref() == Some(&token.value));
        let mut copied = false;
        for copy in self.kv.copies(&session.keeper) {
            copied |= self.reader.copy(session, &copy)?.refresh == newest.value;
        }
        Ok(Holding {
            old_token_is_dead: old.is_some_and(|old| old.state != "live"),
            copied,
            saved: row.and_then(|row| row.refresh.as_ref()) == Some(&newest.value),
        })
    }

    /// Whether the loss of this session is excused, should it be lost: the design's one window.
    ///
    /// # Errors
    /// Who holds its pair cannot be told.
    pub(crate) fn is_excused(&self, session: &Session, row: Option<&Row>) -> Outcome<bool> {
        Ok(self.mode == Mode::Strict && self.holding(session, row)?.is_in_window())
    }

    /// Counts a session that ended though nobody had ended it.
    ///
    /// # Errors
    /// Who held its pair cannot be told.
    pub(crate) fn mourn(
        &self,
        session: &Session,
        row: Option<&Row>,
        reason: &str,
        tally: &mut Tally,
    ) -> Outcome {
        // In words, also where it is excused.
        if reason == "rotation_lost" && self.is_excused(session, row)? {
            tally.lost_in_window += 1;
        } else {
            tally.lost += 1;
            let holding = self.holding(session, row)?;
            tally.broken(format!("a session was lost ({reason}, {holding:?})"));
        }
        Ok(())
    }

    /// Whether nothing that Box ever issued for a session is alive.
    ///
    /// # Errors
    /// Box's ledger cannot be read.
    pub(crate) fn is_over_at_box(&self, session: &Session) -> Outcome<bool> {
        Ok(self.local_box.family(&session.code)?.iter().all(|issued| issued.state != "live"))
    }

    /// Whether nothing lives but the newest pair, unused, while the refresh token that brought it is dead.
    ///
    /// # Errors
    /// Box's ledger cannot be read.
    pub(crate) fn only_a_lost_pair_lives(&self, session: &Session) -> Outcome<bool> {
        let family = self.local_box.family(&session.code)?;
        let newest =
            family.iter().rfind(|issued| issued.kind == "refresh").and_then(|issued| issued.parent.as_ref());
        let before = family.iter().find(|issued| newest == Some(&issued.value));
        let is_of_the_pair = |issued: &&Issued| issued.parent.as_ref() == newest && issued.kind != "child";
        Ok(self.mode == Mode::Strict
            && before.is_some_and(|before| before.kind == "refresh" && before.state != "live")
            && family.iter().filter(|issued| issued.state == "live").all(|issued| is_of_the_pair(&issued)))
    }

    /// Changes how long Box's access tokens live from now on.
    ///
    /// # Errors
    /// The emulator refuses.
    pub(crate) fn set_life(&mut self, seconds: u64) -> Outcome {
        self.life = Duration::from_secs(seconds);
        self.local_box.set(&json!({"access_token_seconds": seconds}))
    }
}

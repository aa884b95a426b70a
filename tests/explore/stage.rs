//! The one session that is explored: its settings, its keeper's name and its cookie.

use std::{collections::BTreeMap, rc::Rc};

use keyhole_core::{
    config::{Config, ConfigFaults},
    keeper::{KeeperName, Settings},
    secret::{MasterKey, SessionSecret, State},
};

use crate::{eye::Eye, ledger::Rotation, twist::Twist};

/// When every exploration begins: milliseconds since the epoch.
pub(crate) const START_MS: u64 = 1_800_000_000_000;

/// What does not change while a schedule runs.
pub(crate) struct Stage {
    pub(crate) settings: Rc<Settings>,
    pub(crate) name: KeeperName,
    pub(crate) secret: SessionSecret,
    pub(crate) rotation: Rotation,
    /// How long Box's refresh tokens live, unused.
    pub(crate) refresh_seconds: u64,
    pub(crate) twist: Twist,
}

/// Box's own: 60 days.
const REFRESH_SECONDS: u64 = 60 * 86_400;

impl Stage {
    /// With the settings that Keyhole has by itself.
    ///
    /// # Errors
    /// The settings do not parse; the text names them.
    pub(crate) fn new(rotation: Rotation, twist: Twist) -> Result<Self, String> {
        Self::with(rotation, twist, REFRESH_SECONDS, &[])
    }

    /// With some settings changed.
    ///
    /// # Errors
    /// The settings do not parse; the text names them.
    pub(crate) fn with(
        rotation: Rotation,
        twist: Twist,
        refresh_seconds: u64,
        changes: &[(&str, &str)],
    ) -> Result<Self, String> {
        let key = format!("k1:{}", MasterKey::new([1; 32]).expose_text());
        let mut variables = BTreeMap::from([
            ("PUBLIC_ORIGIN", "http://localhost:8787"),
            ("BOX_CLIENT_ID", "app"),
            ("BOX_CLIENT_SECRET", "app-secret"),
            ("SEAL_KEYS", key.as_str()),
        ]);
        variables.extend(changes.iter().copied());
        let config = Config::parse(|name| variables.get(name).map(|value| (*value).to_owned()));
        let settings = config.map_err(|faults: ConfigFaults| format!("{faults:?}"))?.keeper;
        Ok(Self {
            settings: Rc::new(settings),
            name: KeeperName::of(&State::new([9; 32])),
            secret: SessionSecret::new([7; 32]),
            rotation,
            refresh_seconds,
            twist,
        })
    }

    /// What sees through the seals of this session.
    pub(crate) fn eye(&self) -> Eye<'_> {
        Eye { settings: &self.settings, name: &self.name, secret: &self.secret }
    }
}

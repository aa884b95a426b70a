//! The stage, and who acts on it.

pub(crate) mod answer;
pub(crate) mod browser;
pub(crate) mod clock;
pub(crate) mod disk;
pub(crate) mod local_box;
pub(crate) mod own_worker;
pub(crate) mod stage;
pub(crate) mod worker_log;

pub(crate) use answer::Answer;
pub(crate) use browser::Browser;
pub(crate) use clock::{eventually, pass};
pub(crate) use stage::{Worker, alone, sample_files, together};

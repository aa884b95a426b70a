//! Tokens in a file of your own, with memory in front: they survive a restart, and two users of the file refresh
//! them once.
//!
//! ```text
//! cargo run -p keyhole-native-tests --example file_storage -- DIRECTORY
//! ```
//!
//! Run it twice with the same directory. Box is the emulator, inside this program. `file.rs` is the part to copy;
//! `local_box.rs` is what your HTTP client, your clock and your runtime are in life.

mod file;
mod local_box;

use std::{
    env,
    error::Error,
    fs,
    path::Path,
    pin::pin,
    sync::Barrier,
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use keyhole_core::{
    box_api::{self, BoxApp},
    seal::SealKeys,
    secret::{AuthorizationCode, PkceVerifier},
    storage::{Access, Holder, HolderFault, Remembered, Storage},
};
use serde_json::{Value, json};

use crate::{file::FileStorage, local_box::LocalBox};

/// Worth nothing. Yours is made by `cargo xtask keys` and lies neither in a source nor beside what it seals.
const SEAL_KEYS: &str = "k1:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";

fn main() -> Result<(), Box<dyn Error>> {
    let Some(home) = env::args().nth(1) else {
        return Err("name a directory to keep the tokens in".into());
    };
    let home = Path::new(&home);
    fs::create_dir_all(home)?;
    let world = World {
        outside: LocalBox::open(&home.join("box.json"))?,
        app: LocalBox::app()?,
        keys: SealKeys::parse(SEAL_KEYS)?,
    };
    let file = FileStorage::at(home.join("tokens.json"));
    let storage = Remembered::new(&file);
    let holder = world.holder(&storage);

    match done(holder.retrieve()) {
        Ok(_) => println!("The tokens of the last run are there, and good: no sign-in, no call to Box."),
        Err(HolderFault::SignedOut) => {
            println!("Nobody is signed in. Robin signs in.");
            done(holder.sign_in(&world.code()?, &PkceVerifier::new("Box has no PKCE yet")))?;
        }
        Err(fault) => return Err(fault.into()),
    }
    world.greet(&done(holder.retrieve())?)?;
    println!("The file holds generation {}, sealed.", generation(&file)?);

    println!("Two hours pass. Two who share the file want a token at the same moment.");
    world.outside.pass(Duration::from_secs(2 * 3600))?;
    let [one, other] = world.two_at_once(&file)?;
    world.greet(&one)?;
    world.greet(&other)?;
    let which = if one.token.expose() == other.token.expose() { "the same" } else { "another" };
    println!("Both have {which} token. The file holds generation {}.", generation(&file)?);

    let (sign_ins, refreshes) =
        (world.outside.asked_for("authorization_code")?, world.outside.asked_for("refresh_token")?);
    println!("In this run Box saw sign-ins: {sign_ins}, refreshes: {refreshes}.");
    Ok(())
}

/// All that does not depend on who asks.
struct World {
    outside: LocalBox,
    app: BoxApp,
    keys: SealKeys,
}

impl World {
    fn holder<'a, T: Storage>(&'a self, storage: &'a T) -> Holder<'a, T, LocalBox> {
        let Self { outside, app, keys } = self;
        Holder { storage, shell: outside, app, keys, name: "robin@example.com", secret: None }
    }

    /// In life: `box_api::authorize_url`, a browser, and the `code` with which Box sends it back.
    fn code(&self) -> Result<AuthorizationCode, Box<dyn Error>> {
        let granted = self.outside.control("POST", "grant", &json!({}))?;
        Ok(AuthorizationCode::new(granted.get("code").and_then(Value::as_str).ok_or("Box grants nothing")?))
    }

    /// Two threads, each with a memory of its own, as two processes would have.
    fn two_at_once(&self, file: &FileStorage) -> Result<[Access; 2], Box<dyn Error>> {
        let together = Barrier::new(2);
        let one_of_two = || {
            let storage = Remembered::new(file);
            done(storage.get())?;
            together.wait();
            done(self.holder(&storage).retrieve())
        };
        let outcomes =
            thread::scope(|scope| [scope.spawn(one_of_two), scope.spawn(one_of_two)].map(|user| user.join()));
        let [one, other] = outcomes.map(|outcome| outcome.map_err(|_| "a thread has died"));
        Ok([one??, other??])
    }

    /// Uses a token.
    fn greet(&self, access: &Access) -> Result<(), Box<dyn Error>> {
        let answer = self.outside.answer(box_api::current_user(&self.app, &access.token))?;
        println!("Box says that this is {}.", box_api::judge_user(Ok(answer))?.name);
        Ok(())
    }
}

fn generation(file: &FileStorage) -> Result<u64, Box<dyn Error>> {
    Ok(done(file.get())?.generation().number())
}

/// Here a future is done when it is asked the first time, because what waits in this program sleeps. In life this is
/// your runtime's `block_on`, or `.await`.
fn done<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
        thread::yield_now();
    }
}

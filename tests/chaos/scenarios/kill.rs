//! workerd dies at every instant of a rotation. Where death struck is read from what Box and KV had seen and from the
//! object's file, not from what was aimed at.
//!
//! What cannot be held is aimed at by the clock: nothing outside the Worker sees the instant between the caller's
//! request and Box's. Whether the attempt's row was durable by then is read from the file
//! (`unsent_with_attempt`).

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::{InDoubt, Plan, SERVES_WITHIN, Turn, heed, resolve, see_revoked};
use crate::failure::{OrSaid as _, Outcome};
use crate::line::Tally;
use crate::local_kv::Mood;
use crate::moments::{Held, Moment, Trap};
use crate::schedule::{self, Aim, Kill};
use crate::session::{Session, Told};
use crate::stage::{AtLast, Stage};
use crate::stored::Row;
use crate::window::{Death, Window};

const LIFE_SECONDS: u64 = 6;
/// A run of so many rounds proves something about every window, so each must have been hit this often.
const FULL_RUN: usize = 300;
const HITS_MIN: u64 = 20;
/// A moment that does not come is missed after this; death strikes all the same.
const CAUGHT_WITHIN: Duration = Duration::from_secs(3);
/// What a dead process had under way at Box and in KV has ended by then.
const DUST_SETTLES: Duration = Duration::from_millis(300);
/// From the first rotation's request to the last answer it leads to, roughly.
const WHOLE_WAY: Duration = Duration::from_millis(130);

pub(super) async fn run(plan: &Plan, turn: Turn) -> Outcome<Tally> {
    let stage = Stage::set(&plan.parts, plan.mode, plan.seed, LIFE_SECONDS).await?;
    let mut run = Run::begin(&stage, plan).await?;
    for (number, kill) in schedule::kills(plan.seed, plan.rounds, plan.sessions).iter().enumerate() {
        run.round(number, kill).await?;
    }
    drop(turn);
    let Run { in_doubt, signed_out, puts_seen, puts_after_row, mut tally, .. } = run;
    // A machine that stalls for half a second may bring one about.
    if puts_after_row * 4 > puts_seen {
        tally.broken(format!("of {puts_seen} puts into KV {puts_after_row} came after the row"));
    }
    for window in Window::ALL.map(Window::name) {
        let hits = tally.counted(window);
        if plan.rounds >= FULL_RUN && hits < HITS_MIN {
            tally.broken(format!("{window} was hit {hits} times only"));
        }
    }
    resolve(&stage, in_doubt, &mut tally).await?;
    see_revoked(&stage, &[], &signed_out, &mut tally).await;
    tally.refreshes = stage.local_box.refreshes();
    Ok(tally)
}

struct Run<'a> {
    stage: &'a Stage,
    sessions: Vec<Session>,
    in_doubt: Vec<InDoubt>,
    signed_out: Vec<Session>,
    /// From a caller's request to Box's, as seen last.
    lead: Duration,
    /// Deaths at a put of the pair, and how many of those found the row written already.
    puts_seen: usize,
    puts_after_row: usize,
    tally: Tally,
}

/// A death, and what it left behind.
struct Blow {
    row: Option<Row>,
    death: Death,
    died_at: Instant,
}

impl<'a> Run<'a> {
    async fn begin(stage: &'a Stage, plan: &Plan) -> Outcome<Self> {
        let mut tally = Tally { rounds: plan.rounds, sessions: plan.sessions, ..Tally::default() };
        // All of them in the line, in the table's order.
        for window in Window::ALL {
            tally.count(window.name(), 0);
        }
        let sessions = stage.sign_in_all(plan.sessions).await?;
        Ok(Self {
            stage,
            sessions,
            in_doubt: Vec::new(),
            signed_out: Vec::new(),
            lead: Duration::from_millis(20),
            puts_seen: 0,
            puts_after_row: 0,
            tally,
        })
    }

    async fn round(&mut self, number: usize, kill: &Kill) -> Outcome {
        let stage = self.stage;
        let session = self.sessions.get(kill.session).cloned().or_said("a session that is not there")?;
        session.due().await;
        stage.kv.set_mood(kill.mood);
        stage.moments.begin();
        let (mut callers, blow) = self.strike(&session, kill).await?;
        self.note(number, kill, &blow);
        stage.kv.set_mood(Mood::GOOD);
        stage.moments.begin();
        stage.workerd.restart()?;
        while let Some(told) = callers.join_next().await {
            self.tally.errors_seen += u64::from(!matches!(told, Ok(Told::Served(_))));
        }
        if blow.death.signed_out {
            self.stays_signed_out(kill.session, session).await
        } else {
            self.comes_back(number, kill.session, session, blow).await
        }
    }

    /// Lets a rotation come as far as it is to come, and kills workerd. The callers are still to be heard: those that it
    /// had not yet accepted wait for the next one.
    async fn strike(&mut self, session: &Session, kill: &Kill) -> Outcome<(JoinSet<Told>, Blow)> {
        let stage = self.stage;
        let before = stage.refresh_tokens(session)?.len();
        let (callers, held) = self.rotate(session, kill).await;
        let signed_out = kill.aim == Aim::SignedOut && session.sign_out().await;
        stage.workerd.kill()?;
        let died_at = Instant::now();
        let seen = stage.moments.died(kill.fates);
        drop(held);
        stage.moments.settled(DUST_SETTLES).await;

        let row = stage.reader.row(session)?;
        let tokens = stage.refresh_tokens(session)?;
        let newest = tokens.last().map(|token| &token.value).filter(|_| tokens.len() > before);
        let held_by_row = row.as_ref().and_then(|row| row.refresh.as_ref());
        let death = Death {
            reached_box: stage.moments.seen().contains(&Moment::RefreshArrived),
            seen,
            row_has_new_pair: newest.is_some() && held_by_row == newest,
            signed_out,
        };
        Ok((callers, Blow { row, death, died_at }))
    }

    /// Counts where death struck, and looks at what it found.
    fn note(&mut self, number: usize, kill: &Kill, blow: &Blow) {
        let window = Window::of(&blow.death);
        self.tally.count(window.name(), 1);
        let Some(row) = &blow.row else { return };
        if window == Window::Unsent && row.attempt {
            self.tally.count("unsent_with_attempt", 1);
        }
        if window == Window::Saved && row.kv_owed {
            self.tally.count("saved_and_owed", 1);
        }
        if blow.death.row_has_new_pair && row.attempt {
            self.tally.broken(format!("round {number}: the row took the pair and left its attempt open"));
        }
        if matches!(kill.aim, Aim::At(Moment::PutArrived | Moment::PutLanded)) {
            self.puts_seen += 1;
            self.puts_after_row += usize::from(blow.death.row_has_new_pair);
        }
    }

    /// It serves again, or there is a reason why it need not; then somebody else signs in.
    async fn comes_back(&mut self, number: usize, place: usize, mut session: Session, blow: Blow) -> Outcome {
        let stage = self.stage;
        let Blow { row, died_at, .. } = blow;
        let excused = stage.is_excused(&session, row.as_ref())?;
        let limit = if excused { Duration::ZERO } else { SERVES_WITHIN };
        let at_last = stage.ask_until(&mut session, stage.file(number), limit, &mut self.tally).await;
        if at_last == AtLast::Served {
            return self.go_on(place, session);
        }
        let doubt = InDoubt { session, row, died_at };
        match &at_last {
            AtLast::Stuck(_) if excused => self.in_doubt.push(doubt),
            AtLast::Ended(reason) if excused => doubt.ended(stage, reason, &mut self.tally)?,
            _ => heed(stage, &doubt.session, doubt.row.as_ref(), &at_last, &mut self.tally)?,
        }
        let fresh = stage.sign_in().await?;
        self.go_on(place, fresh)
    }

    /// Callers come, and the rotation they bring about reaches the instant at which death is to strike.
    async fn rotate(&mut self, session: &Session, kill: &Kill) -> (JoinSet<Told>, Option<Held>) {
        let stage = self.stage;
        let caught = kill.aim.moment().map(|moment| {
            let keeper = session.keeper.clone();
            (moment, stage.moments.set(Trap { moment, keeper, pause: kill.pause }))
        });
        let began = Instant::now();
        let mut callers = JoinSet::new();
        for _ in 0..kill.callers {
            let (session, file) = (session.clone(), stage.file(kill.session).to_owned());
            callers.spawn(async move { session.ask(&file).await });
        }
        let Some((moment, caught)) = caught else {
            // Short of what it took before: what comes too late falls into the next window.
            let way = if kill.aim == Aim::Unsent { self.lead.mul_f64(0.65) } else { self.lead + WHOLE_WAY };
            sleep(way.mul_f64(kill.part)).await;
            return (callers, None);
        };
        let held = timeout(CAUGHT_WITHIN, caught).await.ok().and_then(Result::ok);
        if held.is_none() {
            self.tally.broken(format!("{moment:?} did not come: the order of a rotation is another"));
        } else if kill.aim == Aim::At(Moment::RefreshArrived) {
            self.lead = began.elapsed().saturating_sub(kill.pause);
        }
        (callers, held)
    }

    /// Death came after a sign-out: it stays signed out, and somebody else signs in.
    async fn stays_signed_out(&mut self, place: usize, mut session: Session) -> Outcome {
        let stage = self.stage;
        let at_last = stage.ask_until(&mut session, stage.file(0), SERVES_WITHIN, &mut self.tally).await;
        if at_last != AtLast::Ended("signed_out".to_owned()) {
            self.tally.broken(format!("a session that was signed out: {at_last:?}"));
        }
        self.signed_out.push(session);
        let fresh = stage.sign_in().await?;
        self.go_on(place, fresh)
    }

    fn go_on(&mut self, place: usize, session: Session) -> Outcome {
        *self.sessions.get_mut(place).or_said("a session that is not there")? = session;
        Ok(())
    }
}

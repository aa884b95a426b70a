//! KV: workerd's binding speaks HTTP to a service, and this is that service, with memory and with moods.
//!
//! `GET`, `PUT` and `DELETE` of `/{key}?urlencoded=true`; a miss is 404. Expiry is not kept: no scenario lasts as long
//! as a copy.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use tokio::time::sleep;

use crate::moments::{Fate, Moment, Moments};
use crate::serve::Answers;

/// Keys of grants' copies begin with this; logins under way are left in peace.
const COPY: &str = "grant:";

/// What goes wrong when a copy is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PutMood {
    Good,
    /// It lands and is confirmed after this long.
    Slow(Duration),
    /// 429: one write per second and key, or the day's quota.
    Refused,
    /// 500, and nothing was stored.
    FailsBefore,
    /// 500, and it was stored.
    FailsAfter,
}

/// What goes wrong when a copy is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GetMood {
    Good,
    Slow(Duration),
    Fails,
    /// The value before the latest one, or a miss where there was none.
    Stale,
}

/// How KV is today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mood {
    pub(crate) put: PutMood,
    pub(crate) get: GetMood,
}

impl Mood {
    pub(crate) const GOOD: Self = Self { put: PutMood::Good, get: GetMood::Good };
}

/// The service.
pub(crate) struct LocalKv {
    /// Every value that each key ever had, the present one last; `None` for deleted.
    keys: Mutex<BTreeMap<String, Vec<Option<Vec<u8>>>>>,
    mood: Mutex<Mood>,
    moments: Arc<Moments>,
}

impl LocalKv {
    pub(crate) fn new(moments: Arc<Moments>) -> Self {
        Self { keys: Mutex::default(), mood: Mutex::new(Mood::GOOD), moments }
    }

    /// How KV is from now on.
    pub(crate) fn set_mood(&self, mood: Mood) {
        *lock(&self.mood) = mood;
    }

    /// The copy of a session's grant.
    pub(crate) fn copy(&self, keeper: &str) -> Option<Vec<u8>> {
        lock(&self.keys).get(&format!("{COPY}{keeper}"))?.last()?.clone()
    }

    /// Every copy that ever landed for a session, oldest first.
    pub(crate) fn copies(&self, keeper: &str) -> Vec<Vec<u8>> {
        let keys = lock(&self.keys);
        keys.get(&format!("{COPY}{keeper}")).into_iter().flatten().flatten().cloned().collect()
    }

    async fn get(&self, key: &str, mood: GetMood) -> Response<Vec<u8>> {
        match mood {
            GetMood::Fails => return status(StatusCode::INTERNAL_SERVER_ERROR),
            GetMood::Slow(wait) => sleep(wait).await,
            GetMood::Good | GetMood::Stale => {}
        }
        let behind = usize::from(mood == GetMood::Stale);
        let value =
            lock(&self.keys).get(key).and_then(|values| values.iter().rev().nth(behind).cloned()).flatten();
        value.map_or_else(|| status(StatusCode::NOT_FOUND), Response::new)
    }

    async fn put(self: &Arc<Self>, key: String, value: Vec<u8>, mood: PutMood) -> Response<Vec<u8>> {
        let keeper = key.strip_prefix(COPY).map(str::to_owned);
        if let Some(keeper) = &keeper {
            match self.moments.reached(Moment::PutArrived, Some(keeper)).await {
                Fate::Finishes => {}
                Fate::Vanishes => return status(StatusCode::INTERNAL_SERVER_ERROR),
                Fate::Late(wait) => {
                    let kv = Arc::clone(self);
                    tokio::spawn(async move {
                        sleep(wait).await;
                        kv.store(key, Some(value));
                    });
                    return status(StatusCode::INTERNAL_SERVER_ERROR);
                }
            }
        }
        match mood {
            PutMood::Refused => return status(StatusCode::TOO_MANY_REQUESTS),
            PutMood::FailsBefore => return status(StatusCode::INTERNAL_SERVER_ERROR),
            PutMood::Slow(wait) => sleep(wait).await,
            PutMood::Good | PutMood::FailsAfter => {}
        }
        self.store(key, Some(value));
        if let Some(keeper) = &keeper {
            self.moments.reached(Moment::PutLanded, Some(keeper)).await;
        }
        status(if mood == PutMood::FailsAfter { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK })
    }

    fn store(&self, key: String, value: Option<Vec<u8>>) {
        lock(&self.keys).entry(key).or_default().push(value);
    }
}

impl Answers for LocalKv {
    async fn answer(self: Arc<Self>, request: Request<Vec<u8>>) -> Option<Response<Vec<u8>>> {
        let _under_way = self.moments.enter();
        let key = key_of(request.uri().path());
        let mood = if key.starts_with(COPY) { *lock(&self.mood) } else { Mood::GOOD };
        Some(match *request.method() {
            Method::GET => self.get(&key, mood.get).await,
            Method::PUT => self.put(key, request.into_body(), mood.put).await,
            Method::DELETE if mood.put == PutMood::Good => {
                self.store(key, None);
                status(StatusCode::OK)
            }
            Method::DELETE => status(StatusCode::INTERNAL_SERVER_ERROR),
            _ => status(StatusCode::METHOD_NOT_ALLOWED),
        })
    }
}

/// The key in a path, decoded.
fn key_of(path: &str) -> String {
    let key = path.strip_prefix('/').unwrap_or(path);
    percent_encoding::percent_decode_str(key).decode_utf8_lossy().into_owned()
}

fn status(status: StatusCode) -> Response<Vec<u8>> {
    let mut response = Response::new(Vec::new());
    *response.status_mut() = status;
    response
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kv() -> Arc<LocalKv> {
        Arc::new(LocalKv::new(Arc::new(Moments::default())))
    }

    async fn ask(kv: &Arc<LocalKv>, method: &str, value: &str) -> (u16, String) {
        let request = Request::builder().method(method).uri("/grant%3Aone?urlencoded=true");
        let request = request.body(value.as_bytes().to_vec()).unwrap();
        let answer = Arc::clone(kv).answer(request).await.unwrap();
        (answer.status().as_u16(), String::from_utf8(answer.into_body()).unwrap())
    }

    #[tokio::test]
    async fn what_was_put_is_there_until_it_is_deleted() {
        let kv = kv();
        assert_eq!(ask(&kv, "GET", "").await, (404, String::new()));
        assert_eq!(ask(&kv, "PUT", "first").await.0, 200);
        assert_eq!(ask(&kv, "GET", "").await, (200, "first".to_owned()));
        assert_eq!(ask(&kv, "DELETE", "").await.0, 200);
        assert_eq!(ask(&kv, "GET", "").await.0, 404);
        assert_eq!((kv.copy("one"), kv.copies("one")), (None, vec![b"first".to_vec()]));
    }

    #[tokio::test]
    async fn a_put_fails_before_or_after_it_was_stored() {
        let kv = kv();
        for (put, code, stored) in [
            (PutMood::Refused, 429, None),
            (PutMood::FailsBefore, 500, None),
            (PutMood::FailsAfter, 500, Some(b"new".to_vec())),
        ] {
            kv.set_mood(Mood { put, ..Mood::GOOD });
            assert_eq!((ask(&kv, "PUT", "new").await.0, kv.copy("one")), (code, stored));
        }
    }

    #[tokio::test]
    async fn a_stale_read_shows_what_was_there_before() {
        let kv = kv();
        for value in ["old", "new"] {
            ask(&kv, "PUT", value).await;
        }
        kv.set_mood(Mood { get: GetMood::Stale, ..Mood::GOOD });
        assert_eq!(ask(&kv, "GET", "").await, (200, "old".to_owned()));
        kv.set_mood(Mood { get: GetMood::Fails, ..Mood::GOOD });
        assert_eq!(ask(&kv, "GET", "").await.0, 500);
    }
}

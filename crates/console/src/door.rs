//! Who comes in: names and passwords, and sessions of those whose were right. Failures are counted by address and by name, and
//! whoever fails often waits, before anything expensive is done for him.

use crate::problem::Problem;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_auth::failures::{FailurePolicy, Failures};
use portcullis_auth::password::PasswordHash;
use portcullis_config::plan::{ConsolePlan, Role};
use portcullis_types::{Clock, Millis};
use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

// LIMIT: sessions at once, of all and of one user; beyond the latter his oldest one ends.
const SESSIONS_MAX: usize = 1_000;
const SESSIONS_OF_ONE_MAX: usize = 10;
// LIMIT: passwords that are verified at once, each of which takes tens of megabytes.
const VERIFIED_MAX: usize = 2;
// LIMIT: addresses and names whose failures are counted.
const FAILURES_ENTRIES: usize = 4_096;
const FAILURES: FailurePolicy =
    FailurePolicy { free: 5, wait_min_seconds: 1, wait_max_seconds: 900, half_life_seconds: 600 };
// LIMIT: bytes of a name.
const NAME_BYTES_MAX: usize = 64;
/// What the token of a change is derived for.
const CHANGE: &str = "portcullis console 2026-11 token of a change";
const TOKEN_BYTES: usize = 32;

/// Whoever is in; `R` is what he is here.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Guest<R = Role> {
    pub(crate) name: Arc<str>,
    pub(crate) role: R,
    /// What a change has to bring along where a cookie says who asks.
    pub(crate) change_token: String,
    /// What the session is kept under.
    pub(crate) session: SessionName,
    /// When it ends at the latest, in milliseconds from now.
    pub(crate) ends_in_ms: Millis,
}

/// What a session is kept under: the hash of its token.
pub(crate) type SessionName = [u8; 32];

/// Somebody who may come in.
#[derive(Clone, Debug)]
pub(crate) struct Person<R> {
    pub(crate) password: PasswordHash,
    pub(crate) role: R,
}

/// Looks somebody up by his name.
pub(crate) type Find<R> = Arc<dyn Fn(&str) -> Result<Option<Person<R>>, Problem> + Send + Sync>;

/// Who may come in, and for how long.
pub(crate) struct Rules<R> {
    find: Find<R>,
    nobody: PasswordHash,
    idle_ms: Millis,
    lifetime_ms: Millis,
}

/// The door.
pub(crate) struct Door<R = Role> {
    clock: Clock,
    rules: RwLock<Rules<R>>,
    sessions: Mutex<HashMap<SessionName, Session>>,
    failures: Failures,
    verifying: AtomicUsize,
}

#[derive(Clone, Debug)]
struct Session {
    name: Arc<str>,
    /// What he has come in with; with another one he is out.
    password: PasswordHash,
    begun: Millis,
    seen: Millis,
}

/// Counts somebody who verifies, for as long as he does.
struct Turn<'d>(&'d AtomicUsize);

// === impl Door ===

impl<R> Door<R> {
    /// `None` without randomness.
    pub(crate) fn new(rules: Rules<R>, clock: Clock) -> Option<Self> {
        let key = random()?;
        let failures = Failures::new(FAILURES, FAILURES_ENTRIES, key);
        let rules = RwLock::new(rules);
        Some(Self { clock, rules, sessions: Mutex::default(), failures, verifying: AtomicUsize::new(0) })
    }

    /// From now on these may come in. Whoever may not any more, or has another password, is out at once.
    pub(crate) fn take_over(&self, fresh: Rules<R>) {
        self.sessions().retain(|_, session| fresh.person(session).is_ok_and(|person| person.is_some()));
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = fresh;
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<SessionName, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets somebody in: the token of a new session. Takes tens of milliseconds.
    pub(crate) fn log_in(&self, name: &str, password: &str, from: IpAddr) -> Result<(String, R), Problem> {
        // Of a clock that never goes back: the counts do not know years.
        let now_s = self.clock.millis() / 1000;
        let name_told = name.get(..NAME_BYTES_MAX).unwrap_or(name);
        self.failures
            .check(from, Some(name_told), now_s)
            .map_err(|wait| Problem::too_often(wait.retry_after_seconds))?;
        let (hash, role) = {
            let rules = self.rules.read().unwrap_or_else(PoisonError::into_inner);
            // Nobody can tell by the time whether there is such a name.
            match (rules.find)(name)? {
                Some(person) => (person.password, Some(person.role)),
                None => (rules.nobody.clone(), None),
            }
        };
        let turn = Turn::take(&self.verifying).ok_or_else(Problem::busy)?;
        let fits = hash.fits(password);
        drop(turn);
        let Some(role) = role.filter(|_| fits) else {
            self.failures.note(from, Some(name_told), now_s);
            return Err(Problem::wrong_password());
        };
        Ok((self.begin(name, hash).ok_or_else(Problem::busy)?, role))
    }

    fn begin(&self, name: &str, password: PasswordHash) -> Option<String> {
        let token = random()?;
        let now = self.clock.millis();
        let (idle_ms, lifetime_ms) = self.times();
        let mut sessions = self.sessions();
        sessions.retain(|_, session| session.is_open(now, idle_ms, lifetime_ms));
        let own = sessions.iter().filter(|(_, session)| *session.name == *name);
        if own.clone().count() >= SESSIONS_OF_ONE_MAX
            && let Some(oldest) = own.min_by_key(|(_, session)| session.begun).map(|(name, _)| *name)
        {
            sessions.remove(&oldest);
        }
        if sessions.len() >= SESSIONS_MAX {
            return None;
        }
        sessions.insert(name_of(&token), Session { name: Arc::from(name), password, begun: now, seen: now });
        Some(URL_SAFE_NO_PAD.encode(token))
    }

    /// Who has this token, if its session is open. He is here, unless he only listens.
    pub(crate) fn guest(&self, token: &str) -> Option<Guest<R>> {
        let bytes: [u8; TOKEN_BYTES] = URL_SAFE_NO_PAD.decode(token).ok()?.try_into().ok()?;
        let session = name_of(&bytes);
        let now = self.clock.millis();
        let (idle_ms, lifetime_ms) = self.times();
        let found = {
            let mut sessions = self.sessions();
            let found = sessions.get_mut(&session)?;
            if !found.is_open(now, idle_ms, lifetime_ms) {
                sessions.remove(&session);
                return None;
            }
            found.seen = now;
            found.clone()
        };
        let rules = self.rules.read().unwrap_or_else(PoisonError::into_inner);
        let role = rules.person(&found).ok()??.role;
        let change_token = URL_SAFE_NO_PAD.encode(blake3::derive_key(CHANGE, &bytes));
        let ends_in_ms = found.begun.saturating_add(rules.lifetime_ms).saturating_sub(now);
        Some(Guest { name: found.name, role, change_token, session, ends_in_ms })
    }

    /// Whether a session is open still; asking does not keep it so.
    pub(crate) fn is_open(&self, session: &SessionName) -> bool {
        let (idle_ms, lifetime_ms) = self.times();
        let now = self.clock.millis();
        self.sessions().get(session).is_some_and(|session| session.is_open(now, idle_ms, lifetime_ms))
    }

    /// Ends a session.
    pub(crate) fn log_out(&self, session: &SessionName) {
        self.sessions().remove(session);
    }

    fn times(&self) -> (Millis, Millis) {
        let rules = self.rules.read().unwrap_or_else(PoisonError::into_inner);
        (rules.idle_ms, rules.lifetime_ms)
    }
}

impl<R> fmt::Debug for Door<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Door")
    }
}

// === impl Guest ===

impl<R> Guest<R> {
    /// Whether a change was asked for by a page of ours.
    pub(crate) fn vouches(&self, token: &str) -> bool {
        verify_slices_are_equal(token.as_bytes(), self.change_token.as_bytes()).is_ok()
    }
}

impl<R> fmt::Debug for Guest<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Guest({})", self.name)
    }
}

// === impl Rules ===

impl<R> Rules<R> {
    /// Those whom `find` finds, for so long without doing anything and for so long at all. A name that nobody has takes as long as
    /// one with a password like `like`.
    pub(crate) fn new(find: Find<R>, (idle, lifetime): (Duration, Duration), like: Option<&PasswordHash>) -> Self {
        let millis = |time: Duration| Millis::try_from(time.as_millis()).unwrap_or(Millis::MAX);
        let nobody = PasswordHash::of_nobody(like);
        Self { find, nobody, idle_ms: millis(idle), lifetime_ms: millis(lifetime) }
    }

    /// Whose session it is, if he may still come in with the same password.
    fn person(&self, session: &Session) -> Result<Option<Person<R>>, Problem> {
        Ok((self.find)(&session.name)?.filter(|person| person.password == session.password))
    }
}

impl Rules<Role> {
    /// The users of the console.
    pub(crate) fn of(plan: &ConsolePlan) -> Self {
        let users = plan.users.clone();
        let find = move |name: &str| {
            let user = users.iter().find(|user| *user.name == *name);
            Ok(user.map(|user| Person { password: user.password.clone(), role: user.role }))
        };
        Self::new(Arc::new(find), (plan.idle, plan.lifetime), plan.users.first().map(|user| &user.password))
    }
}

// === impl Session ===

impl Session {
    fn is_open(&self, now: Millis, idle_ms: Millis, lifetime_ms: Millis) -> bool {
        now.saturating_sub(self.seen) < idle_ms && now.saturating_sub(self.begun) < lifetime_ms
    }
}

// === impl Turn ===

impl<'d> Turn<'d> {
    fn take(count: &'d AtomicUsize) -> Option<Self> {
        let more = |count: usize| (count < VERIFIED_MAX).then_some(count + 1);
        count.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).ok().map(|_| Self(count))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn name_of(token: &[u8; TOKEN_BYTES]) -> SessionName {
    *blake3::hash(token).as_bytes()
}

/// 32 bytes that nobody can guess.
pub(crate) fn random() -> Option<[u8; TOKEN_BYTES]> {
    let mut bytes = [0; TOKEN_BYTES];
    aws_lc_rs::rand::fill(&mut bytes).ok().map(|()| bytes)
}

#[cfg(test)]
mod tests {
    use super::{Door, Rules, SESSIONS_OF_ONE_MAX};
    use crate::tests::{PASSWORD, plan};
    use portcullis_config::plan::Role;
    use portcullis_types::Clock;
    use std::net::IpAddr;
    use std::time::{Duration, SystemTime};

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn sessions_end_by_idleness_by_age_and_by_word() {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let door = Door::new(Rules::of(&plan()), clock.clone()).unwrap();
        let (token, role) = door.log_in("ada", PASSWORD, HOME).unwrap();
        assert_eq!(role, Role::Admin);
        let guest = door.guest(&token).unwrap();
        assert!(guest.vouches(&guest.change_token) && !guest.vouches("") && !guest.vouches(&token));
        for _ in 0..9 {
            clock.advance(Duration::from_secs(60));
            assert!(door.guest(&token).is_some(), "each look keeps it open");
        }
        clock.advance(Duration::from_secs(60));
        assert!(door.guest(&token).is_none(), "until its time is over: ten minutes");
        let (token, _) = door.log_in("ada", PASSWORD, HOME).unwrap();
        clock.advance(Duration::from_secs(100));
        assert!(door.is_open(&door.guest(&token).unwrap().session));
        clock.advance(Duration::from_secs(121));
        assert!(door.guest(&token).is_none(), "idle for two minutes");
        let (token, _) = door.log_in("ada", PASSWORD, HOME).unwrap();
        door.log_out(&door.guest(&token).unwrap().session);
        assert!(door.guest(&token).is_none());
        for token in ["", "x", &"A".repeat(43), &token] {
            assert!(door.guest(token).is_none());
        }
    }

    #[test]
    fn whoever_fails_waits_and_one_user_has_so_many_sessions() {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let door = Door::new(Rules::of(&plan()), clock.clone()).unwrap();
        let (first, _) = door.log_in("ada", PASSWORD, HOME).unwrap();
        for _ in 0..SESSIONS_OF_ONE_MAX {
            clock.advance(Duration::from_millis(1));
            door.log_in("ada", PASSWORD, HOME).unwrap();
        }
        assert!(door.guest(&first).is_none(), "the oldest one has ended");
        for name in ["ada", "nobody", "", "ada", "nobody"] {
            let refused = door.log_in(name, "wrong password", HOME).unwrap_err();
            assert_eq!((refused.status.as_u16(), refused.retry_after), (401, None), "{name}");
        }
        let refused = door.log_in("ada", PASSWORD, HOME).unwrap_err();
        assert_eq!(
            (refused.status.as_u16(), refused.retry_after),
            (429, Some(1)),
            "the right one is not even looked at"
        );
        assert!(door.log_in("ada", PASSWORD, "192.0.2.1".parse().unwrap()).is_ok(), "nobody is locked out by others");
        clock.advance(Duration::from_secs(100));
        assert!(door.log_in("ada", PASSWORD, HOME).is_ok());
    }

    #[test]
    fn who_may_not_come_in_any_more_is_out() {
        let door = Door::new(Rules::of(&plan()), Clock::manual(SystemTime::UNIX_EPOCH)).unwrap();
        let (token, _) = door.log_in("ada", PASSWORD, HOME).unwrap();
        let mut fresh = plan();
        fresh.users[0].role = Role::Viewer;
        door.take_over(Rules::of(&fresh));
        assert_eq!(door.guest(&token).unwrap().role, Role::Viewer, "what he may do is looked up anew");
        fresh.users.remove(0);
        door.take_over(Rules::of(&fresh));
        assert!(door.guest(&token).is_none());
    }
}

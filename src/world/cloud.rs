//! The organisation's cloud accounts, and the identities of its people and services in them.
//!
//! Everything is a function of an account in the directory: a user has the same
//! key, principal and client in every record.

use std::ops::Range;

use super::{AccountKind, Accounts};
use crate::ids::AccountId;
use crate::random::{Draws, Key, slots};

/// Validity of a session's credentials, in seconds.
const SESSION: i64 = 12 * 3600;

/// Alphabet of AWS identifiers.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Cloud accounts of the organisation: production, development, shared services.
pub const ACCOUNTS: usize = 3;

/// The region of each cloud account.
pub const REGIONS: [&str; ACCOUNTS] = ["eu-central-1", "eu-west-1", "us-east-1"];

/// Region of the records of services with a single global endpoint.
pub const GLOBAL_REGION: &str = "us-east-1";

/// Identities that the records of clouds name.
#[derive(Debug)]
pub struct Cloud {
    key: Key,
    accounts: Key,
    sessions: Key,
    agents: Key,
    /// Twelve digits each.
    ids: [String; ACCOUNTS],
}

slots! {
    /// Draws of an account.
    enum AccountSlot {
        Home = 0,
        AccessKey = 1,
        UserId = 2,
        ObjectId = 3,
        Token = 4,
        /// The instance on which a service runs.
        Instance = 5,
        /// When its sessions begin, within their length.
        Phase = 6,
        /// By session: its number.
        Session = 7,
    }
}

/// A session with credentials of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloudSession {
    pub number: u64,
    /// When it was issued, Unix seconds.
    pub start: i64,
}

impl Cloud {
    pub(super) fn new(key: Key) -> Self {
        let id = |i| format!("{}", 100_000_000_000 + key.below(i, 900_000_000_000));
        Cloud {
            key,
            accounts: key.child("accounts"),
            sessions: key.child("sessions"),
            agents: key.child("agents"),
            ids: [id(0), id(1), id(2)],
        }
    }

    fn of(&self, account: AccountId) -> Draws<AccountSlot> {
        Draws::new(self.accounts.with(u64::from(account)))
    }

    /// The main cloud account of an account in the directory.
    pub fn home(&self, accounts: &Accounts, account: AccountId) -> usize {
        match accounts[account].kind {
            // Services run in production; people mostly use the other accounts.
            AccountKind::Service | AccountKind::Machine => 0,
            _ => self.of(account).below(AccountSlot::Home, ACCOUNTS as u64) as usize,
        }
    }

    /// Twelve digits.
    pub fn account_id(&self, which: usize) -> &str {
        &self.ids[which]
    }

    /// The long-term access key of an account as an IAM user.
    pub fn access_key(&self, account: AccountId) -> String {
        identifier("AKIA", 16, self.of(account).part(AccountSlot::AccessKey))
    }

    /// The access key of a session.
    pub fn session_key(&self, session: u64) -> String {
        identifier("ASIA", 16, self.sessions.with(session))
    }

    /// The unique id of an account as an IAM user.
    pub fn user_id(&self, account: AccountId) -> String {
        identifier("AIDA", 17, self.of(account).part(AccountSlot::UserId))
    }

    /// The unique id of a role in a cloud account.
    pub fn role_id(&self, which: usize, role: &str) -> String {
        let key = self.key.child("roles").with(which as u64).child(role);
        identifier("AROA", 17, key)
    }

    /// The object id of an account in the service's directory.
    pub fn object_id(&self, account: AccountId) -> String {
        self.of(account).part(AccountSlot::ObjectId).guid()
    }

    /// The id of a session in the service's directory.
    pub fn session_id(&self, session: u64) -> String {
        self.sessions.with(session).with(1).guid()
    }

    /// The hash of an account's token in GitHub's log: base64 of 32 bytes.
    pub fn hashed_token(&self, account: AccountId) -> String {
        const SET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let key = self.of(account).part(AccountSlot::Token);
        let mut text: String = (0..43)
            .map(|i| {
                let bits = key.at(i / 10) >> (6 * (i % 10)) & 63;
                // The last group has 16 bits, so its last letter ends in two zero bits.
                SET[if i == 42 { bits & 60 } else { bits } as usize] as char
            })
            .collect();
        text.push('=');
        text
    }

    /// The role that an account assumes, and the name of its session.
    pub fn role(&self, accounts: &Accounts, account: AccountId) -> (String, String) {
        let a = &accounts[account];
        let set = |name: &str| {
            let which = self.home(accounts, account) as u64;
            let hash = self.key.child(name).at(which);
            format!("AWSReservedSSO_{name}_{hash:016x}")
        };
        match a.kind {
            AccountKind::Service => (
                format!("{}-role", a.name),
                format!("i-0{:016x}", self.of(account).bits(AccountSlot::Instance)),
            ),
            AccountKind::Admin => (set("AdministratorAccess"), a.name.clone()),
            _ => {
                let session = a.email.clone().unwrap_or_else(|| a.name.clone());
                (set("PowerUserAccess"), session)
            }
        }
    }

    /// The session of an account at a time in Unix seconds.
    pub fn session(&self, account: AccountId, time: i64) -> CloudSession {
        let key = self.of(account);
        let phase = key.below(AccountSlot::Phase, SESSION as u64) as i64;
        let slot = (time - phase).div_euclid(SESSION);
        CloudSession {
            number: key.part(AccountSlot::Session).at(slot as u64),
            start: slot * SESSION + phase,
        }
    }

    /// The client from a pool of the catalog that person or service `who` uses.
    pub fn agent(&self, pool: &Range<usize>, who: u64) -> usize {
        let key = self.agents.with(pool.start as u64);
        pool.start + key.below(who, pool.len() as u64) as usize
    }
}

fn identifier(prefix: &str, letters: u64, key: Key) -> String {
    let mut text = String::from(prefix);
    // Twelve letters of five bits per 64-bit word.
    text.extend((0..letters).map(|i| {
        let bits = key.at(i / 12) >> (5 * (i % 12)) & 31;
        BASE32[bits as usize] as char
    }));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_have_their_shapes_and_stay() {
        let cloud = Cloud::new(Key::root(7));
        let (nine, ten) = (AccountId::new(9), AccountId::new(10));
        let shape = |text: &str, prefix: &str, length: usize| {
            assert!(text.starts_with(prefix) && text.len() == length, "{text}");
            let rest = &text.as_bytes()[4..];
            assert!(rest.iter().all(|b| BASE32.contains(b)), "{text}");
        };
        shape(&cloud.access_key(nine), "AKIA", 20);
        shape(&cloud.session_key(9), "ASIA", 20);
        shape(&cloud.user_id(nine), "AIDA", 21);
        shape(&cloud.role_id(0, "deploy-role"), "AROA", 21);
        assert_eq!(
            cloud.access_key(nine),
            Cloud::new(Key::root(7)).access_key(nine)
        );
        assert_ne!(cloud.access_key(nine), cloud.access_key(ten));
        assert_eq!(cloud.hashed_token(nine).len(), 44);
        for which in 0..ACCOUNTS {
            assert_eq!(cloud.account_id(which).len(), 12);
        }
    }

    #[test]
    fn a_session_holds_the_times_in_it() {
        let cloud = Cloud::new(Key::root(7));
        let four = AccountId::new(4);
        let session = cloud.session(four, 1_723_420_800);
        assert!((0..SESSION).contains(&(1_723_420_800 - session.start)));
        assert_eq!(cloud.session(four, session.start), session);
        assert_eq!(cloud.session(four, session.start + SESSION - 1), session);
        assert_ne!(cloud.session(four, session.start + SESSION), session);
    }
}

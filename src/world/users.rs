//! Accounts: built-in, users, administrators, services, machines.

use std::collections::{BTreeSet, HashMap};

use super::Domain;
use super::hosts::{Host, Hosts, Role};
use crate::catalog::{AccountRef, Catalog, HostClass, Platform, Record};
use crate::grounding::User;
use crate::ids::{AccountId, AccountRange, HostId};
use crate::random::{Alias, Key};

/// Kind of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountKind {
    /// SYSTEM, LOCAL SERVICE, NETWORK SERVICE, root.
    BuiltIn,
    User,
    Admin,
    Service,
    /// `HOST$`.
    Machine,
    /// In the directory, but not allowed to log on.
    Disabled,
}

/// `NT AUTHORITY\SYSTEM`.
pub const SYSTEM: AccountId = AccountId::new(0);
/// `NT AUTHORITY\LOCAL SERVICE`.
pub const LOCAL_SERVICE: AccountId = AccountId::new(1);
/// `NT AUTHORITY\NETWORK SERVICE`.
pub const NETWORK_SERVICE: AccountId = AccountId::new(2);
/// uid 0.
pub const ROOT: AccountId = AccountId::new(3);
const FIRST_USER: u32 = 4;

/// Whether an account is one of the three that are built into Windows: the first of the table.
#[inline]
pub fn is_windows_own(account: AccountId) -> bool {
    account <= NETWORK_SERVICE
}

/// One account.
#[derive(Debug, Clone)]
pub struct Account {
    pub kind: AccountKind,
    /// sAMAccountName; `SYSTEM`; `root`.
    pub name: String,
    /// `user.domain`: the DNS domain, `NT AUTHORITY`, or none for a local Linux account.
    pub domain: Option<String>,
    /// In Windows notation: `FUSIONAI\alice`.
    pub qualified: String,
    pub full_name: Option<String>,
    pub email: Option<String>,
    pub department: Option<String>,
    pub sid: String,
    /// Linux user id.
    pub uid: u32,
    /// The user's own workstation, if they have one.
    pub home: Option<HostId>,
}

/// All accounts, in this order: built-in, users, administrators, services, machines, disabled
/// users. Only failed logons name disabled users.
#[derive(Debug)]
pub struct Accounts {
    pub all: Vec<Account>,
    users: u32,
    admins: u32,
    services: u32,
    first_disabled: u32,
    /// Domain accounts, sorted by name.
    by_name: Vec<AccountId>,
    next_rid: u32,
}

impl std::ops::Index<AccountId> for Accounts {
    type Output = Account;
    #[inline]
    fn index(&self, account: AccountId) -> &Account {
        &self.all[account.index()]
    }
}

fn built_in(name: &str, sid: &str, uid: u32, windows: bool) -> Account {
    Account {
        kind: AccountKind::BuiltIn,
        name: name.into(),
        domain: windows.then(|| "NT AUTHORITY".into()),
        qualified: if windows {
            format!("NT AUTHORITY\\{name}")
        } else {
            name.into()
        },
        full_name: None,
        email: None,
        department: None,
        sid: sid.into(),
        uid,
        home: None,
    }
}

/// Names of the service accounts in the catalog's records, in order of appearance.
fn service_names(catalog: &Catalog) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut add = |account: &AccountRef| {
        if let AccountRef::Service(name) = account
            && !names.contains(name)
        {
            names.push(name.clone());
        }
    };
    catalog.residents.iter().for_each(|r| add(&r.account));
    catalog.programs.iter().for_each(|p| add(&p.account));
    let mut records = |list: &[Record]| list.iter().for_each(|r| add(&r.account));
    for scenario in &catalog.scenarios {
        scenario.variants.iter().for_each(|v| records(&v.records));
    }
    for playbook in &catalog.playbooks {
        playbook.steps.iter().for_each(|s| records(&s.records));
    }
    catalog.heuristics.iter().for_each(|h| records(&h.records));
    names
}

/// Usual uid of a local service account on Debian; 33 is fixed by policy, the others are common values.
fn local_uid(name: &str) -> Option<u32> {
    Some(match name {
        "www-data" => 33,
        "messagebus" => 100,
        "_chrony" => 103,
        "zabbix" => 108,
        "mysql" => 110,
        "backup" => 34,
        "_apt" => 42,
        "systemd-resolve" => 102,
        "deploy" => 1001,
        "runner" => 1002,
        "webapp" => 1003,
        _ => return None,
    })
}

impl Accounts {
    pub(super) fn new(
        key: Key,
        domain: &Domain,
        count: u32,
        users: Option<&[User]>,
        catalog: &Catalog,
        hosts: &mut Hosts,
        notices: &mut Vec<String>,
    ) -> Self {
        let mut all = vec![
            built_in("SYSTEM", "S-1-5-18", 0, true),
            built_in("LOCAL SERVICE", "S-1-5-19", 0, true),
            built_in("NETWORK SERVICE", "S-1-5-20", 0, true),
            built_in("root", "S-1-0-0", 0, false),
        ];
        let users_given = users;
        let mut rid = 1103 + key.below(0, 40) as u32;
        let mut domain_account = |kind, name: String, full, email, department| {
            rid += 1;
            Account {
                kind,
                domain: Some(domain.dns.clone()),
                qualified: format!("{}\\{name}", domain.netbios),
                full_name: full,
                email,
                department,
                sid: format!("{}-{rid}", domain.sid),
                uid: local_uid(&name).unwrap_or(10_000 + rid),
                home: None,
                name,
            }
        };
        match users {
            Some(users) => {
                for user in users.iter().filter(|user| !user.disabled) {
                    let email = user
                        .email
                        .clone()
                        .unwrap_or_else(|| format!("{}@{}", user.username, domain.dns));
                    all.push(domain_account(
                        AccountKind::User,
                        user.username.clone(),
                        Some(
                            user.display_name
                                .clone()
                                .unwrap_or_else(|| user.username.clone()),
                        ),
                        Some(email),
                        user.department.clone(),
                    ));
                }
            }
            None => {
                for person in people(key, count, catalog, domain) {
                    all.push(domain_account(
                        AccountKind::User,
                        person.0,
                        Some(person.1),
                        Some(person.2),
                        Some(person.3),
                    ));
                }
            }
        }
        let users = all.len() as u32 - FIRST_USER;
        // Every administrator has a separate account; IT staff come first.
        let wanted = (users / 30).clamp(2.min(users), 400);
        let mut it: Vec<u32> = (FIRST_USER..FIRST_USER + users).collect();
        it.sort_by_key(|&u| {
            let department = all[u as usize].department.as_deref().unwrap_or("");
            let is_it = department.eq_ignore_ascii_case("it")
                || department.to_lowercase().contains("information technology")
                || department.to_lowercase().contains("security");
            (!is_it, key.child("admin").at(u64::from(u)), u)
        });
        for &user in it.iter().take(wanted as usize) {
            let (name, full) = (
                all[user as usize].name.clone(),
                all[user as usize].full_name.clone(),
            );
            let department = all[user as usize].department.clone();
            let full = full.map(|f| format!("{f} (admin)"));
            all.push(domain_account(
                AccountKind::Admin,
                format!("adm_{name}"),
                full,
                None,
                department,
            ));
        }
        let admins = all.len() as u32 - FIRST_USER - users;
        let names = service_names(catalog);
        for name in &names {
            all.push(domain_account(
                AccountKind::Service,
                name.clone(),
                None,
                None,
                None,
            ));
        }
        let services = names.len() as u32;
        for host in &hosts.all {
            all.push(domain_account(
                AccountKind::Machine,
                format!("{}$", host.inventory.name),
                None,
                None,
                None,
            ));
        }
        let first_disabled = all.len() as u32;
        for user in users_given
            .into_iter()
            .flatten()
            .filter(|user| user.disabled)
        {
            let full = user.display_name.clone();
            all.push(domain_account(
                AccountKind::Disabled,
                user.username.clone(),
                full,
                user.email.clone(),
                user.department.clone(),
            ));
        }
        let next_rid = rid + 1;
        let mut accounts = Accounts {
            all,
            users,
            admins,
            services,
            first_disabled,
            by_name: Vec::new(),
            next_rid,
        };
        let mut by_name: Vec<AccountId> = accounts.ids().skip(FIRST_USER as usize).collect();
        by_name.sort_by(|&a, &b| accounts[a].name.cmp(&accounts[b].name));
        accounts.by_name = by_name;
        accounts.settle(key, hosts, notices);
        accounts
    }

    /// Assigns users to workstations, and administrators to servers.
    ///
    /// A workstation is assigned to its owner if the inventory names one who is in the directory.
    /// The other workstations are then distributed, those without an owner first. Owner and
    /// department from the inventory are never overwritten.
    fn settle(&mut self, key: Key, hosts: &mut Hosts, notices: &mut Vec<String>) {
        let owners = Owners::of(self);
        let mut strangers = BTreeSet::new();
        for h in hosts.ids() {
            let host = &mut hosts.all[h.index()];
            let said = host.inventory.said.as_deref();
            let owner = said.and_then(|said| said.owner.as_deref());
            if host.role != Role::Workstation || owner.is_none() {
                continue;
            }
            let department = said.and_then(|said| said.department.as_deref());
            match owner.and_then(|owner| owners.find(self, owner, department)) {
                Some(user) => self.seat(user, h, true, &mut hosts.all),
                None => {
                    strangers.insert(h);
                }
            }
        }
        let workstations: Vec<HostId> = hosts.class(HostClass::Workstation).to_vec();
        let (mut pending, of_strangers): (Vec<HostId>, Vec<HostId>) = workstations
            .iter()
            .copied()
            .filter(|&h| hosts.all[h.index()].user.index() >= self.all.len())
            .partition(|h| !strangers.contains(h));
        pending.extend(of_strangers);
        let homeless: Vec<AccountId> = (self.users().iter())
            .filter(|&user| self[user].home.is_none())
            .collect();
        let seats: Vec<AccountId> = match homeless.is_empty() {
            true => self.users().iter().collect(),
            false => homeless,
        };
        for (i, &host) in pending.iter().enumerate() {
            let user = match seats.is_empty() {
                true => AccountId::new(FIRST_USER as usize),
                false => seats[i % seats.len()],
            };
            self.seat(user, host, false, &mut hosts.all);
        }
        for (nth, user) in self.users().iter().enumerate() {
            let account = &mut self.all[user.index()];
            if account.home.is_none() && !workstations.is_empty() {
                account.home = Some(workstations[nth % workstations.len()]);
            }
        }
        for (index, host) in hosts.all.iter_mut().enumerate() {
            if host.role != Role::Workstation || host.user.index() >= self.all.len() {
                let key = key.child("administrator");
                let nth = key.below(index as u64, u64::from(self.admins.max(1)));
                host.user = self.admins().nth(nth);
            }
        }
        if self.users == 0 {
            notices.push("the directory has no users; service accounts are used instead".into());
        }
    }

    /// Assigns a user to a workstation, which becomes their own if they have none yet. If the inventory
    /// names no owner, the user becomes the owner. `owns`: the inventory names this user as the owner.
    fn seat(&mut self, user: AccountId, host: HostId, owns: bool, hosts: &mut [Host]) {
        hosts[host.index()].user = user;
        let Some(account) = self.all.get_mut(user.index()) else {
            return;
        };
        let inventory = &mut hosts[host.index()].inventory;
        let said = inventory.said.as_deref();
        let names_owner = said.is_some_and(|said| said.owner.is_some());
        let names_department = said.is_some_and(|said| said.department.is_some());
        let is_first = account.home.is_none();
        if is_first {
            account.home = Some(host);
        }
        if let (true, false, Some(name)) = (is_first, names_owner, &account.full_name) {
            inventory.owner.clone_from(name);
        }
        if let (true, false, Some(department)) = (
            owns || is_first && !names_owner,
            names_department,
            &account.department,
        ) {
            inventory.department.clone_from(department);
        }
    }

    /// The domain account with this name.
    pub fn named(&self, name: &str) -> Option<AccountId> {
        let at = self
            .by_name
            .binary_search_by(|&account| self[account].name.as_str().cmp(name))
            .ok()?;
        Some(self.by_name[at])
    }

    /// The RID of the next domain account.
    pub fn next_rid(&self) -> u32 {
        self.next_rid
    }

    /// Number of user accounts; they are `users()`.
    pub fn user_count(&self) -> u32 {
        self.users
    }

    /// All accounts, in their order.
    pub fn ids(&self) -> impl Iterator<Item = AccountId> + use<> {
        (0..self.all.len()).map(AccountId::new)
    }

    /// The accounts of people.
    pub fn users(&self) -> AccountRange {
        AccountRange::new(FIRST_USER, self.users)
    }

    /// The separate administrator accounts.
    pub fn admins(&self) -> AccountRange {
        AccountRange::new(FIRST_USER + self.users, self.admins)
    }

    /// The service accounts.
    pub fn services(&self) -> AccountRange {
        AccountRange::new(FIRST_USER + self.users + self.admins, self.services)
    }

    /// `HOST$`.
    pub fn machine(&self, host: HostId) -> AccountId {
        let first = FIRST_USER + self.users + self.admins + self.services;
        AccountId::new((first + host.get()) as usize)
    }

    /// Disabled accounts; may be empty.
    pub fn disabled(&self) -> AccountRange {
        let first = self.first_disabled;
        AccountRange::new(first, self.all.len() as u32 - first)
    }

    fn service(&self, name: &str) -> AccountId {
        self.services()
            .iter()
            .find(|&account| self[account].name == name)
            .unwrap_or(SYSTEM)
    }

    /// The account that a record runs under on a host, given the acting `user` and `admin`.
    pub fn resolve(
        &self,
        wanted: &AccountRef,
        platform: Platform,
        host: HostId,
        user: AccountId,
        admin: AccountId,
    ) -> AccountId {
        let windows = platform == Platform::Windows;
        match wanted {
            // The row chooses the other user; callers without a row get the host's own user.
            AccountRef::User
            | AccountRef::OtherUser
            | AccountRef::PeerUser
            | AccountRef::DisabledUser => user,
            AccountRef::Admin => admin,
            AccountRef::System => {
                if windows {
                    SYSTEM
                } else {
                    ROOT
                }
            }
            AccountRef::LocalService => {
                if windows {
                    LOCAL_SERVICE
                } else {
                    ROOT
                }
            }
            AccountRef::NetworkService => {
                if windows {
                    NETWORK_SERVICE
                } else {
                    ROOT
                }
            }
            AccountRef::Machine | AccountRef::PeerMachine => {
                if windows {
                    self.machine(host)
                } else {
                    ROOT
                }
            }
            AccountRef::Service(name) => self.service(name),
        }
    }
}

/// Users in the directory by the names that inventories use for owners: account, mail, or display
/// name in any case and word order. A name that two users share identifies neither.
struct Owners(HashMap<String, Vec<AccountId>>);

impl Owners {
    fn of(accounts: &Accounts) -> Self {
        let mut by_name: HashMap<String, Vec<AccountId>> = HashMap::new();
        for user in accounts.users().iter() {
            let account = &accounts[user];
            let mut names = vec![words(&account.name), words(&account.qualified)];
            names.extend(account.email.as_deref().map(words));
            names.extend(account.full_name.as_deref().map(words));
            names.sort();
            names.dedup();
            for name in names.into_iter().filter(|name| !name.is_empty()) {
                by_name.entry(name).or_default().push(user);
            }
        }
        Owners(by_name)
    }

    /// The user that an owner's name identifies; among namesakes the one in the department.
    fn find(
        &self,
        accounts: &Accounts,
        owner: &str,
        department: Option<&str>,
    ) -> Option<AccountId> {
        // `CORP\alice` and `alice@corp.example` name the account `alice`.
        let account = owner.rsplit('\\').next().unwrap_or(owner);
        let local = account.split('@').next().unwrap_or(account);
        let has_blank = owner.trim().contains(char::is_whitespace);
        let names = [owner, account, local];
        let tried = if has_blank { &names[..1] } else { &names[..] };
        let found = tried.iter().find_map(|name| self.0.get(&words(name)))?;
        let same = |user: &&AccountId| {
            let theirs = accounts[**user].department.as_deref();
            theirs.is_some_and(|it| department.is_some_and(|d| d.eq_ignore_ascii_case(it)))
        };
        match found.as_slice() {
            [only] => Some(*only),
            several => {
                let mut of_department = several.iter().filter(same);
                match (of_department.next(), of_department.next()) {
                    (Some(user), None) => Some(*user),
                    _ => None,
                }
            }
        }
    }
}

/// The words of a name in lower case, sorted, so that `Berg, Rosa` equals `Rosa Berg`.
fn words(name: &str) -> String {
    let lower = name.to_lowercase();
    let mut words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    words.sort_unstable();
    words.join(" ")
}

/// (username, display name, e-mail, department), usernames unique.
fn people(
    key: Key,
    count: u32,
    catalog: &Catalog,
    domain: &Domain,
) -> Vec<(String, String, String, String)> {
    let names = &catalog.names;
    let weights: Vec<u64> = names.departments.iter().map(|d| u64::from(d.1)).collect();
    let departments = Alias::new(&weights);
    let (given, family) = (names.given.len() as u64, names.family.len() as u64);
    // A keyed permutation of all pairs, so that names repeat only after every pair is used.
    let pairs = crate::random::Permutation::new(key.child("names"), given * family);
    (0..count)
        .map(|i| {
            let i = u64::from(i);
            let pair = pairs.forward(i % (given * family));
            let (g, f) = (
                &names.given[(pair % given) as usize],
                &names.family[(pair / given) as usize],
            );
            let again = i / (given * family);
            let suffix = if again == 0 {
                String::new()
            } else {
                (again + 1).to_string()
            };
            let user = format!("{}.{}{suffix}", g.to_lowercase(), f.to_lowercase());
            let email = format!("{user}@{}", domain.dns);
            let department = names.departments[departments.draw(key.child("department").at(i))]
                .0
                .clone();
            (user, format!("{g} {f}"), email, department)
        })
        .collect()
}

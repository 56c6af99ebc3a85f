//! Which resident process owns a flow, by side and port.

use crate::catalog::{Catalog, HostClass};
use crate::random::{Alias, below};
use crate::world::{Host, hosts::Role};

/// Residents that may own a flow, by weight.
#[derive(Debug, Clone)]
struct Mix {
    residents: Vec<usize>,
    alias: Alias,
}

impl Mix {
    /// A mix of the residents that the catalog has.
    fn new(catalog: &Catalog, shares: &[(&str, u64)]) -> Self {
        let known = shares
            .iter()
            .filter_map(|&(key, weight)| Some((catalog.resident(key)?, weight)));
        let (residents, weights): (Vec<usize>, Vec<u64>) = known.unzip();
        Mix {
            residents,
            alias: Alias::new(&weights),
        }
    }

    fn draw(&self, bits: u64) -> Option<usize> {
        self.residents.get(self.alias.draw(bits)).copied()
    }
}

/// Processes that connect to the web from a workstation or a server, and to servers inside.
const FROM_WORKSTATION: &[(&str, u64)] = &[
    ("msedge", 30),
    ("chrome", 15),
    ("outlook", 9),
    ("teams", 9),
    ("onedrive", 8),
    ("webview", 7),
    ("msmpeng", 5),
    ("diagtrack", 5),
    ("search", 4),
    ("wuauserv", 3),
    ("winword", 3),
    ("user_powershell", 3),
    ("bits", 2),
];
const FROM_SERVER: &[(&str, u64)] = &[
    ("wuauserv", 24),
    ("msmpeng", 22),
    ("diagtrack", 14),
    ("script_host", 14),
    ("bits", 10),
    ("ccmexec", 9),
    ("cryptsvc", 7),
];
const WORKSTATION_TO_INSIDE: &[(&str, u64)] = &[
    ("msedge", 34),
    ("chrome", 18),
    ("ccmexec", 14),
    ("script_host", 9),
    ("user_powershell", 7),
    ("outlook", 8),
    ("search", 5),
    ("winword", 4),
    ("zabbix_agent", 4),
];
const SERVER_TO_INSIDE: &[(&str, u64)] = &[
    ("script_host", 34),
    ("ccmexec", 26),
    ("winlogbeat", 14),
    ("zabbix_agent", 14),
    ("wuauserv", 12),
];
/// Clients of WinRM.
const MANAGING_WORKSTATION: &[(&str, u64)] =
    &[("user_powershell", 50), ("script_host", 30), ("winrm", 20)];
const MANAGING_SERVER: &[(&str, u64)] = &[("script_host", 70), ("winrm", 30)];

/// Residents that own flows, as indices into the catalog.
#[derive(Debug, Clone)]
pub struct Owners {
    /// The Windows kernel: SMB, WinRM and IIS (http.sys) are served by pid 4.
    pub system: usize,
    /// Linux init.
    pub systemd: usize,
    dnscache: Option<usize>,
    dns_server: Option<usize>,
    lsass: Option<usize>,
    rpcss: Option<usize>,
    termservice: Option<usize>,
    dhcp: Option<usize>,
    from_workstation: Mix,
    from_server: Mix,
    workstation_to_inside: Mix,
    server_to_inside: Mix,
    managing_workstation: Mix,
    managing_server: Mix,
    mail: Option<usize>,
    database: Option<usize>,
    sshd: Option<usize>,
    cron: Option<usize>,
    web: Option<usize>,
    linux_database: Option<usize>,
    smtp: Option<usize>,
    /// Clients on Linux hosts, with their port and the hosts they run on; sorted by port.
    clients: Vec<(u16, HostClass, Client)>,
}

/// Who opens connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// Index into the catalog's residents.
    Resident(usize),
    /// Index into its programs.
    Program(usize),
}

/// Every resident and program that names the ports it connects to.
fn clients(catalog: &Catalog) -> Vec<(u16, HostClass, Client)> {
    let residents = (catalog.residents.iter().enumerate())
        .map(|(i, r)| (&r.connects, r.hosts, Client::Resident(i)));
    let programs = (catalog.programs.iter().enumerate())
        .map(|(i, p)| (&p.connects, p.hosts, Client::Program(i)));
    let mut clients: Vec<_> = residents
        .chain(programs)
        .flat_map(|(ports, hosts, who)| ports.iter().map(move |&port| (port, hosts, who)))
        .collect();
    clients.sort_by_key(|client| client.0);
    clients
}

impl Owners {
    pub fn new(catalog: &Catalog) -> Self {
        let find = |key: &str| catalog.resident(key);
        Owners {
            system: find("system").unwrap_or(0),
            systemd: find("systemd").unwrap_or(0),
            dnscache: find("dnscache"),
            dns_server: find("dns_server"),
            lsass: find("lsass"),
            rpcss: find("rpcss"),
            termservice: find("termservice"),
            dhcp: find("dhcp"),
            from_workstation: Mix::new(catalog, FROM_WORKSTATION),
            from_server: Mix::new(catalog, FROM_SERVER),
            workstation_to_inside: Mix::new(catalog, WORKSTATION_TO_INSIDE),
            server_to_inside: Mix::new(catalog, SERVER_TO_INSIDE),
            managing_workstation: Mix::new(catalog, MANAGING_WORKSTATION),
            managing_server: Mix::new(catalog, MANAGING_SERVER),
            mail: find("outlook"),
            database: find("sqlservr"),
            sshd: find("sshd"),
            cron: find("cron"),
            web: find("nginx"),
            linux_database: find("mysqld"),
            smtp: find("postfix"),
            clients: clients(catalog),
        }
    }

    /// The process that accepts connections to `port` on a Windows host, if one does.
    pub fn windows_server(&self, host: &Host, port: i32) -> Option<usize> {
        match port {
            137..=139 | 445 | 5985 | 5986 => Some(self.system),
            80 | 443 | 8080 if host.role != Role::Workstation => Some(self.system),
            3389 => self.termservice,
            135 => self.rpcss,
            53 if host.role == Role::DomainController => self.dns_server,
            88 | 389 | 464 | 636 | 3268 if host.role == Role::DomainController => self.lsass,
            1433 if host.is(HostClass::DatabaseServer) => self.database,
            5353 | 5355 => self.dnscache,
            1900 | 3702 | 67 | 68 => self.dhcp,
            _ => None,
        }
    }

    /// The process that connects to `port` from a Windows host, inside or outwards. `in_session`:
    /// the host's user is logged on.
    pub fn windows_client(
        &self,
        host: &Host,
        port: i32,
        application: &str,
        outwards: bool,
        in_session: bool,
        bits: u64,
    ) -> Option<usize> {
        let workstation = host.is(HostClass::Workstation);
        // Where nobody is logged on, only services and agents connect, as on a server.
        let in_use = workstation && in_session;
        match (port, application) {
            (53, _) if host.role == Role::DomainController => self.dns_server,
            (53 | 5353 | 5355, _) | (_, "dns") => self.dnscache,
            (137..=139 | 445, _) | (_, "smb") => Some(self.system),
            (88 | 389 | 464 | 636, _) | (_, "krb5") => self.lsass,
            (135, _) | (_, "dcerpc") => self.rpcss,
            (67 | 68 | 1900 | 3702, _) => self.dhcp,
            (25 | 110 | 143 | 587 | 993, _) | (_, "smtp" | "imap" | "pop3") if workstation => {
                self.mail
            }
            (5985 | 5986, _) if in_use => self.managing_workstation.draw(bits),
            (5985 | 5986, _) => self.managing_server.draw(bits),
            _ => match (in_use, outwards) {
                (true, true) => &self.from_workstation,
                (true, false) => &self.workstation_to_inside,
                (false, true) => &self.from_server,
                (false, false) => &self.server_to_inside,
            }
            .draw(bits),
        }
    }

    /// The process that accepts connections to `port` on a Linux host, if one does.
    pub fn linux_server(&self, host: &Host, port: i32) -> Option<usize> {
        match port {
            22 => self.sshd,
            80 | 443 | 8080 | 8443 if host.role == Role::WebServer => self.web,
            25 | 465 | 587 if host.role == Role::MailServer => self.smtp,
            3306 if host.role == Role::DatabaseServer => self.linux_database,
            _ => None,
        }
    }

    /// A client that connects to `port` from a Linux host, if one does; `bits` choose among several.
    pub fn linux_client(&self, host: &Host, port: i32, bits: u64) -> Option<Client> {
        let port = u16::try_from(port).ok()?;
        let first = self.clients.partition_point(|client| client.0 < port);
        let here = || {
            self.clients[first..]
                .iter()
                .take_while(move |client| client.0 == port)
                .filter(|client| host.is(client.1))
        };
        let count = here().count() as u64;
        let nth = (count > 0).then(|| below(bits.rotate_left(29), count))?;
        here().nth(nth as usize).map(|client| client.2)
    }

    /// Whether a resident is a daemon that forks a child for each login.
    pub fn forks(&self, resident: usize) -> bool {
        [self.sshd, self.cron].contains(&Some(resident))
    }

    /// Index of sshd among the residents.
    pub fn sshd(&self) -> usize {
        self.sshd.unwrap_or(self.systemd)
    }
}

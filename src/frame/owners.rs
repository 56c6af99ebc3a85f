//! Which resident process owns a flow, by side and port.

use crate::catalog::{Catalog, HostClass};
use crate::world::{Host, hosts::Role};

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
    update: Option<usize>,
    browser: Option<usize>,
    mail: Option<usize>,
    database: Option<usize>,
    sshd: Option<usize>,
    cron: Option<usize>,
    web: Option<usize>,
    linux_database: Option<usize>,
    smtp: Option<usize>,
    chronyd: Option<usize>,
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
            update: find("wuauserv"),
            browser: find("msedge"),
            mail: find("outlook"),
            database: find("sqlservr"),
            sshd: find("sshd"),
            cron: find("cron"),
            web: find("nginx"),
            linux_database: find("mysqld"),
            smtp: find("postfix"),
            chronyd: find("chronyd"),
        }
    }

    /// The process that accepts connections to `port` on a Windows host; none: nothing listens.
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

    /// The process that connects to `port` from a Windows host.
    pub fn windows_client(&self, host: &Host, port: i32, application: &str) -> Option<usize> {
        let workstation = host.is(HostClass::Workstation);
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
            _ if workstation => self.browser,
            _ => self.update,
        }
    }

    /// The process that accepts connections to `port` on a Linux host; none: nothing listens.
    pub fn linux_server(&self, host: &Host, port: i32) -> Option<usize> {
        match port {
            22 => self.sshd,
            80 | 443 | 8080 | 8443 if host.role == Role::WebServer => self.web,
            25 | 465 | 587 if host.role == Role::MailServer => self.smtp,
            3306 if host.role == Role::DatabaseServer => self.linux_database,
            _ => None,
        }
    }

    /// The process that connects to `port` from a Linux host, where a daemon does.
    pub fn linux_client(&self, host: &Host, port: i32) -> Option<usize> {
        match port {
            123 => self.chronyd,
            25 if host.role == Role::MailServer => self.smtp,
            80 | 443 | 8080 if host.role == Role::WebServer => self.web,
            _ => None,
        }
    }

    /// Whether a resident is a daemon that forks a child for each login.
    pub fn forks(&self, resident: usize) -> bool {
        [self.sshd, self.cron].contains(&Some(resident))
    }

    /// sshd.
    pub fn sshd(&self) -> usize {
        self.sshd.unwrap_or(self.systemd)
    }
}

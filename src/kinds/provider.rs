//! Providers of records, and platforms.

/// Operating system family of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Platform {
    Windows,
    Linux,
}

impl Platform {
    /// ATT&CK's name of the platform.
    pub fn attack_name(self) -> &'static str {
        match self {
            Platform::Windows => "Windows",
            Platform::Linux => "Linux",
        }
    }
}

/// The provider of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    Sysmon,
    Security,
    /// Records of the event log service itself, in the Security channel.
    Eventlog,
    System,
    PowerShell,
    Auditd,
    /// Syslog lines of logins, sessions and accounts.
    Auth,
    /// Other syslog lines.
    Syslog,
    /// The network sensor that raises standalone alerts.
    Sensor,
    /// A cloud or a service; the call says which.
    Service,
}

/// [`Provider::ALL`] is in the order of the numbers.
const _: () = {
    let mut at = 0;
    while at < Provider::ALL.len() {
        assert!(Provider::ALL[at] as usize == at);
        at += 1;
    }
};

use Provider::{
    Auditd, Auth, Eventlog, PowerShell, Security, Sensor, Service, Syslog, Sysmon, System,
};

impl Provider {
    /// All providers, in the order of their numbers.
    pub const ALL: [Provider; 10] = [
        Sysmon, Security, Eventlog, System, PowerShell, Auditd, Auth, Syslog, Sensor, Service,
    ];

    /// The platform of the hosts that have it; `None` if it is not on a host.
    pub const fn platform(self) -> Option<Platform> {
        match self {
            Sysmon | Security | Eventlog | System | PowerShell => Some(Platform::Windows),
            Auditd | Auth | Syslog => Some(Platform::Linux),
            Sensor | Service => None,
        }
    }

    /// `event.provider` and `winlog.provider_name`; `None` for syslog, the sensor and services.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Sysmon => Some("Microsoft-Windows-Sysmon"),
            Security => Some("Microsoft-Windows-Security-Auditing"),
            Eventlog => Some("Microsoft-Windows-Eventlog"),
            System => Some("Service Control Manager"),
            PowerShell => Some("Microsoft-Windows-PowerShell"),
            Auditd => Some("auditd"),
            Auth | Syslog | Sensor | Service => None,
        }
    }

    /// `winlog.provider_guid`, from the provider's manifest. Windows only.
    pub const fn guid(self) -> Option<&'static str> {
        match self {
            Sysmon => Some("{5770385f-c22a-43e0-bf4c-06f5698ffbd9}"),
            Security => Some("{54849625-5478-4994-a5ba-3e3b0328c30d}"),
            Eventlog => Some("{fc65ddd8-d6ef-4962-83d5-6e5cfe9ce148}"),
            System => Some("{555908d1-a6d7-4695-8e1e-26931d2012f4}"),
            PowerShell => Some("{a0c1853b-5c40-4b15-8766-3cf1c58f985a}"),
            _ => None,
        }
    }

    /// `winlog.channel`. Windows only.
    pub const fn channel(self) -> Option<&'static str> {
        match self {
            Sysmon => Some("Microsoft-Windows-Sysmon/Operational"),
            Security | Eventlog => Some("Security"),
            System => Some("System"),
            PowerShell => Some("Microsoft-Windows-PowerShell/Operational"),
            _ => None,
        }
    }

    /// `winlog.keywords` of a success and of a failure. Windows only.
    pub const fn keywords(self) -> [&'static str; 2] {
        match self {
            Security => ["0x8020000000000000", "0x8010000000000000"],
            Eventlog => ["0x4020000000000000"; 2],
            System => ["0x8080000000000000"; 2],
            PowerShell => ["0x0"; 2],
            _ => ["0x8000000000000000"; 2],
        }
    }

    /// `winlog.level`. Windows only.
    pub const fn level(self) -> &'static str {
        match self {
            PowerShell => "verbose",
            _ => "information",
        }
    }

    /// `winlog.opcode`. Windows only.
    pub const fn opcode(self) -> &'static str {
        match self {
            PowerShell => "On create calls",
            _ => "Info",
        }
    }

    /// `event.module` in ECS: the name of Elastic's integration. Empty for services, whose log has one.
    pub const fn module(self) -> &'static str {
        match self {
            Sysmon | PowerShell => "windows",
            Security | Eventlog | System | Auth | Syslog => "system",
            Auditd => "auditd",
            Sensor => "suricata",
            Service => "",
        }
    }

    /// `event.dataset` in ECS. Empty for services, whose log has one.
    pub const fn dataset(self) -> &'static str {
        match self {
            Sysmon => "windows.sysmon_operational",
            PowerShell => "windows.powershell_operational",
            Security | Eventlog => "system.security",
            System => "system.system",
            Auditd => "auditd.log",
            Auth => "system.auth",
            Syslog => "system.syslog",
            Sensor => "suricata.eve",
            Service => "",
        }
    }
}

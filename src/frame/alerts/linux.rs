//! What a Linux host has of a flow: the kernel's record of who accepts or opens it, the web
//! server's or the packet filter's line.

use super::super::maker::{Maker, TCP};
use super::super::owners::Client;
use super::super::text::{push_log_time, push_number};
use super::super::{Frame, NONE};
use super::{Flow, requests};
use crate::catalog::{ProcessRef, Telemetry};
use crate::random::{Key, below, chance};
use crate::world::hosts::Role;

/// Appends a text with the client's address where it says `{client}`.
fn push_with_client(line: &mut String, text: &str, client: &str) {
    match text.contains('{') {
        true => line.push_str(&text.replace("{client}", client)),
        false => line.push_str(text),
    }
}

impl Maker {
    pub(super) fn linux_flow(&self, frame: &mut Frame, row: usize, host: u32, flow: &Flow) {
        let &Flow {
            initiated,
            answered,
            port,
            ..
        } = flow;
        let h = &self.world.hosts[host];
        let seen = frame.destination_port[row] != NONE && answered && !frame.blocked[row];
        let owner = match (seen, initiated) {
            (false, _) => None,
            (true, true) => self.owners.linux_client(h, port, frame.salt[row]),
            (true, false) => self.owners.linux_server(h, port).map(Client::Resident),
        };
        let Some(owner) = owner else {
            // No daemon owns it: the packet filter's log line is what the host has.
            frame.telemetry[row] = Telemetry::Syslog;
            frame.facility[row] = 0;
            frame.syslog_severity[row] = 4;
            frame.user[row] = crate::world::users::ROOT as i32;
            return self.netfilter(frame, row, host, initiated);
        };
        let server = (!initiated).then_some(owner);
        if server == Some(Client::Resident(self.owners.sshd())) {
            frame.telemetry[row] = Telemetry::UserLogin;
            frame.success[row] = false;
            frame.audit_key[row] = NONE;
            self.set_flow_process(frame, row, host, owner);
            // Guesses of an account that exists: root, mostly.
            let users = self.world.accounts.users();
            let bits = frame.salt[row];
            if !chance(bits, 600_000) && !users.is_empty() {
                frame.user[row] = (users.start
                    + below(bits.rotate_left(17), u64::from(users.end - users.start)) as u32)
                    as i32;
            }
        } else if server.is_some()
            && h.role == Role::WebServer
            && frame.protocol[row] == TCP
            && !frame.salt[row].is_multiple_of(4)
        {
            // A request stands in the web server's own log, or what the kernel audits is kept.
            frame.telemetry[row] = Telemetry::Syslog;
            frame.facility[row] = 3;
            frame.syslog_severity[row] = 6;
            self.set_flow_process(frame, row, host, owner);
            self.access_line(frame, row);
        } else {
            frame.telemetry[row] = Telemetry::Syscall;
            frame.syscall[row] = i32::from(!initiated);
            frame.audit_key[row] = if initiated { 2 } else { 0 };
            self.set_flow_process(frame, row, host, owner);
        }
    }

    /// Writes the process that accepts or opens a flow, and for the kernel's record its parent.
    fn set_flow_process(&self, frame: &mut Frame, row: usize, host: u32, owner: Client) {
        let time = frame.time[row];
        let hosts = [host];
        let scene = self.flow_scene(&hosts, Key::root(frame.salt[row]));
        let mut acting = match owner {
            Client::Resident(resident) => self.resident(host, resident, time),
            Client::Program(program) => self.program(host, program, time, &scene),
        };
        if frame.telemetry[row].is_of_login() {
            // A connection is a child's.
            let parent = &acting.process;
            let child = self.child(host, parent, parent.image, time, 0, &scene);
            acting = acting.with_child(child);
        }
        self.set_process(frame, row, &acting, &scene);
        frame.user[row] = acting.process.account as i32;
        if frame.telemetry[row] == Telemetry::Syscall {
            if let Some(parent) = self.parent(&acting, &scene) {
                self.set_parent(frame, row, &parent, &scene);
            }
            let parent = match owner {
                Client::Resident(resident) => resident,
                Client::Program(program) => self.catalog.programs[program].parent,
            };
            self.set_login(frame, row, &scene, ProcessRef::Resident(parent));
        }
    }

    /// The line of the web server's log, in nginx's combined format: a request of the flow's
    /// client.
    fn access_line(&self, frame: &mut Frame, row: usize) {
        let client = match frame.client_is_source[row] {
            true => frame.source[row],
            false => frame.destination[row],
        };
        let client = &self.world.addresses.texts[client as usize];
        let draw = Key::root(frame.salt[row]);
        let theme = self.alerts.tuples[frame.rule[row] as usize].requests;
        let request = requests::request(theme, draw);
        let bytes = match request.status {
            304 => 0,
            _ => 150 + draw.below(13, 9_000),
        };
        let time = frame.time[row];
        let key = frame.message.write(|line| {
            line.push_str(client);
            line.push_str(" - - [");
            push_log_time(line, time);
            line.push_str("] \"");
            line.push_str(request.method);
            line.push(' ');
            push_with_client(line, request.path, client);
            line.push_str(" HTTP/1.1\" ");
            push_number(line, request.status.into());
            line.push(' ');
            push_number(line, bytes);
            line.push_str(" \"-\" \"");
            push_with_client(line, request.agent, client);
            line.push('"');
        });
        frame.message.set_key(row, key);
    }

    /// The kernel's line: `[UFW BLOCK] IN=eth0 OUT= MAC=… SRC=… DST=… LEN=60 … PROTO=TCP SPT=… DPT=…`.
    fn netfilter(&self, frame: &mut Frame, row: usize, host: u32, initiated: bool) {
        use std::fmt::Write;
        let texts = &self.world.addresses.texts;
        let (client_side, server_side) = if frame.client_is_source[row] {
            (
                (frame.source[row], frame.source_port[row]),
                (frame.destination[row], frame.destination_port[row]),
            )
        } else {
            (
                (frame.destination[row], frame.destination_port[row]),
                (frame.source[row], frame.source_port[row]),
            )
        };
        let salt = Key::root(frame.salt[row]);
        let mac = self.world.host_key(host).at(1);
        let mut line = String::with_capacity(220);
        let verdict = if frame.blocked[row] { "BLOCK" } else { "AUDIT" };
        let uptime = 10_000
            + self.world.host_key(host).below(2, 4_000_000)
            + (frame.time[row] / 1_000_000 - self.world.start).max(0) as u64;
        let _ = write!(
            line,
            "[{uptime}.{:06}] [UFW {verdict}] ",
            salt.below(1, 1_000_000)
        );
        if initiated {
            line.push_str("IN= OUT=eth0 ");
        } else {
            let _ = write!(
                line,
                "IN=eth0 OUT= MAC=00:50:56:{:02x}:{:02x}:{:02x}:00:1b:17:00:01:{:02x}:08:00 ",
                mac as u8,
                (mac >> 8) as u8,
                (mac >> 16) as u8,
                (mac >> 24) as u8 & 0x3f
            );
        }
        let (source, destination) = (
            &texts[client_side.0 as usize],
            &texts[server_side.0 as usize],
        );
        let ttl = if initiated {
            64
        } else {
            40 + salt.below(2, 24)
        };
        let protocol = self
            .vocabulary
            .protocols
            .get(frame.protocol[row].max(0) as usize)
            .map_or("tcp", String::as_str);
        let length = match protocol {
            "tcp" => 40 + 4 * salt.below(3, 6),
            "udp" => 40 + salt.below(3, 400),
            _ => 84,
        };
        let _ = write!(
            line,
            "SRC={source} DST={destination} LEN={length} TOS=0x00 PREC=0x00 TTL={ttl} ID={} ",
            salt.below(4, 65_536)
        );
        match protocol {
            "tcp" => {
                let _ = write!(
                    line,
                    "DF PROTO=TCP SPT={} DPT={} WINDOW={} RES=0x00 SYN URGP=0 ",
                    client_side.1,
                    server_side.1,
                    [64_240, 65_535, 29_200, 1024][salt.below(5, 4) as usize]
                );
            }
            "udp" => {
                let _ = write!(
                    line,
                    "PROTO=UDP SPT={} DPT={} LEN={} ",
                    client_side.1,
                    server_side.1,
                    length - 20
                );
            }
            _ => {
                let _ = write!(
                    line,
                    "PROTO=ICMP TYPE=8 CODE=0 ID={} SEQ={} ",
                    salt.below(6, 65_536),
                    1 + salt.below(7, 20)
                );
            }
        }
        let line = line.trim_end();
        frame.message.set(row, line);
    }
}

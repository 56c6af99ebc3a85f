//! A Linux host's record of a flow: the kernel's audit record of the process that accepts or
//! opens it, or a line of the web server or the packet filter.

use super::flow::{AccessSlot, Flow, PacketSlot, scene};
use super::requests::request;
use super::tables::AlertTables;
use crate::catalog::{ProcessRef, Telemetry};
use crate::frame::owners::Client;
use crate::frame::record::Records;
use crate::frame::vocabulary::{ACCEPT, CONNECT, TCP, Vocabulary};
use crate::frame::words::{push_log_time, push_number};
use crate::frame::{Frame, NONE};
use crate::ids::HostId;
use crate::random::{Draws, Key, below, chance, choose};
use crate::world::hosts::Role;
use crate::world::processes::HardwareSlot;
use crate::world::users::ROOT;

/// Appends a text, with the client's address in place of `{client}`.
fn push_with_client(line: &mut String, text: &str, client: &str) {
    match text.contains('{') {
        true => line.push_str(&text.replace("{client}", client)),
        false => line.push_str(text),
    }
}

/// Fills a Linux host's records of flows.
#[derive(Debug, Clone, Copy)]
pub(super) struct LinuxFlows<'m> {
    pub records: Records<'m>,
    pub vocabulary: &'m Vocabulary,
    pub tables: &'m AlertTables,
}

impl LinuxFlows<'_> {
    /// Fills the record of a flow whose ends, ports and `salt` the row has.
    pub fn fill(&self, frame: &mut Frame, row: usize, flow: &Flow) {
        let &Flow {
            host,
            initiated,
            answered,
            port,
            ..
        } = flow;
        let (world, owners) = (self.records.world, self.records.lineage.owners);
        let h = &world.hosts[host];
        let seen = frame.destination_port[row] != NONE && answered && !frame.blocked[row];
        let owner = match (seen, initiated) {
            (false, _) => None,
            (true, true) => owners.linux_client(h, port, frame.salt[row]),
            (true, false) => owners.linux_server(h, port).map(Client::Resident),
        };
        let Some(owner) = owner else {
            // Without a daemon that owns it, the host has only the packet filter's line.
            frame.telemetry[row] = Telemetry::Syslog;
            frame.facility[row] = 0;
            frame.syslog_severity[row] = 4;
            frame.user[row] = ROOT;
            return self.netfilter(frame, row, host, initiated);
        };
        let server = (!initiated).then_some(owner);
        if server == Some(Client::Resident(owners.sshd())) {
            frame.telemetry[row] = Telemetry::UserLogin;
            frame.success[row] = false;
            frame.audit_key[row] = NONE;
            self.set_flow_process(frame, row, host, owner);
            // Guesses at the password of an account that exists: mostly root's.
            let users = world.accounts.users();
            let bits = frame.salt[row];
            if !chance(bits, 600_000) && !users.is_empty() {
                frame.user[row] = users.nth(below(bits.rotate_left(17), users.len() as u64));
            }
        } else if server.is_some()
            && h.role == Role::WebServer
            && frame.protocol[row] == TCP
            && !frame.salt[row].is_multiple_of(4)
        {
            // The web server logs the request; otherwise the kernel's audit record is kept.
            frame.telemetry[row] = Telemetry::Syslog;
            frame.facility[row] = 3;
            frame.syslog_severity[row] = 6;
            self.set_flow_process(frame, row, host, owner);
            self.access_line(frame, row);
        } else {
            frame.telemetry[row] = Telemetry::Syscall;
            frame.syscall[row] = i32::from(!initiated);
            frame.audit_key[row] = if initiated { CONNECT } else { ACCEPT };
            self.set_flow_process(frame, row, host, owner);
        }
    }

    /// Writes the process that accepts or opens a flow; in the kernel's record also its parent.
    fn set_flow_process(&self, frame: &mut Frame, row: usize, host: HostId, owner: Client) {
        let time = frame.time[row];
        let hosts = [host];
        let scene = scene(self.records.world, &hosts, frame.salt[row]);
        let (lineage, processes) = (&self.records.lineage, &self.records.processes);
        let mut acting = match owner {
            Client::Resident(resident) => lineage.resident(host, resident, time),
            Client::Program(program) => lineage.program(host, program, time, &scene),
        };
        if frame.telemetry[row].is_of_login() {
            // A forked child serves each connection.
            let parent = &acting.process;
            let child = lineage
                .sessions
                .child(host, parent, parent.image, time, 0, &scene);
            acting = acting.with_child(child);
        }
        processes.set(&mut frame.process, row, &acting, &scene);
        frame.user[row] = acting.process.account;
        if frame.telemetry[row] == Telemetry::Syscall {
            if let Some(parent) = lineage.parent(&acting, &scene) {
                processes.set(&mut frame.parent, row, &parent, &scene);
            }
            let parent = match owner {
                Client::Resident(resident) => resident,
                Client::Program(program) => self.records.catalog.programs[program].parent,
            };
            self.records
                .logins
                .set_login(frame, row, &scene, ProcessRef::Resident(parent));
        }
    }

    /// Writes a line of the web server's log in nginx's combined format: a request of the client.
    fn access_line(&self, frame: &mut Frame, row: usize) {
        let client = match frame.client_is_source[row] {
            true => frame.source[row],
            false => frame.destination[row],
        };
        let client = &self.records.world.addresses.texts[client as usize];
        let draws = Draws::new(Key::root(frame.salt[row]));
        let rule = frame.rule[row].get().unwrap_or_default();
        let theme = self.tables.tuple(rule).requests;
        let request = request(theme, draws);
        let bytes = match (request.method, request.status) {
            ("HEAD", _) | (_, 304) => 0,
            _ => 150 + draws.below(AccessSlot::Bytes, 9_000),
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

    /// The packet filter's line:
    /// `[UFW BLOCK] IN=eth0 OUT= MAC=… SRC=… DST=… LEN=60 … PROTO=TCP SPT=… DPT=…`.
    fn netfilter(&self, frame: &mut Frame, row: usize, host: HostId, initiated: bool) {
        use std::fmt::Write;
        let world = self.records.world;
        let draws = Draws::new(Key::root(frame.salt[row]));
        let mut line = String::with_capacity(220);
        let verdict = if frame.blocked[row] { "BLOCK" } else { "AUDIT" };
        let uptime = 10_000
            + world.hardware(host).below(HardwareSlot::Uptime, 4_000_000)
            + (frame.time[row] / 1_000_000 - world.epoch).max(0) as u64;
        let _ = write!(
            line,
            "[{uptime}.{:06}] [UFW {verdict}] ",
            draws.below(PacketSlot::Microseconds, 1_000_000)
        );
        if initiated {
            line.push_str("IN= OUT=eth0 ");
        } else {
            let mac = world.hardware(host).bits(HardwareSlot::Mac);
            let _ = write!(
                line,
                "IN=eth0 OUT= MAC=00:50:56:{:02x}:{:02x}:{:02x}:00:1b:17:00:01:{:02x}:08:00 ",
                mac as u8,
                (mac >> 8) as u8,
                (mac >> 16) as u8,
                (mac >> 24) as u8 & 0x3f
            );
        }
        self.push_packet(frame, row, draws, initiated, &mut line);
        frame.message.set(row, line.trim_end());
    }

    /// Appends the packet's headers to a packet filter's line.
    fn push_packet(
        &self,
        frame: &Frame,
        row: usize,
        draws: Draws<PacketSlot>,
        initiated: bool,
        line: &mut String,
    ) {
        use std::fmt::Write;
        let texts = &self.records.world.addresses.texts;
        let source = (frame.source[row], frame.source_port[row]);
        let destination = (frame.destination[row], frame.destination_port[row]);
        let (client, server) = match frame.client_is_source[row] {
            true => (source, destination),
            false => (destination, source),
        };
        let ttl = match initiated {
            true => 64,
            false => 40 + draws.below(PacketSlot::TimeToLive, 24),
        };
        let protocol = self
            .vocabulary
            .protocols
            .get(frame.protocol[row].max(0) as usize)
            .map_or("tcp", String::as_str);
        let length = match protocol {
            "tcp" => 40 + 4 * draws.below(PacketSlot::Length, 6),
            "udp" => 40 + draws.below(PacketSlot::Length, 400),
            _ => 84,
        };
        let _ = write!(
            line,
            "SRC={} DST={} LEN={length} TOS=0x00 PREC=0x00 TTL={ttl} ID={} ",
            &texts[client.0 as usize],
            &texts[server.0 as usize],
            draws.below(PacketSlot::Id, 65_536)
        );
        let _ = match protocol {
            "tcp" => write!(
                line,
                "DF PROTO=TCP SPT={} DPT={} WINDOW={} RES=0x00 SYN URGP=0 ",
                client.1,
                server.1,
                choose(
                    &[64_240, 65_535, 29_200, 1024],
                    draws.bits(PacketSlot::Window)
                )
            ),
            "udp" => write!(
                line,
                "PROTO=UDP SPT={} DPT={} LEN={} ",
                client.1,
                server.1,
                length - 20
            ),
            _ => write!(
                line,
                "PROTO=ICMP TYPE=8 CODE=0 ID={} SEQ={} ",
                draws.below(PacketSlot::EchoId, 65_536),
                1 + draws.below(PacketSlot::EchoSequence, 20)
            ),
        };
    }
}

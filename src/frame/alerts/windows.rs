//! A Windows host's record of a flow: Sysmon's connection, or the filtering platform's.

use super::flow::{Flow, WindowsSlot, scene};
use crate::catalog::Telemetry;
use crate::frame::record::Records;
use crate::frame::vocabulary::Vocabulary;
use crate::frame::{Frame, NONE};
use crate::random::{Draws, Key};

/// Fills a Windows host's records of flows.
#[derive(Debug, Clone, Copy)]
pub(super) struct WindowsFlows<'m> {
    pub records: Records<'m>,
    pub vocabulary: &'m Vocabulary,
}

impl WindowsFlows<'_> {
    /// Fills the record of a flow whose ends, ports and `salt` the row has.
    pub fn fill(&self, frame: &mut Frame, row: usize, flow: &Flow) {
        let owners = self.records.lineage.owners;
        let owner = self.owner(frame, row, flow);
        // Sysmon logs connections. Only the filtering platform sees what was not answered or has
        // no ports. Sysmon's configuration excludes what the kernel accepts (SMB, WinRM): it is too much.
        let is_served_by_kernel = !flow.initiated && owner == Some(owners.system);
        let is_logged = flow.answered && owner.is_some() && !is_served_by_kernel;
        frame.telemetry[row] = match (frame.blocked[row], is_logged) {
            (true, _) => Telemetry::ConnectionBlocked,
            (false, true) => Telemetry::NetworkConnection,
            (false, false) => Telemetry::ConnectionPermitted,
        };
        let resident = owner.unwrap_or(owners.system);
        let acting = (self.records.lineage).resident(flow.host, resident, frame.time[row]);
        let hosts = [flow.host];
        let scene = scene(self.records.world, &hosts, frame.salt[row]);
        (self.records.processes).set(&mut frame.process, row, &acting, &scene);
        frame.user[row] = acting.process.account;
    }

    /// The resident that opens or accepts a flow, if one does.
    fn owner(&self, frame: &Frame, row: usize, flow: &Flow) -> Option<usize> {
        if frame.destination_port[row] == NONE {
            return None;
        }
        let (world, owners) = (self.records.world, self.records.lineage.owners);
        let host = &world.hosts[flow.host];
        if !flow.initiated {
            return owners.windows_server(host, flow.port);
        }
        let application = usize::try_from(frame.application[row])
            .ok()
            .and_then(|a| self.vocabulary.applications.get(a))
            .map_or("", String::as_str);
        let draws = Draws::new(Key::root(frame.salt[row]));
        // Few people work at night, but locked sessions go on: on two of three desks.
        let in_use = world.in_use(frame.time[row].div_euclid(1_000_000));
        let in_session = draws.below(WindowsSlot::InSession, 600) < in_use.max(400);
        let bits = draws.bits(WindowsSlot::Owner);
        owners.windows_client(
            host,
            flow.port,
            application,
            flow.outwards,
            in_session,
            bits,
        )
    }
}

//! Process trees by host.
//!
//! This module knows facts about processes, not the fields that hold them.

use serde::Serialize;

/// Maximum processes on a page; a good example chain starts fewer.
const MOST_PROCESSES: usize = 250;

/// A process, as one event names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its `entity_id`; Security records do not have one in every schema.
    pub entity: Option<String>,
    pub pid: i64,
    pub name: String,
    pub command_line: String,
}

/// The acting process of one event.
#[derive(Debug, Clone, Copy)]
pub struct Act<'e> {
    pub host: &'e str,
    pub user: &'e str,
    pub step: i64,
    pub own: &'e Process,
    pub parent: Option<&'e Process>,
}

/// Process trees of one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostTrees {
    pub host: String,
    pub processes: Vec<Node>,
}

/// A process and its child processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    pub pid: i64,
    pub name: String,
    pub command_line: String,
    /// Account of its first event; empty if it is only named as a parent.
    pub user: String,
    /// Number of events with it as the acting process, and the steps of those events.
    pub events: u64,
    pub steps: Vec<i64>,
    pub children: Vec<Node>,
}

/// A process while the trees are built.
struct Found<'e> {
    entity: Option<&'e str>,
    parent: Option<usize>,
    node: Node,
}

/// Trees by host, and the number of processes left out.
pub fn trees<'e>(acts: impl Iterator<Item = Act<'e>>) -> (Vec<HostTrees>, usize) {
    let mut hosts: Vec<(&str, Vec<Found<'_>>)> = Vec::new();
    for act in acts {
        let index = match hosts.iter().position(|(host, _)| *host == act.host) {
            Some(index) => index,
            None => {
                hosts.push((act.host, Vec::new()));
                hosts.len() - 1
            }
        };
        let (_, found) = &mut hosts[index];
        let parent = act.parent.map(|parent| place(found, parent));
        let at = place(found, act.own);
        // No process is its own ancestor, whatever the ids say.
        if let Some(parent) = parent
            && found[at].parent.is_none()
            && !descends(found, parent, at)
        {
            found[at].parent = Some(parent);
        }
        let node = &mut found[at].node;
        node.events += 1;
        if node.user.is_empty() {
            node.user = act.user.to_string();
        }
        if !node.steps.contains(&act.step) {
            node.steps.push(act.step);
        }
    }
    let all: usize = hosts.iter().map(|(_, found)| found.len()).sum();
    let mut room = MOST_PROCESSES;
    let trees = hosts.into_iter().map(|(host, found)| {
        let shown = found.len().min(room);
        room -= shown;
        HostTrees {
            host: host.to_string(),
            processes: nested(found, shown),
        }
    });
    let trees = trees.filter(|tree| !tree.processes.is_empty()).collect();
    (trees, all.saturating_sub(MOST_PROCESSES))
}

/// Index of a process, which is added if new. It is identified by its entity id, or by pid and name if
/// a record has no entity id.
fn place<'e>(found: &mut Vec<Found<'e>>, process: &'e Process) -> usize {
    let entity = process.entity.as_deref();
    let same = |f: &Found<'_>| f.node.pid == process.pid && f.node.name == process.name;
    let by_entity = found
        .iter()
        .position(|f| entity.is_some() && f.entity == entity);
    let known = by_entity.or_else(|| {
        let alike = |f: &Found<'_>| (f.entity.is_none() || entity.is_none()) && same(f);
        found.iter().position(alike)
    });
    let at = known.unwrap_or_else(|| {
        found.push(Found {
            entity,
            parent: None,
            node: Node {
                pid: process.pid,
                name: process.name.clone(),
                command_line: String::new(),
                user: String::new(),
                events: 0,
                steps: Vec::new(),
                children: Vec::new(),
            },
        });
        found.len() - 1
    });
    let process_found = &mut found[at];
    process_found.entity = process_found.entity.or(entity);
    let node = &mut process_found.node;
    if node.command_line.is_empty() {
        node.command_line = process.command_line.clone();
    }
    at
}

/// Whether `at` is `ancestor` or one of its descendants.
fn descends(found: &[Found<'_>], mut at: usize, ancestor: usize) -> bool {
    loop {
        if at == ancestor {
            return true;
        }
        match found[at].parent {
            Some(parent) => at = parent,
            None => return false,
        }
    }
}

/// The first `shown` processes, with children nested in parents.
fn nested(found: Vec<Found<'_>>, shown: usize) -> Vec<Node> {
    let parents: Vec<Option<usize>> = found.iter().map(|f| f.parent).collect();
    let mut nodes: Vec<Option<Node>> = found.into_iter().map(|f| Some(f.node)).collect();
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    let mut roots = Vec::new();
    for (at, parent) in parents.iter().enumerate().take(shown) {
        match parent {
            Some(parent) if *parent < shown => children[*parent].push(at),
            _ => roots.push(at),
        }
    }
    fn take(at: usize, nodes: &mut [Option<Node>], children: &[Vec<usize>]) -> Option<Node> {
        let mut node = nodes[at].take()?;
        node.children = children[at]
            .iter()
            .filter_map(|&c| take(c, nodes, children))
            .collect();
        Some(node)
    }
    roots
        .into_iter()
        .filter_map(|root| take(root, &mut nodes, &children))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(id: &str) -> Option<Process> {
        (!id.is_empty()).then(|| Process {
            entity: (!id.ends_with('?')).then(|| id.to_string()),
            pid: 4,
            name: id.trim_end_matches('?').into(),
            command_line: String::new(),
        })
    }

    /// Acts from host, process and parent.
    fn trees(acts: &[(&str, &str, &str)]) -> (Vec<HostTrees>, usize) {
        let processes: Vec<_> = acts
            .iter()
            .map(|(_, own, parent)| (process(own), process(parent)))
            .collect();
        let acts = acts.iter().zip(&processes);
        super::trees(acts.filter_map(|((host, ..), (own, parent))| {
            Some(Act {
                host,
                user: "u",
                step: 1,
                own: own.as_ref()?,
                parent: parent.as_ref(),
            })
        }))
    }

    /// Formats a tree as `a(b(c) d)`.
    fn shape(nodes: &[Node]) -> String {
        let each = nodes.iter().map(|node| match node.children.as_slice() {
            [] => node.name.clone(),
            children => format!("{}({})", node.name, shape(children)),
        });
        each.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn processes_hang_below_their_parents_on_their_host() {
        let events = [
            ("A", "cmd", "explorer"),
            ("B", "cmd", "services"),
            ("A", "net", "cmd"),
            ("A", "lsass", ""),
            ("A", "cmd", ""),
        ];
        let (trees, hidden) = trees(&events);
        assert_eq!(hidden, 0);
        let shapes: Vec<_> = trees
            .iter()
            .map(|t| (t.host.as_str(), shape(&t.processes)))
            .collect();
        assert_eq!(
            shapes,
            [
                ("A", "explorer(cmd(net)) lsass".to_string()),
                ("B", "services(cmd)".to_string())
            ]
        );
        assert_eq!(trees[0].processes[0].children[0].events, 2);
        assert_eq!(trees[0].processes[0].events, 0, "only named as a parent");
    }

    #[test]
    fn a_record_without_entity_is_of_the_process_with_its_pid() {
        let events = [
            ("A", "lsass?", ""),
            ("A", "lsass", ""),
            ("A", "lsass?", ""),
            ("A", "System?", ""),
        ];
        let (trees, _) = trees(&events);
        assert_eq!(shape(&trees[0].processes), "lsass System");
        assert_eq!(trees[0].processes[0].events, 3);
    }

    #[test]
    fn a_circle_of_parents_is_cut() {
        let (trees, _) = trees(&[("A", "a", "b"), ("A", "b", "a"), ("A", "c", "c")]);
        assert_eq!(shape(&trees[0].processes), "b(a) c");
    }

    #[test]
    fn a_forest_too_large_is_cut_and_said() {
        let names: Vec<String> = (0..MOST_PROCESSES + 7).map(|i| format!("p{i}")).collect();
        let events: Vec<_> = names.iter().map(|name| ("A", name.as_str(), "")).collect();
        let (trees, hidden) = trees(&events);
        assert_eq!((trees[0].processes.len(), hidden), (MOST_PROCESSES, 7));
    }
}

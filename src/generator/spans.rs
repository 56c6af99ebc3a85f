//! The frames of selected events, in order.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use crate::frame::{Maker, Order};
use crate::plan::{Plan, RowGroup};

/// Mean rows of a slice, whose rows are sorted at once.
const SLICE_ROWS: u64 = 128 * 1024;

/// One frame of an ordered row group or slice.
pub(super) struct Span {
    pub order: Arc<Order>,
    pub frame: usize,
}

/// Where the rows come from.
enum Rows {
    RowGroups(VecDeque<RowGroup>),
    /// Of all categories, in order of time.
    Slices(Slices),
}

/// A time range of the corpus in slices: equal parts of a date, each merged over all categories.
struct Slices {
    /// Where the next slice begins, Unix microseconds.
    from: i64,
    /// The date of the next slice.
    date: u32,
    /// The last date, exclusive.
    end: u32,
}

/// The spans of a stream, in order.
pub(super) struct Spans {
    maker: Arc<Maker>,
    rows: Rows,
    /// The next frame of the current row group.
    open: Option<Span>,
    /// The number of rows that are still to come.
    left: u64,
}

impl Slices {
    fn next(&mut self, plan: &Plan) -> Option<Order> {
        if self.date >= self.end {
            return None;
        }
        let partitions = plan.partitions_of(self.date);
        let (start, end) = (
            plan.calendar.midnight(self.date),
            plan.calendar.midnight(self.date + 1),
        );
        let rows: u64 = plan.partitions[partitions.clone()]
            .iter()
            .map(|p| p.rows)
            .sum();
        let length = (end - start) / rows.div_ceil(SLICE_ROWS).clamp(1, 86_400) as i64;
        // Slices begin at the same times wherever the first one does.
        let to = start + ((self.from - start) / length + 1) * length;
        let (from, to) = match to + length > end {
            true => (self.from, end),
            false => (self.from, to),
        };
        self.from = to;
        self.date += u32::from(to == end);
        Some(Order::between(plan, partitions, from, to))
    }
}

impl Spans {
    /// The frames of these row groups.
    pub fn of(maker: Arc<Maker>, row_groups: Vec<RowGroup>) -> Self {
        Spans {
            maker,
            left: row_groups.iter().map(|group| group.rows).sum(),
            rows: Rows::RowGroups(row_groups.into()),
            open: None,
        }
    }

    /// The frames of all events of these dates, in order of time over all categories. Those before
    /// `since`, in Unix microseconds, are left out.
    pub fn in_time_order(maker: Arc<Maker>, dates: Range<u32>, since: Option<i64>) -> Self {
        let plan = &maker.plan;
        let start = plan.calendar.midnight(dates.start);
        let from = since.map_or(start, |since| since.max(start));
        let mut slices = Slices {
            from,
            date: dates.end,
            end: dates.end,
        };
        let mut left = 0;
        for date in dates.rev() {
            if plan.calendar.midnight(date + 1) <= from {
                break;
            }
            slices.date = date;
            for partition in &plan.partitions[plan.partitions_of(date)] {
                left += partition.rows - partition.before(plan, from);
            }
        }
        Spans {
            maker,
            left,
            rows: Rows::Slices(slices),
            open: None,
        }
    }

    /// The number of rows that are still to come.
    pub fn rows(&self) -> u64 {
        self.left
    }
}

impl Iterator for Spans {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        loop {
            if let Some(span) = self.open.take()
                && span.frame < span.order.frames()
            {
                self.open = Some(Span {
                    order: span.order.clone(),
                    frame: span.frame + 1,
                });
                self.left -= span.order.range(span.frame).len() as u64;
                return Some(span);
            }
            let plan = &self.maker.plan;
            let order = match &mut self.rows {
                Rows::RowGroups(groups) => Order::new(plan, &groups.pop_front()?),
                Rows::Slices(slices) => slices.next(plan)?,
            };
            self.open = Some(Span {
                order: Arc::new(order),
                frame: 0,
            });
        }
    }
}

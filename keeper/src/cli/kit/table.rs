//! Tables that fit a terminal of 100 columns.

use super::text::plain;
use std::fmt;

/// Columns of a terminal that nobody has made wider.
const WIDTH_MAX: usize = 100;

/// Between two columns.
const GAP: usize = 2;

/// Least that is left of a column that has to give way.
const CELL_MIN: usize = 6;

/// Where a column's cells stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Side {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// Rows under a heading. Cells may hold strangers' text: it is made harmless here.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Grid {
    heads: Vec<(&'static str, Side)>,
    rows: Vec<Vec<String>>,
}

impl Grid {
    /// An empty table.
    pub(in crate::cli) fn new(heads: &[(&'static str, Side)]) -> Self {
        Self { heads: heads.to_vec(), rows: Vec::new() }
    }

    /// One more row; missing cells are empty.
    pub(in crate::cli) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let mut cells: Vec<String> = cells.into_iter().map(|cell| plain(&cell, WIDTH_MAX)).collect();
        cells.resize(self.heads.len(), String::new());
        self.rows.push(cells);
    }

    /// Width of each column: as wide as its widest cell, the widest cut down until all fit.
    fn widths(&self) -> Vec<usize> {
        let cell = |row: &Vec<String>, column: usize| row[column].chars().count();
        let widest = |(column, (head, _)): (usize, &(&str, Side))| {
            self.rows.iter().map(|row| cell(row, column)).chain([head.chars().count()]).max().unwrap_or(0)
        };
        let mut widths: Vec<usize> = self.heads.iter().enumerate().map(widest).collect();
        let room = WIDTH_MAX.saturating_sub(GAP * widths.len().saturating_sub(1));
        while widths.iter().sum::<usize>() > room {
            let Some(widest) = widths.iter_mut().max().filter(|width| **width > CELL_MIN) else { break };
            *widest -= 1;
        }
        widths
    }
}

impl fmt::Display for Grid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        let heads: Vec<String> = self.heads.iter().map(|(head, _)| (*head).to_owned()).collect();
        for row in std::iter::once(&heads).chain(&self.rows) {
            let mut line = String::new();
            for ((cell, width), (_, side)) in row.iter().zip(&widths).zip(&self.heads) {
                let cell = plain(cell, *width);
                match side {
                    Side::Left => line.push_str(&format!("{cell:<width$}")),
                    Side::Right => line.push_str(&format!("{cell:>width$}")),
                }
                line.push_str(&" ".repeat(GAP));
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_never_wider_than_a_hundred_columns_and_cuts_its_widest_cells() {
        let mut grid = Grid::new(&[("name", Side::Left), ("price", Side::Right), ("url", Side::Left)]);
        grid.row(["a".into(), "1.5".into(), "u".repeat(400)]);
        grid.row(["\u{1b}[2Jb".into(), "12.25".into(), "v".into()]);
        let text = grid.to_string();
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH_MAX), "{text}");
        assert!(text.contains("  1.5  uuu") && text.contains('…') && !text.contains('\u{1b}'), "{text}");
        assert_eq!(text.lines().count(), 3);
    }
}

//! What a machine has signed in a session, and the check of what it shows under that.

use crate::frame::{Root, Row, Segment, Start, Walked};
use crate::freivalds::EpochSecrets;
use crate::seed::{self, Openings};
use crate::segment::{self, SegmentFault};
use crate::statement::{Statement, WalkStatement};
use crate::verdict::{BadRow, Falsehood, Unmeasured, Verdict};
use crate::{Bytes32, matrix, tree};

/// The work, and the machine's commitments to it as they come.
#[derive(Debug)]
pub(super) struct Signed {
    start: Start,
    root: Root,
    /// Digest of the statement about the results.
    results: Bytes32,
    nonce: Bytes32,
    walk_roots: Vec<Bytes32>,
    asked: Openings,
}

impl Signed {
    pub(super) fn nothing(start: Start) -> Self {
        Self {
            start,
            root: Root { count: 0, rounds: 0, roots: Vec::new(), signature: [0; 64] },
            results: [0; 32],
            nonce: [0; 32],
            walk_roots: Vec::new(),
            asked: Openings { rows: Vec::new(), legs: Vec::new() },
        }
    }

    pub(super) fn start(&self) -> &Start {
        &self.start
    }

    /// What the machine has to show. Nothing before it has signed its walk.
    pub(super) fn asked(&self) -> &Openings {
        &self.asked
    }

    /// Takes the commitment to the results. Returns the nonce of the walk.
    pub(super) fn results(&mut self, root: Root, session_random: &Bytes32) -> Result<Bytes32, Unmeasured> {
        if (root.count, root.rounds) != (self.start.count, self.start.params.rounds) {
            return Err(Unmeasured::RootShape);
        }
        let statement = Statement::answering(&self.start, &root.roots);
        if !statement.signed_by_machine(&root.signature) {
            return Err(Unmeasured::Signature);
        }
        self.results = statement.digest();
        self.nonce = seed::walk_nonce(session_random, &self.results);
        self.root = root;
        Ok(self.nonce)
    }

    /// Takes the commitment to the walk, which settles what is to be shown.
    pub(super) fn walk(&mut self, walked: Walked, session_random: &Bytes32) -> Result<(), Unmeasured> {
        if walked.roots.len() != usize::from(self.start.count) {
            return Err(Unmeasured::WalkShape);
        }
        let (machine, results, nonce) = (self.start.machine, self.results, self.nonce);
        let statement = WalkStatement { machine, results, nonce, roots: &walked.roots };
        if !statement.signed_by_machine(&walked.signature) {
            return Err(Unmeasured::Signature);
        }
        let (params, count) = (&self.start.params, self.start.count);
        self.asked = seed::choose_openings(params, count, session_random, &statement.digest());
        self.walk_roots = walked.roots;
        Ok(())
    }

    /// Fails unless the row is committed to and right.
    pub(super) fn check_row(&self, row: &Row, secrets: &EpochSecrets) -> Result<(), Verdict> {
        let (params, at) = (&self.start.params, row.at);
        let lost = Verdict::Unmeasured(Unmeasured::RowNotCommitted { at });
        let (root, before) = (self.root.of(at.gpu, at.round), self.root.before(at.gpu, at.round));
        let (root, before) = root.zip(before).ok_or(lost)?;
        tree::verify(params, root, at.row, &row.block, &row.path).map_err(|_| lost)?;
        let residues = matrix::from_bytes(tree::row_in_block(params, at.row, &row.block));
        let gpu_seed = seed::gpu_seed(&self.start.session_seed, at.gpu);
        let a = matrix::row(&seed::matrix_a_key(&gpu_seed, at.round, before), at.row, params.inner);
        let wrong = |fault| Verdict::Fraud(Falsehood::Row(BadRow { at, fault }));
        secrets.check_row(&a, &residues).map_err(wrong)
    }

    /// Fails unless the leg is committed to and right.
    pub(super) fn check_segment(&self, segment: &Segment) -> Result<(), Verdict> {
        let (params, root, roots, nonce) = (&self.start.params, &self.root, &self.walk_roots[..], &self.nonce);
        let at = segment.at;
        segment::Walked { params, root, roots, nonce }.check(segment).map_err(|fault| match fault {
            SegmentFault::NotCommitted => Verdict::Unmeasured(Unmeasured::LegNotCommitted { at }),
            SegmentFault::WrongWalk => Verdict::Fraud(Falsehood::Leg(at)),
        })
    }
}

//! What anybody may read.

use super::{Store, StoreError, int, mirror, parse, uint};
use crate::ports::{Archive, ArchiveError, Bundle, SoftFigures};
use rusqlite::{OptionalExtension, Params, params};
use surety_core::complaints::Complaint;
use surety_core::statement::{Attestation, Certificate, Signed, Spoof, Statement};
use surety_core::types::{Hash32, MachineId, RentalId};

/// Most statements in one answer.
const ANSWER_MAX: u32 = 500;

/// Complaints about one rental in one answer.
const COMPLAINTS_MAX: u32 = 64;

/// Certificates of one machine in one answer; spoofs, of which there are few, lie between them.
const CERTIFICATES_MAX: usize = 8;

impl Store {
    fn statements(&self, sql: &str, with: impl Params) -> Result<Vec<(u64, Signed<Statement>)>, StoreError> {
        let db = self.db()?;
        let mut query = db.prepare(sql)?;
        let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?));
        let rows = query.query_map(with, row)?.collect::<Result<Vec<_>, _>>()?;
        rows.iter().map(|(seq, text)| Ok((uint(*seq), parse("statements", text)?))).collect()
    }

    fn find_complaints(&self, rental: RentalId) -> Result<Vec<Signed<Complaint>>, StoreError> {
        let db = self.db()?;
        let mut query = db.prepare("SELECT signed FROM complaints WHERE rental = ?1 ORDER BY rowid DESC LIMIT ?2")?;
        let row = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
        let texts = query.query_map(params![int(rental), COMPLAINTS_MAX], row)?.collect::<Result<Vec<_>, _>>()?;
        texts.iter().map(|text| parse("complaints", text)).collect()
    }

    fn knows_complaint(&self, id: Hash32) -> Result<bool, StoreError> {
        Ok(self.db()?.query_row("SELECT EXISTS (SELECT 1 FROM complaints WHERE id = ?1)", [id.0], |row| row.get(0))?)
    }

    fn find_bundle(&self, digest: Hash32) -> Result<Option<Bundle>, StoreError> {
        let db = self.db()?;
        let row = db
            .query_row(
                "SELECT evidence.body, statements.signed FROM evidence
                 JOIN statements ON statements.digest = evidence.digest AND statements.own = 1
                 WHERE evidence.digest = ?1 LIMIT 1",
                [digest.0],
                |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)),
            )
            .optional()?;
        let Some((evidence, signed)) = row else { return mirror::find(&db, digest) };
        Ok(Some(Bundle { evidence: parse("evidence", &evidence)?, signed: parse("statements", &signed)? }))
    }
}

impl Archive for Store {
    fn attestations_of(&self, rental: RentalId) -> Result<Vec<Signed<Attestation>>, ArchiveError> {
        let sql = "SELECT seq, signed FROM (SELECT seq, signed FROM statements WHERE rental = ?1
                   ORDER BY seq DESC LIMIT ?2) ORDER BY seq";
        let rows = self.statements(sql, params![int(rental), ANSWER_MAX])?;
        Ok(rows.into_iter().filter_map(|(_, signed)| attestation(signed)).collect())
    }

    fn own_attestations_after(&self, after: u64, limit: u32) -> Result<Vec<(u64, Signed<Attestation>)>, ArchiveError> {
        let sql = "SELECT seq, signed FROM statements WHERE own = 1 AND rental IS NOT NULL AND seq > ?1
                   ORDER BY seq LIMIT ?2";
        let rows = self.statements(sql, params![int(after), limit.min(ANSWER_MAX)])?;
        Ok(rows.into_iter().filter_map(|(seq, signed)| Some((seq, attestation(signed)?))).collect())
    }

    fn certificates_of(&self, machine: MachineId) -> Result<Vec<Signed<Certificate>>, ArchiveError> {
        let sql = "SELECT seq, signed FROM statements WHERE own = 1 AND machine = ?1 ORDER BY seq DESC LIMIT 64";
        let rows = self.statements(sql, params![machine.0])?;
        Ok(rows.into_iter().filter_map(|(_, signed)| certificate(signed)).take(CERTIFICATES_MAX).collect())
    }

    fn own_spoofs(&self) -> Result<Vec<Signed<Spoof>>, ArchiveError> {
        let sql = "SELECT seq, signed FROM statements WHERE own = 1 AND signed ->> '$.statement.type' = 'spoof'
                   ORDER BY seq DESC LIMIT ?1";
        let rows = self.statements(sql, params![ANSWER_MAX])?;
        Ok(rows.into_iter().filter_map(|(_, signed)| spoof(signed)).collect())
    }

    fn spoofs_of(&self, machine: MachineId) -> Result<Vec<Signed<Spoof>>, ArchiveError> {
        let sql = "SELECT seq, signed FROM statements WHERE machine = ?1 AND signed ->> '$.statement.type' = 'spoof'
                   ORDER BY seq DESC LIMIT ?2";
        let rows = self.statements(sql, params![machine.0, ANSWER_MAX])?;
        Ok(rows.into_iter().filter_map(|(_, signed)| spoof(signed)).collect())
    }

    fn complaints_of(&self, rental: RentalId) -> Result<Vec<Signed<Complaint>>, ArchiveError> {
        Ok(self.find_complaints(rental)?)
    }

    fn has_complaint(&self, id: Hash32) -> Result<bool, ArchiveError> {
        Ok(self.knows_complaint(id)?)
    }

    fn figures_of(&self, machine: MachineId) -> Result<Option<SoftFigures>, ArchiveError> {
        Ok(self.find_figures(machine)?)
    }

    fn bundle(&self, digest: Hash32) -> Result<Option<Bundle>, ArchiveError> {
        Ok(self.find_bundle(digest)?)
    }
}

fn attestation(signed: Signed<Statement>) -> Option<Signed<Attestation>> {
    match signed.statement {
        Statement::Attestation(statement) => {
            Some(Signed { statement, signer: signed.signer, signature: signed.signature })
        }
        Statement::Certificate(_) | Statement::Spoof(_) => None,
    }
}

fn certificate(signed: Signed<Statement>) -> Option<Signed<Certificate>> {
    match signed.statement {
        Statement::Certificate(statement) => {
            Some(Signed { statement, signer: signed.signer, signature: signed.signature })
        }
        Statement::Attestation(_) | Statement::Spoof(_) => None,
    }
}

fn spoof(signed: Signed<Statement>) -> Option<Signed<Spoof>> {
    match signed.statement {
        Statement::Spoof(statement) => Some(Signed { statement, signer: signed.signer, signature: signed.signature }),
        Statement::Attestation(_) | Statement::Certificate(_) => None,
    }
}

//! stub
use subxt::SubstrateConfig;
/// stub
pub struct Hotkey(pub subxt_signer::sr25519::Keypair);
impl subxt::tx::Signer<SubstrateConfig> for Hotkey {
    fn account_id(&self) -> subxt::utils::AccountId32 { self.0.public_key().into() }
    fn sign(&self, p: &[u8]) -> subxt::utils::MultiSignature { self.0.sign(p).into() }
}
impl Hotkey {
    /// stub
    pub fn dev(uri: &str, _allowed: bool) -> Result<Self, ()> { use std::str::FromStr; Ok(Self(subxt_signer::sr25519::Keypair::from_uri(&subxt_signer::SecretUri::from_str(uri).unwrap()).unwrap())) }
    /// stub
    pub fn account(&self) -> crate::ss58::AccountId { crate::ss58::AccountId(self.0.public_key().0) }
}

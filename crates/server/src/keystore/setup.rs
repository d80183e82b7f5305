//! The server's own secrets: the OPAQUE setup and the key of the address index. Never rotated, part of the backup.

use keyquay_crypto::cbor::Decoder;
use keyquay_crypto::opaque::ServerSetup;
use keyquay_crypto::{ExposeSecret, Secret32, Zeroizing, cbor_array};
use keyquay_protocol::Problem;

use super::addresses::AddressIndex;
use super::rows::{Kind, Rows, SERVER, damaged};

pub struct Setup {
    pub opaque: ServerSetup,
    pub addresses: AddressIndex,
}

impl Setup {
    /// Opens the setup, or makes one where there is none.
    pub async fn open_or_create(rows: &Rows) -> Result<Self, Problem> {
        if let Some(stored) = rows.get(SERVER, Kind::Setup, b"").await? {
            return Self::read(&stored).ok_or_else(|| damaged(Kind::Setup));
        }
        let opaque = ServerSetup::make_random();
        let index_key = Secret32::make_random();
        let stored =
            Zeroizing::new(cbor_array![PURPOSE, opaque.to_secret().expose_secret(), index_key.expose()]);
        let mut draft = rows.draft(SERVER).await?;
        draft.insert(Kind::Setup, b"", &stored)?;
        rows.commit(vec![draft]).await?;
        Ok(Self { opaque, addresses: AddressIndex::new(index_key) })
    }

    fn read(stored: &[u8]) -> Option<Self> {
        let mut decoder = Decoder::message(stored, 3, PURPOSE).ok()?;
        let opaque = ServerSetup::from_bytes(decoder.bytes().ok()?).ok()?;
        let index_key = Secret32::try_copy_from(decoder.bytes().ok()?).ok()?;
        decoder.end().ok()?;
        Some(Self { opaque, addresses: AddressIndex::new(index_key) })
    }
}

const PURPOSE: &str = "keyquay/1/setup";

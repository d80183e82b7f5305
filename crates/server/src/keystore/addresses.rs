//! Mail addresses, and the user ids that belong to them.

use keyquay_crypto::{Secret32, SecretBytes, cbor_array, kdf};
use keyquay_protocol::{Code, Problem, UserId};
use unicode_normalization::UnicodeNormalization;

use super::rows::{Kind, Rows, SERVER};

/// An address in the one form in which it is compared, stored and written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Trims, composes (NFC) and writes the domain in lower case. The part before it stays as typed: it
    /// belongs to the receiving server.
    ///
    /// # Errors
    /// [`Code::Malformed`] for what no mail can be sent to.
    pub fn parse(written: &str) -> Result<Self, Problem> {
        let malformed = || Problem::new(Code::Malformed).with_detail("This is not a mail address.");
        if written.len() > 1_024 {
            return Err(malformed());
        }
        let composed: String = written.trim().nfc().collect();
        let (local, domain) = composed.rsplit_once('@').ok_or_else(malformed)?;
        let domain = domain.to_lowercase();
        let is_unusable = |c: char| c.is_control() || c.is_whitespace() || "<>()[],;:\\\"@".contains(c);
        let usable = !local.is_empty()
            && !domain.is_empty()
            && local.len() + domain.len() < 254
            && !local.contains(is_unusable)
            && !domain.contains(is_unusable);
        if usable { Ok(Self(format!("{local}@{domain}"))) } else { Err(malformed()) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The keyed index from addresses to users, so that the database tells nobody who is registered.
pub struct AddressIndex {
    key: Secret32,
}

/// Who an address belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    Known(UserId),
    /// Nobody yet: the id that its user would get.
    Unknown(UserId),
}

impl Owner {
    pub fn id(self) -> UserId {
        match self {
            Self::Known(id) | Self::Unknown(id) => id,
        }
    }
}

impl AddressIndex {
    pub fn new(key: Secret32) -> Self {
        Self { key }
    }

    /// Key of the row that says whose address it is.
    pub fn row_key(&self, email: &Email) -> [u8; 32] {
        let key: SecretBytes<32> = kdf::derive(self.key.expose(), &cbor_array!["keyquay/1/address", email.0]);
        *key.expose()
    }

    /// Who the address belongs to. An unknown one gets an id that stays the same, and that is not the id of
    /// somebody who had this address before.
    pub async fn owner(&self, rows: &Rows, email: &Email) -> Result<Owner, Problem> {
        if let Some(id) = rows.get(SERVER, Kind::Address, &self.row_key(email)).await? {
            let id = id.as_slice().try_into().map_err(|_| super::rows::damaged(Kind::Address))?;
            return Ok(Owner::Known(UserId(id)));
        }
        let mut counter = 0;
        loop {
            let id = self.candidate(email, counter);
            if rows.get(id, Kind::User, b"").await?.is_none() {
                return Ok(Owner::Unknown(id));
            }
            counter += 1;
        }
    }

    fn candidate(&self, email: &Email, counter: u64) -> UserId {
        let id: SecretBytes<16> =
            kdf::derive(self.key.expose(), &cbor_array!["keyquay/1/user-id", email.0, counter]);
        UserId(*id.expose())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_one_form() {
        let email = |written: &str| Email::parse(written).map(|email| email.0);
        assert_eq!(email("  Ada@EXAMPLE.Com\n").unwrap(), "Ada@example.com");
        assert_eq!(email("zoe\u{308}@exa\u{308}mple.com").unwrap(), "zo\u{eb}@ex\u{e4}mple.com");
        for refused in
            ["", "@", "a@", "@b", "no address", "a b@c.d", "a@b@c", "a@b\r\nBcc: c@d", &"x".repeat(300)]
        {
            assert!(email(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn ids_differ_by_address_counter_and_server() {
        let index = AddressIndex::new(Secret32::make_random());
        let email = Email::parse("a@example.com").unwrap();
        assert_eq!(index.candidate(&email, 0), index.candidate(&email, 0));
        assert_ne!(index.candidate(&email, 0), index.candidate(&email, 1));
        let other = AddressIndex::new(Secret32::make_random());
        assert_ne!(index.candidate(&email, 0), other.candidate(&email, 0));
        assert_ne!(index.row_key(&email), other.row_key(&email));
    }
}

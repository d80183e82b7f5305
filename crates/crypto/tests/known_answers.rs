//! The suite against the published vectors of its standards. Where a vector's parameters are not ours (other
//! salts, another key stretching), it runs against the very crate and type parameters that the suite is built on,
//! and a second test ties the suite to them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod vectors;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};
use hkdf::Hkdf;
use hpke::{Deserializable, Kem, OpModeR, Serializable};
use keyquay_crypto::aead::{self, AeadKey};
use keyquay_crypto::cbor::Decoder;
use keyquay_crypto::sealing::{SealingKey, SealingPublicKey};
use keyquay_crypto::sign::{SigningKey, VerifyingKey};
use keyquay_crypto::{Secret32, SecretString, cbor_array, kdf, sha256};
use serde_json::Value;
use vectors::{hex, hex32, read};

type X25519 = hpke::kem::X25519HkdfSha256;
type Sha256Kdf = hpke::kdf::HkdfSha256;
type Aes256 = hpke::aead::AesGcm256;

// SHA-256: FIPS 180-4, example of the NIST ("abc").
#[test]
fn sha_256_gives_the_digest_of_fips_180() {
    let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(sha256(b"abc").to_vec(), hex(digest));
}

// AES-256-GCM: CAVP gcmDecrypt256 and gcmEncryptExtIV256, 96-bit IV, 256-bit plaintext, 128-bit tag, no AAD.
#[test]
fn the_vectors_of_the_nist_for_aes_256_gcm_unwrap() {
    let cases = [
        (
            "c3d99825f2181f4808acd2068eac7441a65bd428f14d2aab43fefc0129091139",
            "cafabd9672ca6c79a2fbdc22",
            "84e5f23f95648fa247cb28eef53abec947dbf05ac953734618111583840bd980",
            "79651c875f7941793d42bbd0af1cce7c",
            "25431587e9ecffc7c37f8d6d52a9bc3310651d46fb0e3bad2726c8f2db653749",
        ),
        (
            "268ed1b5d7c9c7304f9cae5fc437b4cd3aebe2ec65f0d85c3918d3d3b5bba89b",
            "9ed9d8180564e0e945f5e5d4",
            "791a4a026f16f3a5ea06274bf02baab469860abde5e645f3dd473a5acddeecfc",
            "05b2b74db0662550435ef1900e136b15",
            "fe29a40d8ebf57262bdb87191d01843f4ca4b2de97d88273154a0b7d9e2fdb80",
        ),
    ];
    for (key, iv, ciphertext, tag, plaintext) in cases {
        let key = AeadKey::try_copy_from(&hex(key)).unwrap();
        let wrapped = [hex(iv), hex(ciphertext), hex(tag)].concat();
        assert_eq!(aead::unwrap(&key, b"", &wrapped).unwrap().expose().to_vec(), hex(plaintext));
        let mut altered = wrapped.clone();
        altered[20] ^= 1;
        assert!(aead::unwrap(&key, b"", &altered).is_err());
    }
}

// The specification of GCM (McGrew and Viega), test case 16: with associated data.
#[test]
fn the_cipher_gives_test_case_16_of_gcm_and_the_envelope_is_that_cipher() {
    let key = hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
    let plaintext = hex(concat!(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72",
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    ));
    let context = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    let expected = hex(concat!(
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa",
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
        "76fc6ece0f4e1768cddf8853bb2d551b"
    ));
    let iv: [u8; 12] = hex("cafebabefacedbaddecaf888").try_into().unwrap();
    let cipher = Aes256Gcm::new(&<[u8; 32]>::try_from(key.as_slice()).unwrap().into());
    let sealed = cipher.encrypt(&Nonce::from(iv), Payload { msg: &plaintext, aad: &context }).unwrap();
    assert_eq!(sealed, expected);

    // Length, plaintext, zeros up to 256 bytes: what `open` expects inside.
    let mut padded = [&60_u32.to_be_bytes(), plaintext.as_slice()].concat();
    padded.resize(256, 0);
    let sealed = cipher.encrypt(&Nonce::from(iv), Payload { msg: &padded, aad: &context }).unwrap();
    let key = AeadKey::try_copy_from(&key).unwrap();
    assert_eq!(*aead::open(&key, &context, &[iv.as_slice(), &sealed].concat()).unwrap(), plaintext);
}

// RFC 5869, appendix A.3: no salt, no info, as every derivation of the suite has no salt.
#[test]
fn a_derivation_without_salt_is_test_case_3_of_rfc_5869() {
    let okm = kdf::derive::<42>(&[0x0B; 22], b"");
    let expected = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8";
    assert_eq!(okm.expose().to_vec(), hex(expected));
}

// RFC 5869, appendix A.1 and A.2 have salts, which the suite never uses: the same crate and hash.
#[test]
fn the_hkdf_below_gives_test_cases_1_and_2_of_rfc_5869() {
    let counting = |from: u8, to: u8| (from..=to).collect::<Vec<u8>>();
    let mut okm = [0; 42];
    Hkdf::<sha2::Sha256>::new(Some(&counting(0, 0x0C)), &[0x0B; 22])
        .expand(&counting(0xF0, 0xF9), &mut okm)
        .unwrap();
    let expected = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865";
    assert_eq!(okm.to_vec(), hex(expected));

    let mut okm = [0; 82];
    Hkdf::<sha2::Sha256>::new(Some(&counting(0x60, 0xAF)), &counting(0, 0x4F))
        .expand(&counting(0xB0, 0xFF), &mut okm)
        .unwrap();
    let expected = concat!(
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09",
        "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"
    );
    assert_eq!(okm.to_vec(), hex(expected));
}

// RFC 9106, section 5.3.
#[test]
fn the_argon2id_below_gives_the_vector_of_rfc_9106() {
    let mut params = ParamsBuilder::new();
    params.m_cost(32).t_cost(3).p_cost(4).output_len(32).data(AssociatedData::new(&[4; 12]).unwrap());
    let argon2 =
        Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params.build().unwrap())
            .unwrap();
    let mut tag = [0; 32];
    argon2.hash_password_into(&[1; 32], &[2; 16], &mut tag).unwrap();
    assert_eq!(tag.to_vec(), hex("0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"));
}

// Computed with the reference implementation of Argon2id: 64 MiB, t = 3, p = 4, salt 00 to 0f.
#[test]
fn a_stretched_passphrase_is_argon2id_with_64_mib_three_passes_and_four_lanes() {
    let salt = std::array::from_fn(|index| index as u8);
    let stretched = kdf::stretch(&SecretString::from("korrekt pferd Ünïcödé"), &salt).unwrap();
    let expected = "5bdc937f0190c8142982964edd360b8f4c4cd22e0ecbc3c4dd6b8a81857344ef";
    assert_eq!(stretched.expose().to_vec(), hex(expected));
}

// RFC 8032, section 7.1, tests 1 to 3.
const RFC_8032: [(&str, &str, &str, &str); 3] = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        concat!(
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155",
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        concat!(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da",
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        concat!(
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac",
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
];

#[test]
fn ed25519_signs_as_in_rfc_8032() {
    for (seed, public, message, signature) in RFC_8032 {
        let key = SigningKey::from_seed(Secret32::try_copy_from(&hex(seed)).unwrap());
        assert_eq!(key.verifying_key().to_bytes().to_vec(), hex(public));
        let signed = key.sign(&hex(message));
        assert_eq!(signed.to_vec(), hex(signature));
        assert_eq!(key.verifying_key().verify(&hex(message), &signed), Ok(()));
    }
}

/// The order of the group, little-endian: 2^252 + 27742317777372353535851937790883648493.
const ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

// RFC 8032, section 8.4: S and S + L would both satisfy the equation.
#[test]
fn a_signature_has_no_second_form() {
    for (_, public, message, signature) in RFC_8032 {
        let public = VerifyingKey::from_bytes(&hex32(public)).unwrap();
        let mut malleated: [u8; 64] = hex(signature).try_into().unwrap();
        let mut carry = 0;
        for (byte, order) in malleated[32..].iter_mut().zip(hex(ORDER)) {
            let sum = u16::from(*byte) + u16::from(order) + carry;
            *byte = sum as u8;
            carry = sum >> 8;
        }
        assert_eq!(carry, 0, "S + L still fits into 32 bytes");
        assert!(public.verify(&hex(message), &malleated).is_err());
    }
}

// The special values of R and S that Project Wycheproof tries.
#[test]
fn special_values_in_a_signature_are_refused() {
    let key = "7d4d0e7f6153a69b6242b522abbee685fda4420f8834b108c3bdae369ef549fa";
    let key = VerifyingKey::from_bytes(&hex32(key)).unwrap();
    let number = |first: u8| {
        let mut bytes = vec![0_u8; 32];
        bytes[0] = first;
        bytes
    };
    let mut order_less_one = hex(ORDER);
    order_less_one[0] -= 1;
    let mut field = vec![0xFF_u8; 32];
    field[0] = 0xED;
    field[31] = 0x7F;
    let specials = [number(0), number(1), order_less_one, hex(ORDER), field];
    for r in &specials {
        for s in &specials {
            let signature: [u8; 64] = [r.as_slice(), s.as_slice()].concat().try_into().unwrap();
            assert!(key.verify(&[0x3F], &signature).is_err(), "{r:02x?} {s:02x?}");
        }
    }
}

// Every encoding of the eight points of small order, the non-canonical ones included.
#[test]
fn no_key_of_small_order_is_accepted_in_any_spelling() {
    let low = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    for point in low {
        for sign in [0, 0x80] {
            let mut bytes = hex32(point);
            bytes[31] |= sign;
            assert!(VerifyingKey::from_bytes(&bytes).is_err(), "{point}");
        }
    }
}

// RFC 7748, section 6.1, and the points of small order that its section 7 warns of, in every spelling.
#[test]
fn no_sealing_key_of_small_order_is_accepted_in_any_spelling() {
    let bob = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
    assert!(SealingPublicKey::from_bytes(&hex32(bob)).is_ok());
    let low = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    for point in low {
        for sign in [0, 0x80] {
            let mut bytes = hex32(point);
            bytes[31] |= sign;
            assert!(SealingPublicKey::from_bytes(&bytes).is_err(), "{point}");
        }
    }
}

fn hpke_vector() -> Value {
    serde_json::from_str(include_str!("data/rfc9180.json")).unwrap()
}

#[test]
fn the_hpke_below_opens_and_exports_the_vector_of_rfc_9180() {
    let vector = hpke_vector();
    let (private, public) = X25519::derive_keypair(&read(&vector, "recipient_ikm"));
    // The crate keeps the private key as X25519 uses it (RFC 7748, section 5).
    let mut clamped = read(&vector, "recipient_private_key");
    clamped[0] &= 248;
    clamped[31] = clamped[31] & 127 | 64;
    assert_eq!(private.to_bytes().to_vec(), clamped);
    assert_eq!(public.to_bytes().to_vec(), read(&vector, "recipient_public_key"));

    let encapped = <X25519 as Kem>::EncappedKey::from_bytes(&read(&vector, "enc")).unwrap();
    let info = read(&vector, "info");
    let mut context =
        hpke::setup_receiver::<Aes256, Sha256Kdf, X25519>(&OpModeR::Base, &private, &encapped, &info)
            .unwrap();
    for pair in vector["ciphertexts"].as_array().unwrap() {
        let (aad, ciphertext) = (hex(pair[0].as_str().unwrap()), hex(pair[1].as_str().unwrap()));
        assert_eq!(context.open(&ciphertext, &aad).unwrap(), read(&vector, "plaintext"));
    }
    for pair in vector["exports"].as_array().unwrap() {
        let mut exported = [0; 32];
        context.export(&hex(pair[0].as_str().unwrap()), &mut exported).unwrap();
        assert_eq!(exported.to_vec(), hex(pair[1].as_str().unwrap()));
    }
}

// A key is 32 bytes and has no associated data, so none of the published ciphertexts is of our form. The vector
// does give the key and nonce that recipient, enc and info lead to: what they encrypt must open.
#[test]
fn a_sealed_key_opens_under_the_key_schedule_of_the_vector_of_rfc_9180() {
    let vector = hpke_vector();
    let recipient = SealingKey::from_seed(Secret32::try_copy_from(&read(&vector, "recipient_ikm")).unwrap());
    assert_eq!(recipient.public_key().to_bytes().to_vec(), read(&vector, "recipient_public_key"));

    let key: [u8; 32] = read(&vector, "key").try_into().unwrap();
    let nonce: [u8; 12] = read(&vector, "base_nonce").try_into().unwrap();
    let secret = [0xA5; 32];
    let ciphertext = Aes256Gcm::new(&key.into()).encrypt(&Nonce::from(nonce), secret.as_slice()).unwrap();
    let sealed = [read(&vector, "enc"), ciphertext].concat();
    let opened = recipient.open_key(&read(&vector, "info"), &sealed).unwrap();
    assert_eq!(opened.expose(), &secret);
}

#[test]
fn a_key_that_the_suite_seals_opens_with_the_hpke_of_the_vectors() {
    let seed = Secret32::make_random();
    let secret = Secret32::make_random();
    let (private, _) = X25519::derive_keypair(seed.expose());
    let sealed = SealingKey::from_seed(seed).public_key().seal_key(b"info", &secret).unwrap();
    let encapped = <X25519 as Kem>::EncappedKey::from_bytes(&sealed[..32]).unwrap();
    let opened = hpke::single_shot_open::<Aes256, Sha256Kdf, X25519>(
        &OpModeR::Base,
        &private,
        &encapped,
        b"info",
        &sealed[32..],
        b"",
    );
    assert_eq!(opened.unwrap(), secret.expose().to_vec());
}

// RFC 8949, appendix A: what the suite uses of it, both ways; and its other forms of the same values, refused.
#[test]
fn the_examples_of_rfc_8949_are_read_and_written_and_other_forms_are_refused() {
    assert_eq!(cbor_array![""], hex("8160"));
    assert_eq!(cbor_array!["a"], hex("816161"));
    assert_eq!(cbor_array!["\"\\"], hex("8162225c"));
    assert_eq!(cbor_array!["\u{fc}"], hex("8162c3bc"));
    assert_eq!(cbor_array!["\u{6c34}"], hex("8163e6b0b4"));
    assert_eq!(cbor_array!["\u{10151}"], hex("8164f0908591"));
    assert_eq!(cbor_array![1_u64, 2_u64, 3_u64], hex("83010203"));
    let long: Vec<u64> = (1..=25).collect();
    let mut out = Vec::new();
    keyquay_crypto::cbor::Encode::encode(&keyquay_crypto::cbor::List(&long), &mut out);
    assert_eq!(out, hex("98190102030405060708090a0b0c0d0e0f101112131415161718181819"));

    // Indefinite lengths, floats, negative numbers, tags, maps, booleans, undefined: the same appendix.
    for refused in [
        "5f42010243030405ff",
        "7f657374726561646d696e67ff",
        "9fff",
        "9f018202039f0405ffff",
        "bf61610161629f0203ffff",
        "f90000",
        "fb3ff199999999999a",
        "20",
        "3863",
        "c11a514b67b0",
        "a0",
        "a201020304",
        "f4",
        "f5",
        "f7",
        "f0",
        "1800",
        "190000",
        "1a00000000",
        "1b0000000000000000",
        "5800",
        "7800",
        "9800",
    ] {
        let bytes = hex(refused);
        assert!(Decoder::new(&bytes).uint().is_err(), "{refused}");
        assert!(Decoder::new(&bytes).bytes().is_err(), "{refused}");
        assert!(Decoder::new(&bytes).text().is_err(), "{refused}");
        assert!(Decoder::new(&bytes).list(usize::MAX).is_err(), "{refused}");
        assert!(Decoder::new(&bytes).optional(Decoder::uint).is_err(), "{refused}");
    }
}

//! A person with a device, speaking to a server as the protocol says and without the client's code.

use std::time::Duration;

use data_encoding::BASE32_NOPAD;
use keyquay_crypto::SecretString;
use keyquay_crypto::opaque::{ClientRegistrationStep, ClientSignIn, Parties};
use keyquay_crypto::sealing::SealingKey;
use keyquay_crypto::sign::SigningKey;
use keyquay_protocol::wire::{
    Bytes, DeviceKeysText, RegistrationFinish, RegistrationFinished, RegistrationStart, RegistrationStarted,
    SecondFactorCode, SecondFactorConfirmed, SecondFactorStart, SecondFactorStarted, SignInFinish,
    SignInFinished, SignInStart, SignInStarted, VerificationMailSent,
};
use keyquay_protocol::{
    Clock, DeviceId, DeviceKeys, Problem, Signed, device_phrase, sign_in_context, sign_request,
};
use keyquay_server::testing::TestServer;
use reqwest::{Method, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub struct Person {
    pub email: String,
    pub password: SecretString,
    pub http: reqwest::Client,
    pub url: String,
    pub keys: DeviceKeys,
    signing: SigningKey,
}

impl Person {
    pub fn new(server: &TestServer, email: &str) -> Self {
        let (signing, sealing) = (SigningKey::make_random(), SealingKey::make_random());
        let keys = DeviceKeys {
            id: DeviceId::make_random(),
            signing: signing.verifying_key(),
            sealing: sealing.public_key(),
        };
        Self {
            email: email.to_owned(),
            password: SecretString::from("canary-password-of-a-person".to_owned()),
            http: http(),
            url: server.url().to_owned(),
            keys,
            signing,
        }
    }

    pub fn phrase(&self) -> String {
        device_phrase(&self.keys)
    }

    /// Registers; the address is not confirmed yet.
    pub async fn register(&self) -> RegistrationFinished {
        let (step, request) = ClientRegistrationStep::start(&self.password).unwrap();
        let start = RegistrationStart { email: self.email.clone(), request: Bytes(request) };
        let started: RegistrationStarted = self.post("/v1/users/registration/start", &start).await;
        let parties = Parties { user: started.user.as_bytes(), server: NAME };
        let (record, _) = step.finish(&self.password, &started.response.0, parties).unwrap();
        let finish = RegistrationFinish { email: self.email.clone(), record: Bytes(record) };
        self.post("/v1/users/registration/finish", &finish).await
    }

    /// Registers, confirms, signs in and sets up a second factor; gives the secrets that were seen on the way.
    pub async fn enter(&self, server: &TestServer) -> Vec<String> {
        self.register().await;
        let link = self.link(server, 0).await;
        assert_eq!(self.answer(&link, "confirm").await.status(), StatusCode::OK);
        self.sign_in(server).await;
        let mut seen = self.set_up_second_factor(server).await;
        seen.push(link);
        seen
    }

    pub async fn sign_in(&self, server: &TestServer) -> SignInFinished {
        let (step, request) = ClientSignIn::start(&self.password).unwrap();
        let device = DeviceKeysText::of(&self.keys);
        let start = SignInStart { email: self.email.clone(), device, request: Bytes(request) };
        let started: SignInStarted = self.post("/v1/sign-in/start", &start).await;
        let parties = Parties { user: started.user.as_bytes(), server: NAME };
        let context = sign_in_context(std::str::from_utf8(NAME).unwrap(), &self.keys);
        let (finalization, _) = step.finish(&self.password, &started.response.0, &context, parties).unwrap();
        let finish = SignInFinish { sign_in: started.sign_in, finalization: Bytes(finalization) };
        self.post_signed(server, "/v1/sign-in/finish", &finish).await
    }

    pub async fn order_verification_mail(&self, server: &TestServer) -> VerificationMailSent {
        let path = format!("/v1/devices/{}/verification-mail", self.keys.id);
        read(self.send_signed(server, Method::POST, &path, Vec::new()).await).await
    }

    /// The link in the newest mail with a number above `after`.
    pub async fn link(&self, server: &TestServer, after: u64) -> String {
        let kept = server.mail_to(&self.email, after).await.expect("no mail came");
        kept.letter.link().expect("a mail without a link").to_owned()
    }

    /// Presses a button of the page behind a link.
    pub async fn answer(&self, link: &str, answer: &str) -> Response {
        let form = format!("answer={answer}");
        let request = self.http.post(link).header("content-type", "application/x-www-form-urlencoded");
        request.body(form).send().await.unwrap()
    }

    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> T {
        let request =
            self.http.post(format!("{}{path}", self.url)).header("content-type", "application/json");
        let request = request.header("keyquay-platform", "Debian 13.1");
        read(request.body(serde_json::to_vec(body).unwrap()).send().await.unwrap()).await
    }

    pub async fn post_signed<T: DeserializeOwned>(
        &self,
        server: &TestServer,
        path: &str,
        body: &impl Serialize,
    ) -> T {
        let body = serde_json::to_vec(body).unwrap();
        read(self.send_signed(server, Method::POST, path, body).await).await
    }

    pub async fn send_signed(
        &self,
        server: &TestServer,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Response {
        let signed = self.sign(server, method.as_str(), path, &body);
        self.http
            .request(method, format!("{}{path}", self.url))
            .header("content-type", "application/json")
            .header("keyquay-platform", "Debian 13.1")
            .header("content-digest", signed.content_digest)
            .header("signature-input", signed.signature_input)
            .header("signature", signed.signature)
            .body(body)
            .send()
            .await
            .unwrap()
    }

    pub fn sign(&self, server: &TestServer, method: &str, path: &str, body: &[u8]) -> Signed {
        let target_uri = format!("{}{path}", self.url);
        let now = server.clock().unix_seconds();
        sign_request(method, &target_uri, body, self.keys.id, &self.signing, now)
    }

    async fn set_up_second_factor(&self, server: &TestServer) -> Vec<String> {
        let start = SecondFactorStart { backup_code: None };
        let started: SecondFactorStarted = self.post_signed(server, "/v1/second-factor/start", &start).await;
        let secret = BASE32_NOPAD.decode(started.secret.as_bytes()).unwrap();
        let secret: [u8; 20] = secret.try_into().unwrap();
        let totp = totp_rs::Builder::new().with_secret(totp_rs::Secret::from(secret)).build().unwrap();
        let code = totp.generate(server.clock().unix_seconds()).to_string();
        let path = "/v1/second-factor/confirm";
        let confirmed: SecondFactorConfirmed =
            self.post_signed(server, path, &SecondFactorCode { code: code.clone() }).await;
        let mut seen = confirmed.backup_codes;
        seen.extend([started.secret, started.uri]);
        seen
    }
}

/// The name of a test's server.
const NAME: &[u8] = b"127.0.0.1";

pub fn http() -> reqwest::Client {
    // Already installed by an earlier test of this process.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().unwrap()
}

/// The problem of an answer, with the media type that it must have.
pub async fn problem(response: Response) -> Problem {
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let status = response.status();
    let problem: Problem = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    assert_eq!(problem.status, status.as_u16());
    assert_eq!(problem.kind, format!("urn:keyquay:problem:{}", problem.code.as_str()));
    problem
}

async fn read<T: DeserializeOwned>(response: Response) -> T {
    let status = response.status();
    let body = response.bytes().await.unwrap();
    assert!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).unwrap()
}

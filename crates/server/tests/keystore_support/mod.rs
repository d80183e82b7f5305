//! A keystore with everything real but the clock and the mail, and people with devices who use it.

#![allow(dead_code)]

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keyquay_crypto::opaque::{ClientRegistrationStep, ClientSignIn, ExportKey, Parties};
use keyquay_crypto::sealing::SealingKey;
use keyquay_crypto::sign::SigningKey;
use keyquay_crypto::{RecoveryCode, SecretKey, SecretString, Zeroizing};
use keyquay_protocol::wire::*;
use keyquay_protocol::*;
use keyquay_server::keystore::{Keystore, Settings, StartError, Subscription};
use keyquay_server::kms::{DataKeys, Kms, LocalKey};
use keyquay_server::message::{Answer, Call, Content, LinkDone, LinkFacts, MailKind, MailOrder};
use keyquay_server::storage::Sqlite;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub const URL: &str = "https://sync.example";
pub const SERVER: &str = "sync.example";

pub struct SimulatedClock(AtomicU64);

impl Clock for SimulatedClock {
    fn unix_seconds(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

pub struct World {
    pub folder: tempfile::TempDir,
    pub keystore: Keystore,
    pub clock: Arc<SimulatedClock>,
    /// Counts from the next restart.
    pub data_key_lifetime: Duration,
    mails: Mutex<Vec<MailOrder>>,
}

impl World {
    pub async fn new() -> Self {
        Self::with_settings(|_| {}).await
    }

    pub async fn with_settings(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = LocalKey::open_or_create(&folder.path().join("local.key")).unwrap();
        Self::with_kms(folder, Arc::new(key), change).await
    }

    pub async fn with_kms(
        folder: tempfile::TempDir,
        kms: Arc<dyn Kms>,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let clock = Arc::new(SimulatedClock(AtomicU64::new(1_800_000_000)));
        let storage = Arc::new(Sqlite::open(&folder.path().join("server.sqlite")).unwrap());
        let mut settings = Settings::new(SERVER, URL);
        change(&mut settings);
        let own_clock = Arc::clone(&clock) as Arc<dyn Clock>;
        let keystore = Keystore::start(settings, storage, kms, own_clock).await.unwrap();
        let data_key_lifetime = DataKeys::LIFETIME;
        Self { folder, keystore, clock, data_key_lifetime, mails: Mutex::default() }
    }

    /// Another keystore on the same files, as after a restart.
    pub async fn restart(&mut self) {
        let key = Arc::new(LocalKey::open_or_create(&self.folder.path().join("local.key")).unwrap());
        self.restart_with(key).await;
    }

    pub async fn restart_with(&mut self, kms: Arc<dyn Kms>) {
        self.try_restart_with(kms).await.unwrap();
    }

    pub async fn try_restart_with(&mut self, kms: Arc<dyn Kms>) -> Result<(), StartError> {
        let storage = Arc::new(Sqlite::open(&self.database()).unwrap());
        let mut settings = Settings::new(SERVER, URL);
        settings.data_key_lifetime = self.data_key_lifetime;
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        self.keystore = Keystore::start(settings, storage, kms, clock).await?;
        Ok(())
    }

    pub fn database(&self) -> PathBuf {
        self.folder.path().join("server.sqlite")
    }

    pub fn now(&self) -> u64 {
        self.clock.unix_seconds()
    }

    pub fn wait(&self, seconds: u64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }

    pub async fn call(&self, call: Call) -> Result<Content, Problem> {
        let Answer { status, content, mails } = self.keystore.call(call).await;
        self.mails.lock().unwrap().extend(mails);
        match content {
            Content::Problem(problem) => {
                assert_eq!(status, problem.status);
                Err(problem)
            }
            content => Ok(content),
        }
    }

    /// `POST` that nobody signs.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Problem> {
        from_json(self.call(self.unsigned("POST", path, serde_json::to_vec(body).unwrap())).await?)
    }

    pub fn unsigned(&self, method: &str, path: &str, body: Vec<u8>) -> Call {
        Call {
            method: method.to_owned(),
            path_and_query: path.to_owned(),
            signature: None,
            body,
            peer: "192.0.2.7".to_owned(),
            platform: "Linux".to_owned(),
        }
    }

    /// The mail that was ordered last.
    pub fn last_mail(&self) -> MailOrder {
        self.mails.lock().unwrap().last().unwrap().clone()
    }

    pub fn mails(&self) -> Vec<MailOrder> {
        self.mails.lock().unwrap().clone()
    }

    pub async fn view(&self, token: &str) -> Result<LinkFacts, Problem> {
        self.keystore.view_link(token, "192.0.2.8").await
    }

    pub async fn confirm(&self, token: &str) -> Result<LinkDone, Problem> {
        let done = self.keystore.confirm_link(token, "192.0.2.8").await?;
        self.mails.lock().unwrap().extend(done.mails.clone());
        Ok(done)
    }

    pub async fn refuse(&self, token: &str) -> Result<LinkDone, Problem> {
        let done = self.keystore.refuse_link(token, "192.0.2.8").await?;
        self.mails.lock().unwrap().extend(done.mails.clone());
        Ok(done)
    }
}

pub fn from_json<T: DeserializeOwned>(content: Content) -> Result<T, Problem> {
    match content {
        Content::Json(body) => Ok(serde_json::from_slice(&body).unwrap()),
        Content::Empty => Ok(serde_json::from_str("null").unwrap()),
        other => panic!("expected JSON, got {other:?}"),
    }
}

pub fn token_of(mail: &MailOrder) -> String {
    match &mail.kind {
        MailKind::ConfirmAddress { token, .. }
        | MailKind::VerifyDevice { token, .. }
        | MailKind::NewAddress { token, .. }
        | MailKind::DeleteUser { token, .. } => token.clone(),
        MailKind::DeletionStarted { cancel, .. } => cancel.clone(),
        other => panic!("no link in {other:?}"),
    }
}

/// What a person knows or holds on paper.
pub struct Person {
    pub email: String,
    pub password: SecretString,
    pub user: UserId,
    /// The OPAQUE record as registered.
    pub record: Vec<u8>,
    pub export_key: ExportKey,
    pub secret_key: SecretKey,
    pub recovery_code: RecoveryCode,
    /// Base32, as the authenticator keeps it.
    pub authenticator: Mutex<String>,
    pub backup_codes: Mutex<Vec<String>>,
}

pub fn parties(user: &UserId) -> Parties<'_> {
    Parties { user: user.as_bytes(), server: SERVER.as_bytes() }
}

impl Person {
    /// Registers and confirms the address.
    pub async fn register(world: &World, email: &str) -> Self {
        let person = Self::ask_to_register(world, email, "correct horse battery").await.0;
        world.confirm(&token_of(&world.last_mail())).await.unwrap();
        person
    }

    pub async fn ask_to_register(world: &World, email: &str, password: &str) -> (Self, Bytes) {
        let password = SecretString::from(password);
        let (step, request) = ClientRegistrationStep::start(&password).unwrap();
        let start = RegistrationStart { email: email.to_owned(), request: Bytes(request) };
        let started: RegistrationStarted = world.post("/v1/users/registration/start", &start).await.unwrap();
        let (record, export_key) =
            step.finish(&password, &started.response.0, parties(&started.user)).unwrap();
        let finish = RegistrationFinish { email: email.to_owned(), record: Bytes(record.clone()) };
        let finished: RegistrationFinished =
            world.post("/v1/users/registration/finish", &finish).await.unwrap();
        let person = Self {
            email: email.to_owned(),
            password,
            user: started.user,
            record,
            export_key,
            secret_key: SecretKey::make_random(),
            recovery_code: RecoveryCode::make_random(),
            authenticator: Mutex::default(),
            backup_codes: Mutex::default(),
        };
        (person, finished.registration)
    }

    /// The code that the authenticator shows.
    pub fn code(&self, world: &World) -> String {
        code_at(&self.authenticator.lock().unwrap(), world.now())
    }

    pub fn unlock_key(&self) -> UnlockKey {
        UnlockKey::derive(&self.export_key, &self.secret_key, self.user)
    }

    pub fn records(&self, root: &Root) -> UnlockRecords {
        UnlockRecords {
            password: self.record.clone(),
            root_by_password: root.seal_with_unlock_key(&self.unlock_key(), self.user).unwrap(),
            root_by_recovery: root.seal_with_recovery_code(&self.recovery_code, self.user).unwrap(),
        }
    }
}

pub fn code_at(secret: &str, time: u64) -> String {
    let secret: [u8; 20] = data_encoding::BASE32_NOPAD.decode(secret.as_bytes()).unwrap().try_into().unwrap();
    totp_rs::Builder::new()
        .with_secret(totp_rs::Secret::from(secret))
        .build()
        .unwrap()
        .generate(time)
        .to_string()
}

/// One installation.
pub struct Installation {
    pub keys: DeviceKeys,
    pub signing: SigningKey,
    pub sealing: SealingKey,
    pub state: Mutex<Option<State>>,
}

impl Installation {
    pub fn make() -> Self {
        let (signing, sealing) = (SigningKey::make_random(), SealingKey::make_random());
        let keys = DeviceKeys {
            id: DeviceId::make_random(),
            signing: signing.verifying_key(),
            sealing: sealing.public_key(),
        };
        Self { keys, signing, sealing, state: Mutex::default() }
    }

    pub fn id(&self) -> DeviceId {
        self.keys.id
    }

    pub fn signed(&self, world: &World, method: &str, path: &str, body: Vec<u8>) -> Call {
        let uri = format!("{URL}{path}");
        let signature = sign_request(method, &uri, &body, self.keys.id, &self.signing, world.now());
        Call { signature: Some(signature), ..world.unsigned(method, path, body) }
    }

    pub async fn post<T: DeserializeOwned>(
        &self,
        world: &World,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Problem> {
        let call = self.signed(world, "POST", path, serde_json::to_vec(body).unwrap());
        from_json(world.call(call).await?)
    }

    pub async fn get<T: DeserializeOwned>(&self, world: &World, path: &str) -> Result<T, Problem> {
        from_json(world.call(self.signed(world, "GET", path, Vec::new())).await?)
    }

    pub async fn status(&self, world: &World) -> Result<Status, Problem> {
        self.get(world, "/v1/status").await
    }

    /// Starts and finishes a sign-in.
    pub async fn sign_in(&self, world: &World, person: &Person) -> Result<Status, Problem> {
        let finish = self.start_sign_in(world, person).await?;
        let finished: SignInFinished = self.post(world, "/v1/sign-in/finish", &finish).await?;
        Ok(finished.status)
    }

    /// Starts a sign-in: the message that would finish it.
    pub async fn start_sign_in(&self, world: &World, person: &Person) -> Result<SignInFinish, Problem> {
        let (client, request) = ClientSignIn::start(&person.password).unwrap();
        let start = SignInStart {
            email: person.email.clone(),
            device: DeviceKeysText::of(&self.keys),
            request: Bytes(request),
        };
        let started: SignInStarted = self.post(world, "/v1/sign-in/start", &start).await?;
        let context = sign_in_context(SERVER, &self.keys);
        let (finalization, _) = client
            .finish(&person.password, &started.response.0, &context, parties(&started.user))
            .map_err(|_| Problem::new(Code::SignIn))?;
        Ok(SignInFinish { sign_in: started.sign_in, finalization: Bytes(finalization) })
    }

    /// Sets up the person's first second factor.
    pub async fn set_up_factor(&self, world: &World, person: &Person) {
        let start = SecondFactorStart { backup_code: None };
        let started: SecondFactorStarted = self.post(world, "/v1/second-factor/start", &start).await.unwrap();
        assert!(started.uri.contains(&started.secret));
        *person.authenticator.lock().unwrap() = started.secret;
        let code = SecondFactorCode { code: person.code(world) };
        let confirmed: SecondFactorConfirmed =
            self.post(world, "/v1/second-factor/confirm", &code).await.unwrap();
        *person.backup_codes.lock().unwrap() = confirmed.backup_codes;
    }

    /// Waits for the next code and gives it.
    pub async fn give_factor(&self, world: &World, person: &Person) -> Result<Status, Problem> {
        world.wait(30);
        let code = SecondFactorCode { code: person.code(world) };
        self.post(world, "/v1/sign-in/second-factor", &code).await
    }

    /// Password and second factor, as a proof.
    pub async fn prove(&self, world: &World, person: &Person) {
        self.sign_in(world, person).await.unwrap();
        let status = self.give_factor(world, person).await.unwrap();
        assert!(status.proven_until > world.now());
    }

    pub async fn order_link(&self, world: &World) -> Result<String, Problem> {
        let path = format!("/v1/devices/{}/verification-mail", self.id());
        let _: VerificationMailSent = self.post(world, &path, &()).await?;
        Ok(token_of(&world.last_mail()))
    }

    /// Passes both gates.
    pub async fn pass_gates(&self, world: &World, person: &Person) {
        self.sign_in(world, person).await.unwrap();
        if person.authenticator.lock().unwrap().is_empty() {
            self.set_up_factor(world, person).await;
        } else {
            self.give_factor(world, person).await.unwrap();
        }
        let token = self.order_link(world).await.unwrap();
        world.confirm(&token).await.unwrap();
    }

    pub async fn share(&self, world: &World, user: UserId) -> Result<Share, Problem> {
        let key = SealingKey::make_random();
        let seen = self.state.lock().unwrap().as_ref().map(|state| {
            let LogHead { seq, hash } = state.head();
            SeenText::of(&Seen::sign(user, self.id(), seq, hash, world.now(), &self.signing))
        });
        let request = ShareRequest { key: Bytes(key.public_key().to_bytes().to_vec()), seen };
        let answer: ShareAnswer = self.post(world, "/v1/share", &request).await?;
        Ok(open_share(&answer.sealed.0, &key, user, self.id()).unwrap())
    }

    pub async fn append(
        &self,
        world: &World,
        entries: Vec<Entry>,
        records: Option<UnlockRecords>,
    ) -> Result<LogAnswer, Problem> {
        let body = Append { entries, records }.to_bytes();
        match world.call(self.signed(world, "POST", "/v1/log", body)).await? {
            Content::Cbor(answer) => Ok(LogAnswer::from_bytes(&answer).unwrap()),
            other => panic!("{other:?}"),
        }
    }

    pub async fn log(&self, world: &World, after: u64) -> Result<LogAnswer, Problem> {
        let path = format!("/v1/log?after={after}");
        match world.call(self.signed(world, "GET", &path, Vec::new())).await? {
            Content::Cbor(answer) => Ok(LogAnswer::from_bytes(&answer).unwrap()),
            other => panic!("{other:?}"),
        }
    }

    pub async fn blob(&self, world: &World, blob: &[u8]) -> Result<Vec<u8>, Problem> {
        let path = format!("/v1/blobs/{}", blob_address(&keyquay_crypto::sha256(blob)));
        match world.call(self.signed(world, "GET", &path, Vec::new())).await? {
            Content::Cbor(blob) => Ok(blob),
            other => panic!("{other:?}"),
        }
    }

    /// Takes in what is new in the log.
    pub async fn pull(&self, world: &World, user: UserId) -> Vec<Entry> {
        let after = self.state.lock().unwrap().as_ref().map_or(0, |state| state.head().seq);
        let answer = self.log(world, after).await.unwrap();
        let mut state = self.state.lock().unwrap();
        for entry in &answer.entries {
            match state.as_mut() {
                Some(state) => {
                    state.apply(entry).unwrap();
                }
                None => *state = Some(State::begin(user, entry).unwrap()),
            }
        }
        assert_eq!(state.as_ref().unwrap().head(), answer.head);
        answer.entries
    }

    /// Signs, appends and takes in.
    pub async fn append_own(&self, world: &World, entry: Entry) -> Result<(), Problem> {
        self.append(world, vec![entry.clone()], None).await?;
        self.state.lock().unwrap().as_mut().unwrap().apply(&entry).unwrap();
        Ok(())
    }

    pub fn state(&self) -> State {
        self.state.lock().unwrap().clone().unwrap()
    }

    pub fn vault_keys(&self) -> VaultKeys {
        VaultKeys::open_for_device(&self.state(), self.id(), &self.sealing).unwrap()
    }

    pub fn put(&self, world: &World, item: ItemId, text: &str) -> Entry {
        let content = ItemContent::of(Zeroizing::new(text.as_bytes().to_vec()));
        let draft = self.state().draft_item_put(&self.vault_keys(), item, &content, world.now()).unwrap();
        draft.sign_as_device(self.id(), &self.signing)
    }

    pub async fn listen(&self, world: &World) -> Result<Subscription, Problem> {
        world.keystore.subscribe(self.signed(world, "GET", "/v1/events", Vec::new())).await
    }
}

pub fn profile() -> DeviceProfile {
    DeviceProfile { name: "Desk".to_owned(), platform: "Linux".to_owned() }
}

pub fn genesis(world: &World, person: &Person, device: &Installation, root: &Root) -> (Entry, UnlockRecords) {
    let records = person.records(root);
    let vault_key = VaultKey::make_random();
    let draft = State::draft_genesis(
        person.user,
        root,
        &device.keys,
        &profile(),
        &vault_key,
        records.to_set(1),
        world.now(),
    );
    (draft.unwrap().sign_as_root(root), records)
}

/// A person who switched sync on, on one device.
pub async fn synced(world: &World, email: &str) -> (Person, Installation, Root) {
    let person = Person::register(world, email).await;
    let device = Installation::make();
    device.pass_gates(world, &person).await;
    device.share(world, person.user).await.unwrap();
    let root = Root::make_random();
    let (entry, records) = genesis(world, &person, &device, &root);
    device.append(world, vec![entry.clone()], Some(records)).await.unwrap();
    *device.state.lock().unwrap() = Some(State::begin(person.user, &entry).unwrap());
    (person, device, root)
}

/// Root's entry for a device that passed both gates, on top of the log as that device read it.
pub async fn added(world: &World, person: &Person, device: &Installation, root: &Root) -> Entry {
    device.pull(world, person.user).await;
    let state = device.state();
    let keys = VaultKeys::open_for_root(&state, root).unwrap();
    state.draft_device_added(&keys, &device.keys, &profile(), world.now()).unwrap().sign_as_root(root)
}

/// One more device of the same person.
pub async fn another_device(world: &World, person: &Person, root: &Root) -> Installation {
    let device = Installation::make();
    device.pass_gates(world, person).await;
    device.share(world, person.user).await.unwrap();
    let entry = added(world, person, &device, root).await;
    device.append_own(world, entry).await.unwrap();
    device
}

pub fn removed(world: &World, by: &Installation, root: &Root, device: DeviceId) -> Entry {
    let keys = VaultKeys::open_for_root(&by.state(), root).unwrap();
    by.state().draft_device_removed(&keys, device, world.now()).unwrap().sign_as_root(root)
}

/// The code of the problem, or none.
pub fn code<T>(result: Result<T, Problem>) -> Option<Code> {
    result.err().map(|problem| problem.code)
}

//! The stepper, step by step.

use serde_json::json;

use super::{PASSWORD, Trader, phrase, shown_code};
use crate::support::{Phone, Window};

impl Trader {
    /// Answers the first step: which server.
    pub async fn name_server(&self, window: &Window, address: &str) {
        window.find("heading", "Which server should carry your keys?").await;
        window.fill("Server address", address).await;
        window.press("button", "Continue").await;
        window.find("heading", "Register or sign in").await;
    }

    /// Registers; what is asked next is to confirm the address.
    pub async fn register(&self, window: &Window) {
        window.press("button", "Register").await;
        window.fill("Email", self.email).await;
        window.fill("Password", PASSWORD).await;
        window.fill("Password, again", PASSWORD).await;
        window.press("button", "Continue").await;
        window.find("heading", "Confirm your address").await;
    }

    /// Opens the link that confirms the address, and presses its button. The window goes on by itself.
    pub async fn confirm_address(&mut self, window: &Window) {
        self.open_address_link().await;
        window.find("heading", "Set up your second factor").await;
    }

    async fn open_address_link(&mut self) {
        let mail = self.next_mail("Confirm your email address").await;
        self.browser.open(&mail.link()).await;
        self.browser.find("heading", "Confirm your email address?").await;
        self.browser.press("button", "Yes, confirm this address").await;
        self.browser.find("heading", "Your address is confirmed").await;
    }

    /// Scans the QR code off the screen, and compares it with the key that is shown for typing.
    pub async fn scan_qr_code(&mut self, window: &Window) {
        window.find("heading", "Set up your second factor").await;
        let uri = window.read_qr_code().await;
        assert!(uri.starts_with("otpauth://totp/"), "{uri}");
        let phone = Phone::scan(&uri);
        assert_eq!(phone.secret(), shown_code(window, "Second-factor key").await.replace('-', ""));
        let caption = phone.caption();
        assert!(caption.contains("Keyquay") && caption.contains(self.email), "{caption}");
        self.phone = Some(phone);
    }

    /// A code that the authenticator does not show.
    pub fn wrong_code(&self) -> String {
        self.phone.as_ref().expect("the QR code was scanned").wrong_code()
    }

    /// Types the first code of the authenticator, and keeps the backup codes that are shown for it.
    pub async fn enrol(&mut self, window: &Window) {
        window.fill("Six-digit code", &self.code().await).await;
        window.press("button", "Confirm").await;
        window.find("heading", "Keep your backup codes").await;
        let codes = window
            .run("return [...document.querySelectorAll('.backup-codes li')].map((code) => code.innerText)");
        self.backup_codes = serde_json::from_value(codes.await).unwrap();
        assert_eq!(self.backup_codes.len(), 10);
    }

    /// Says that the backup codes are kept.
    pub async fn keep_backup_codes(&self, window: &Window) {
        window.tick("I have kept them").await;
        window.press("button", "Continue").await;
        window.find("heading", "Verify this device").await;
    }

    /// Requests the verification mail for a device that is to be called `name`.
    pub async fn request_mail(&self, window: &Window, name: &str) {
        window.find("heading", "Verify this device").await;
        window.fill("Name of this device", name).await;
        window.press("button", "Request verification mail").await;
        window.wait_for_text("Waiting for the link to be confirmed").await;
    }

    /// Opens the link of the verification mail: window, mail and page show the same six words.
    pub async fn open_verification(&mut self, window: &Window) {
        let words = phrase(window, "Phrase of this device").await;
        let mail = self.next_mail("Verify a device").await;
        assert!(mail.text.contains(&words.join(" ")), "the mail shows {words:?}: {}", mail.text);
        self.browser.open(&mail.link()).await;
        self.browser.find("heading", "Verify this device?").await;
        assert_eq!(phrase(&self.browser, "words").await, words, "the page shows the words of the window");
    }

    /// Presses the page's button.
    pub async fn confirm_verification(&self) {
        self.browser.press("button", "Yes, verify this device").await;
        self.browser.find("heading", "This device is verified").await;
    }

    /// Mail, page, button.
    pub async fn verify_by_mail(&mut self, window: &Window, name: &str) {
        self.request_mail(window, name).await;
        self.open_verification(window).await;
        self.confirm_verification().await;
    }

    /// Writes the kit down.
    pub async fn copy_kit(&mut self, window: &Window) {
        window.find("heading", "Keep your recovery kit").await;
        window.find("region", "Recovery kit").await;
        self.secret_key = shown_code(window, "Secret Key").await;
        self.recovery_code = shown_code(window, "Recovery code").await;
        assert!(self.secret_key.starts_with("KQ1-") && self.recovery_code.starts_with("KR1-"));
    }

    /// Types the group that is asked for.
    pub async fn confirm_kit(&self, window: &Window) {
        window.press("button", "I have it").await;
        self.type_group(window).await;
    }

    /// Types the group of the kit that the dialog asks for.
    pub async fn type_group(&self, window: &Window) {
        let (label, group) = self.asked_group(window).await;
        window.fill(&label, &group).await;
        window.press("button", "Confirm").await;
        window.find("heading", "Choose your accounts").await;
    }

    /// The field for the group that is asked for, and what belongs into it.
    pub async fn asked_group(&self, window: &Window) -> (String, String) {
        window.wait_for_text("Group ").await;
        let label =
            window.run("return document.querySelector('dialog input.code').labels[0].innerText").await;
        let label = label.as_str().unwrap().trim().to_owned();
        let number: usize = label.split(' ').nth(1).unwrap().parse().unwrap();
        let code = if label.ends_with("Secret Key") { &self.secret_key } else { &self.recovery_code };
        (label, code.split('-').nth(number).unwrap().to_owned())
    }

    /// From the name of the server to the choice of accounts, on the first device.
    pub async fn set_up_first_device(&mut self, window: &Window, server: &str, name: &str) {
        self.name_server(window, server).await;
        self.register(window).await;
        self.confirm_address(window).await;
        self.scan_qr_code(window).await;
        self.enrol(window).await;
        self.keep_backup_codes(window).await;
        self.verify_by_mail(window, name).await;
        self.copy_kit(window).await;
        self.confirm_kit(window).await;
    }

    /// The same without looking at the window: for tests of other things than the stepper.
    pub async fn set_up_by_commands(&mut self, window: &Window, server: &str, upload: &[&str]) {
        let call = async |command, arguments| match window.call(command, arguments).await {
            Ok(answer) => answer,
            Err(problem) => panic!("{command}: {problem}"),
        };
        call("sync_setup_server", json!({ "server": server })).await;
        call("sync_setup_register", json!({ "email": self.email, "password": PASSWORD })).await;
        self.open_address_link().await;
        call("sync_setup_check", json!({})).await;
        let enrolment = call("sync_setup_enrol_second_factor", json!({})).await;
        let mut phone =
            Phone::scan(&format!("otpauth://totp/Keyquay?secret={}", enrolment["secret"].as_str().unwrap()));
        call("sync_setup_confirm_second_factor", json!({ "code": phone.code().await })).await;
        self.phone = Some(phone);
        call("sync_setup_request_mail", json!({ "deviceName": "Desk" })).await;
        let link = self.next_mail("Verify a device").await.link();
        self.browser.open(&link).await;
        self.confirm_verification().await;
        call("sync_setup_check", json!({})).await;
        let kit = call("sync_setup_kit", json!({})).await;
        let code = if kit["asked"]["of"] == "secretKey" { &kit["secretKey"] } else { &kit["recoveryCode"] };
        let number = usize::try_from(kit["asked"]["number"].as_u64().unwrap()).unwrap();
        let group = code.as_str().unwrap().split('-').nth(number).unwrap();
        call("sync_setup_confirm_kit", json!({ "group": group })).await;
        call("sync_setup_choose", json!({ "upload": upload, "retrieve": [], "autoConnect": false })).await;
    }

    /// Signs in on a further device.
    pub async fn sign_in(&self, window: &Window) {
        window.find("heading", "Register or sign in").await;
        window.press("button", "Sign in").await;
        window.fill("Email", self.email).await;
        window.fill("Password", PASSWORD).await;
        window.fill("Secret Key", &self.secret_key).await;
        window.press("button", "Continue").await;
        window.find("heading", "Enter your second-factor code").await;
    }

    /// Proves the second factor on a further device.
    pub async fn prove_second_factor(&mut self, window: &Window) {
        window.fill("Six-digit code", &self.code().await).await;
        window.press("button", "Continue").await;
        window.find("heading", "Verify this device").await;
    }

    /// From the sign-in to the comparison, on a further device.
    pub async fn join(&mut self, window: &Window, name: &str) {
        self.sign_in(window).await;
        self.prove_second_factor(window).await;
        self.verify_by_mail(window, name).await;
        window.find("heading", "Compare with another device").await;
    }

    /// Says that both devices show the same words.
    pub async fn say_same(&self, window: &Window) {
        window.press("radio", "The words are the same, or I have no other device at hand").await;
        window.press("button", "Continue").await;
        window.find("heading", "Choose your accounts").await;
    }

    /// Ends the stepper with what is ticked.
    pub async fn finish(&self, window: &Window) {
        window.press("button", "Finish").await;
        window.find("heading", "Sync is on").await;
        window.press("button", "Done").await;
        window.wait_until_gone("dialog", "Set up sync").await;
    }

    /// Fills in password and second factor where a step asks for both.
    pub async fn give_proof(&mut self, window: &Window) {
        window.fill("Password", PASSWORD).await;
        window.fill("Second-factor code", &self.code().await).await;
    }
}

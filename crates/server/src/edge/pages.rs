//! The pages that the links of mails open: no script, one style, readable without either.

use std::sync::LazyLock;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use data_encoding::BASE64;
use keyquay_crypto::sha256;
use keyquay_protocol::{Code, Problem};

use crate::html::{escape, plain_platform, utc};
use crate::message::{LinkFacts, LinkKind};

/// A whole page.
pub(super) struct Page {
    html: String,
}

/// What a link is for, with its two buttons.
pub(super) fn ask(facts: &LinkFacts) -> Page {
    let words = Question::of(facts.kind);
    let mut body = format!("<h1>{}</h1>\n<p>{}</p>\n", words.title, words.opening);
    if let Some(phrase) = &facts.phrase {
        body += "<h2 id=\"words\">Compare these six words</h2>\n";
        body += "<p>Keyquay on the device shows the same words, in the same order. If it shows others, this is another device.</p>\n";
        body += "<ol class=\"phrase\" aria-labelledby=\"words\">\n";
        for word in phrase.split_whitespace() {
            body += &format!("<li>{}</li>\n", escape(word));
        }
        body += "</ol>\n";
    }
    body += "<dl>\n";
    for (name, value) in [
        ("Email", facts.email.clone()),
        ("Platform", plain_platform(&facts.asked.platform)),
        ("Time", utc(facts.asked.time)),
        ("Network address", facts.asked.peer.clone()),
    ] {
        body += &format!("<div><dt>{name}</dt><dd>{}</dd></div>\n", escape(&value));
    }
    body += "</dl>\n";
    body += &format!("<p>{}</p>\n<form method=\"post\">\n", words.effect);
    body += &button("confirm", "primary", words.confirm);
    if let Some(refuse) = words.refuse {
        body += &button("refuse", "danger", refuse);
    }
    body += &format!("</form>\n<p class=\"quiet\">This link works until {}.</p>\n", utc(facts.expires));
    Page::of(words.title, body)
}

/// After "Yes".
pub(super) fn confirmed(kind: LinkKind) -> Page {
    let (title, text) = match kind {
        LinkKind::VerifyDevice => {
            ("This device is verified", "Go back to Keyquay: it goes on by itself. You can close this page.")
        }
        LinkKind::ConfirmAddress => (
            "Your address is confirmed",
            "Go back to Keyquay: it goes on by itself. You can close this page.",
        ),
        LinkKind::NewAddress => (
            "Your new address is confirmed",
            "Sign in with it from now on. The old address got a notice. You can close this page.",
        ),
        LinkKind::DeleteUser => (
            "Your user will be deleted in 14 days",
            "A mail with a link that stops the deletion is on its way. Accounts kept on your devices stay there.",
        ),
        LinkKind::CancelDeletion => ("Your user stays", "The deletion was stopped. You can close this page."),
    };
    told("good", "✓", title, text)
}

/// After "This was not me".
pub(super) fn not_me(kind: LinkKind) -> Page {
    let (title, text) = match kind {
        LinkKind::VerifyDevice => (
            "The device was suspended",
            "It gets nothing from the server, and your other devices are warned. Whoever used it may know your password: change it now on a device of yours.",
        ),
        LinkKind::ConfirmAddress => {
            ("The registration was dropped", "The link does not work any more. There is nothing else to do.")
        }
        LinkKind::NewAddress => {
            ("The address was not taken", "The link does not work any more. There is nothing else to do.")
        }
        LinkKind::DeleteUser | LinkKind::CancelDeletion => (
            "Your user stays",
            "The link does not work any more. Whoever asked for the deletion may know your password: change it now on a device of yours.",
        ),
    };
    told("bad", "!", title, text)
}

/// Why a link does nothing.
pub(super) fn refused(problem: &Problem) -> Page {
    match problem.code {
        Code::Link | Code::Expired => told(
            "bad",
            "!",
            "This link does not work any more",
            "It was used already, is older than 15 minutes, or was not copied as a whole. Request a new mail in Keyquay.",
        ),
        _ => told("bad", "!", &escape(&problem.title), &escape(&problem.hint)),
    }
}

impl Page {
    /// `title` is text; `body` is markup in which everything foreign is escaped.
    pub fn of(title: &str, body: String) -> Self {
        let title = escape(title);
        let html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title} · Keyquay</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n<header>{MARK}<span>Keyquay</span></header>\n\
             <main>\n{body}</main>\n</body>\n</html>\n"
        );
        Self { html }
    }

    pub fn into_response(self, status: u16, code: Option<Code>) -> Response {
        static POLICY: LazyLock<String> = LazyLock::new(|| {
            let style = BASE64.encode(&sha256(STYLE.as_bytes()));
            format!(
                "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
            )
        });
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Html(self.html)).into_response();
        if let Ok(policy) = HeaderValue::from_str(&POLICY) {
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        if let Some(code) = code {
            response.extensions_mut().insert(code);
        }
        response
    }
}

struct Question {
    title: &'static str,
    opening: &'static str,
    /// What confirming does.
    effect: &'static str,
    confirm: &'static str,
    refuse: Option<&'static str>,
}

impl Question {
    fn of(kind: LinkKind) -> Self {
        let refuse = Some("This was not me");
        match kind {
            LinkKind::VerifyDevice => Self {
                title: "Verify this device?",
                opening: "A device asks to be verified for your Keyquay user.",
                effect: "Confirming lets this device take part in sync. With your second factor and your Secret Key it can then open your synced exchange keys.",
                confirm: "Yes, verify this device",
                refuse,
            },
            LinkKind::ConfirmAddress => Self {
                title: "Confirm your email address?",
                opening: "Somebody registers this address at a Keyquay server.",
                effect: "Confirming makes the registration take effect. Sync stays off until you switch it on.",
                confirm: "Yes, confirm this address",
                refuse,
            },
            LinkKind::NewAddress => Self {
                title: "Use this email address from now on?",
                opening: "A verified device asks to change the address of its Keyquay user to this one.",
                effect: "Confirming makes this the address to sign in with and to get mail at. The old address gets a notice.",
                confirm: "Yes, use this address",
                refuse,
            },
            LinkKind::DeleteUser => Self {
                title: "Delete your Keyquay user?",
                opening: "Somebody signed in and asks to delete your user with all that the server stores for it.",
                effect: "Confirming starts 14 days after which everything is deleted at the server. Until then a link in a second mail stops it.",
                confirm: "Yes, delete my user in 14 days",
                refuse,
            },
            LinkKind::CancelDeletion => Self {
                title: "Stop the deletion?",
                opening: "Your Keyquay user is about to be deleted with all that the server stores for it.",
                effect: "Confirming keeps everything as it is.",
                confirm: "Yes, keep my user",
                refuse: None,
            },
        }
    }
}

fn button(answer: &str, class: &str, label: &str) -> String {
    format!("<button class=\"{class}\" name=\"answer\" value=\"{answer}\">{label}</button>\n")
}

fn told(class: &str, sign: &str, title: &str, text: &str) -> Page {
    let body = format!(
        "<p class=\"sign {class}\" aria-hidden=\"true\">{sign}</p>\n<h1>{title}</h1>\n<p>{text}</p>\n"
    );
    Page::of(title, body)
}

const MARK: &str = r##"<svg viewBox="0 0 64 64" width="28" height="28" aria-hidden="true"><rect width="64" height="64" rx="14" fill="#0b6e86"/><g fill="none" stroke="#fff"><circle cx="28" cy="18" r="9.5" stroke-width="7"/><path stroke-width="8" d="M28 27V50"/><path stroke-width="5" d="M30 34.5H44M30 42.5H40"/></g><path fill="#fff" d="M8 48H40V56H11Q8 56 8 53Z"/><path fill="none" stroke="#8fd3e2" stroke-width="4" stroke-linecap="round" d="M46 52.5Q49 50 51.5 52.5T57 52.5"/></svg>"##;

const STYLE: &str = include_str!("pages.css");

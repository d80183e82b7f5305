use super::wording::{Link, Wording};
use crate::html::{escape, plain_platform, utc};
use crate::message::{MailOrder, Origin};

/// A mail as it is sent: the same in plain text and in HTML.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    pub to: String,
    pub subject: &'static str,
    pub text: String,
    pub html: String,
}

/// Says nothing of the content: it holds links.
impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letter").field("subject", &self.subject).finish_non_exhaustive()
    }
}

impl Letter {
    /// Writes the letter of an order; links begin with `public_url`.
    pub(crate) fn write(order: MailOrder, public_url: &str) -> Self {
        let to = order.to.clone();
        let wording = Wording::of(order);
        Self {
            to,
            subject: wording.subject,
            text: text(&wording, public_url),
            html: html(&wording, public_url),
        }
    }

    /// The address of its link, if it has one.
    #[must_use]
    pub fn link(&self) -> Option<&str> {
        self.text.lines().find(|line| line.contains(VERIFY))
    }
}

const VERIFY: &str = "/verify/";
const COLUMNS: usize = 72;

fn text(wording: &Wording, public_url: &str) -> String {
    let mut paragraphs = vec![wrapped(wording.opening)];
    if let Some(phrase) = &wording.phrase {
        paragraphs.push(format!("    {phrase}"));
    }
    let facts = facts(wording);
    let lines: Vec<String> =
        facts.iter().map(|(name, value)| format!("{:<17} {value}", format!("{name}:"))).collect();
    paragraphs.push(lines.join("\n"));
    if let Some(link) = &wording.link {
        paragraphs.push(wrapped(link.before));
        paragraphs.push(address(link, public_url));
        paragraphs.push(wrapped(link.after));
    }
    paragraphs.push(wrapped(wording.otherwise));
    paragraphs.push(format!("-- \n{}", wrapped(&signature(public_url))));
    paragraphs.join("\n\n") + "\n"
}

fn html(wording: &Wording, public_url: &str) -> String {
    let mut body = format!("<h1>{}</h1>\n<p>{}</p>\n", escape(wording.subject), escape(wording.opening));
    if let Some(phrase) = &wording.phrase {
        body += &format!("<p class=\"phrase\">{}</p>\n", escape(phrase));
    }
    body += "<table role=\"presentation\">\n";
    for (name, value) in facts(wording) {
        body += &format!("<tr><td class=\"name\">{}</td><td>{}</td></tr>\n", escape(name), escape(&value));
    }
    body += "</table>\n";
    if let Some(link) = &wording.link {
        let address = escape(&address(link, public_url));
        body += &format!("<p>{}</p>\n", escape(link.before));
        body += &format!("<p><a class=\"button\" href=\"{address}\">{}</a></p>\n", escape(link.label));
        body += &format!(
            "<p class=\"quiet\">{}<br><a href=\"{address}\">{address}</a></p>\n",
            escape(link.after)
        );
    }
    body += &format!("<p>{}</p>\n<hr>\n", escape(wording.otherwise));
    body += &format!("<p class=\"quiet\">{}</p>\n", escape(&signature(public_url)));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n",
        escape(wording.subject)
    )
}

fn facts(wording: &Wording) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    facts.extend(wording.fact.clone());
    if let Some(Origin { platform, time, peer }) = &wording.origin {
        facts.push(("Platform", plain_platform(platform)));
        facts.push(("Time", utc(*time)));
        facts.push(("Network address", peer.clone()));
    }
    facts
}

fn address(link: &Link, public_url: &str) -> String {
    format!("{public_url}{VERIFY}{}", link.token)
}

fn signature(public_url: &str) -> String {
    format!(
        "Sent by the Keyquay server at {public_url}. It never asks for your password, Secret Key or recovery code by mail."
    )
}

fn wrapped(paragraph: &str) -> String {
    let mut text = String::with_capacity(paragraph.len());
    let mut column = 0;
    for word in paragraph.split(' ') {
        let width = word.chars().count();
        if column > 0 && column + 1 + width > COLUMNS {
            text.push('\n');
            column = 0;
        } else if column > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += width;
    }
    text
}

const STYLE: &str = "
body { margin: 0 auto; padding: 24px 16px; max-width: 560px; font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', sans-serif; color: #1a1d21; background: #ffffff; }
h1 { margin: 0 0 16px; font-size: 22px; line-height: 1.3; }
p { margin: 0 0 16px; }
table { margin: 0 0 16px; border-spacing: 0; }
td { padding: 2px 0; vertical-align: top; }
.name { padding-right: 16px; color: #565d67; white-space: nowrap; }
.phrase { padding: 12px 16px; border-radius: 6px; font-size: 18px; font-weight: 600; background: #def0f3; }
.button { display: inline-block; padding: 10px 16px; border-radius: 6px; font-weight: 600; text-decoration: none; color: #ffffff; background: #00647a; }
.quiet { font-size: 14px; color: #565d67; overflow-wrap: anywhere; }
.quiet a { color: #00647a; }
hr { margin: 24px 0 16px; border: 0; border-top: 1px solid #dcdfe5; }
@media (prefers-color-scheme: dark) {
  body { color: #e9ebee; background: #14171a; }
  .name, .quiet { color: #a7afb9; }
  .phrase { background: #12343b; }
  .button { color: #06262d; background: #6ccadb; }
  .quiet a { color: #6ccadb; }
  hr { border-color: #32383f; }
}
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::MailKind;

    #[test]
    fn the_mail_that_verifies_a_device_says_all_that_its_reader_needs() {
        let letter = written(MailKind::VerifyDevice {
            token: "t0ken".into(),
            phrase: "one two three four five six".into(),
            asked: asked(),
        });
        assert_eq!(letter.subject, "Verify a device for Keyquay");
        assert_eq!(letter.link(), Some("https://sync.example/verify/t0ken"));
        assert_eq!(letter.text, include_str!("letter/verify-device.txt"));
        assert_eq!(letter.html, include_str!("letter/verify-device.html"));
    }

    #[test]
    fn the_mail_that_confirms_an_address_reads_as_frozen() {
        let letter = written(MailKind::ConfirmAddress { token: "t0ken".into(), asked: asked() });
        assert_eq!(letter.text, include_str!("letter/confirm-address.txt"));
    }

    #[test]
    fn every_mail_says_when_from_where_and_what_if_it_was_not_you() {
        for kind in every_kind() {
            let links = usize::from(format!("{kind:?}").contains("t0ken"));
            let letter = written(kind);
            for fact in ["23 November 2026, 07:13 UTC", "192.0.2.7", "Debian 13.1", "https://sync.example"] {
                assert!(
                    letter.text.contains(fact) && letter.html.contains(fact),
                    "{}: {fact}",
                    letter.subject
                );
            }
            assert_eq!(letter.text.matches("/verify/t0ken").count(), links, "{}", letter.subject);
            assert_eq!(letter.html.matches("href=\"https://sync.example/verify/t0ken\"").count(), 2 * links);
            assert!(letter.text.contains("not you") || letter.text.contains("Whoever"), "{}", letter.subject);
            assert!(letter.text.lines().all(|line| line.chars().count() <= COLUMNS), "{}", letter.text);
        }
    }

    #[test]
    fn what_strangers_write_stays_text() {
        let asked = Origin { platform: "<img src=x> http://evil.example".into(), ..asked() };
        let letter = written(MailKind::AddressChanged { new: "<b>@evil.example".into(), asked });
        assert!(letter.html.contains("img src x http evil example"));
        assert!(letter.html.contains("&lt;b&gt;@evil.example"));
    }

    #[test]
    fn a_letter_does_not_show_its_content_when_debugged() {
        let letter = written(MailKind::ConfirmAddress { token: "t0ken".into(), asked: asked() });
        let shown = format!("{letter:?}");
        assert!(!shown.contains("t0ken") && !shown.contains("ada@"), "{shown}");
    }

    fn written(kind: MailKind) -> Letter {
        Letter::write(MailOrder { to: "ada@example.org".into(), kind }, "https://sync.example")
    }

    fn asked() -> Origin {
        Origin { platform: "Debian 13.1".into(), time: 1_795_418_013, peer: "192.0.2.7".into() }
    }

    fn every_kind() -> Vec<MailKind> {
        let (token, phrase, asked) = ("t0ken".to_owned(), "one two three four five six".to_owned(), asked());
        vec![
            MailKind::ConfirmAddress { token: token.clone(), asked: asked.clone() },
            MailKind::AlreadyRegistered { asked: asked.clone() },
            MailKind::VerifyDevice { token: token.clone(), phrase: phrase.clone(), asked: asked.clone() },
            MailKind::DeviceNotMe { phrase, asked: asked.clone() },
            MailKind::NewAddress { token: token.clone(), asked: asked.clone() },
            MailKind::AddressChanged { new: "new@example.org".into(), asked: asked.clone() },
            MailKind::DeleteUser { token: token.clone(), asked: asked.clone() },
            MailKind::DeletionStarted { cancel: token, deleted: 1_796_627_613, asked },
        ]
    }
}

//! What WebDriver has and fantoccini does not: the role and the name that a screen reader is given.

use fantoccini::Client;
use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::wd::WebDriverCompatibleCommand;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value};

/// Opens a session at the driver that listens on `port`.
pub async fn connect(port: u16, capabilities: Value) -> Result<Client, fantoccini::error::NewSessionError> {
    let Value::Object(capabilities) = capabilities else { unreachable!("capabilities are an object") };
    let capabilities: Map<String, Value> = capabilities;
    fantoccini::ClientBuilder::new(HttpConnector::new())
        .capabilities(capabilities)
        .connect(&format!("http://127.0.0.1:{port}"))
        .await
}

/// Its role, as the browser computes it.
pub async fn computed_role(client: &Client, element: &Element) -> Result<String, CmdError> {
    ask(client, element, "computedrole").await
}

/// Its accessible name, as the browser computes it.
pub async fn computed_name(client: &Client, element: &Element) -> Result<String, CmdError> {
    ask(client, element, "computedlabel").await
}

async fn ask(client: &Client, element: &Element, property: &'static str) -> Result<String, CmdError> {
    let answer = client.issue_cmd(AskElement { element: element.element_id().to_string(), property }).await?;
    Ok(answer.as_str().unwrap_or_default().to_owned())
}

/// `GET /session/{session}/element/{element}/{property}` (WebDriver, sections 12.4.9 and 12.4.10).
#[derive(Debug)]
struct AskElement {
    element: String,
    property: &'static str,
}

impl WebDriverCompatibleCommand for AskElement {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!(
            "session/{}/element/{}/{}",
            session.unwrap_or_default(),
            self.element,
            self.property
        ))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::GET, None)
    }
}

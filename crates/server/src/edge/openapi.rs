use std::sync::LazyLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use keyquay_protocol::{Problem, wire};
use utoipa::openapi::path::{OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{OneOfBuilder, Schema, Type};
use utoipa::openapi::{
    ComponentsBuilder, Content, HttpMethod, InfoBuilder, ObjectBuilder, OpenApi, OpenApiBuilder, Paths, Ref,
    RefOr, Required,
};
use utoipa::{PartialSchema, ToSchema};

use super::routes::{Gives, ROUTES, Route, Takes, Verb};

/// A wire type's schema, with those that it refers to.
pub(super) struct Described {
    name: String,
    schemas: Vec<(String, RefOr<Schema>)>,
}

pub(super) fn described<T: ToSchema>() -> Described {
    let name = T::name().into_owned();
    let mut schemas = vec![(name.clone(), <T as PartialSchema>::schema())];
    T::schemas(&mut schemas);
    Described { name, schemas }
}

/// `GET /openapi.json`
pub(super) fn document() -> Response {
    static DOCUMENT: LazyLock<String> = LazyLock::new(|| build().to_json().unwrap_or_default());
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.as_str()).into_response()
}

fn build() -> OpenApi {
    let mut paths = Paths::new();
    let mut components = ComponentsBuilder::new().schemas_from_iter(described::<Problem>().schemas);
    for route in ROUTES {
        for described in route.types() {
            components = components.schemas_from_iter(described.schemas);
        }
        paths.add_path_operation(route.path, vec![route.method.name()], route.operation());
    }
    let info = InfoBuilder::new()
        .title("Keyquay server")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(INTRODUCTION))
        .build();
    OpenApiBuilder::new().info(info).paths(paths).components(Some(components.build())).build()
}

const INTRODUCTION: &str = "Byte strings in JSON are base64url without padding. Errors are problems (RFC 9457) with a stable `code`. \
    Signed requests carry an HTTP Message Signature (RFC 9421), Ed25519, over @method, @target-uri and content-digest.";

impl Route {
    fn types(&self) -> Vec<Described> {
        let mut types = Vec::new();
        if let Takes::Json(list) = self.takes {
            types.extend(list.iter().map(|described| described()));
        }
        if let Gives::Json(described) = self.gives {
            types.push(described());
        }
        types
    }

    fn operation(&self) -> OperationBuilder {
        let mut operation =
            OperationBuilder::new().summary(Some(self.summary)).response("default", problem());
        for parameter in self.parameters() {
            operation = operation.parameter(parameter);
        }
        if let Some((media_type, content)) = self.takes.content() {
            let body = RequestBodyBuilder::new().content(media_type, content).required(Some(Required::True));
            operation = operation.request_body(Some(body.build()));
        }
        let (status, response) = self.gives.response();
        operation.response(status, response)
    }

    fn parameters(&self) -> Vec<Parameter> {
        let text = || Some(ObjectBuilder::new().schema_type(Type::String).build());
        let mut parameters = Vec::new();
        for part in self.path.split('/') {
            if let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path);
                parameters.push(parameter.required(Required::True).schema(text()).build());
            }
        }
        if self.path == "/v1/log" && self.method == Verb::Get {
            let number = ObjectBuilder::new().schema_type(Type::Integer).build();
            let after = ParameterBuilder::new().name("after").parameter_in(ParameterIn::Query);
            parameters.push(after.required(Required::True).schema(Some(number)).build());
        }
        if self.signed {
            for name in ["Content-Digest", "Signature-Input", "Signature"] {
                let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Header);
                parameters.push(parameter.required(Required::True).schema(text()).build());
            }
        }
        parameters
    }
}

impl Verb {
    fn name(self) -> HttpMethod {
        match self {
            Self::Get => HttpMethod::Get,
            Self::Post => HttpMethod::Post,
            Self::Delete => HttpMethod::Delete,
        }
    }
}

impl Takes {
    fn content(&self) -> Option<(&'static str, Content)> {
        let content = match self {
            Self::Nothing => return None,
            Self::Json([one]) => reference(&one()),
            Self::Json(several) => {
                let one_of = several.iter().fold(OneOfBuilder::new(), |one_of, described| {
                    one_of.item(Ref::from_schema_name(described().name))
                });
                Content::new(Some(Schema::from(one_of)))
            }
            Self::Cbor(what) => bytes(what),
            Self::Form => {
                let answer =
                    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["confirm", "refuse"]));
                let form = ObjectBuilder::new().property("answer", answer).required("answer");
                Content::new(Some(form.build()))
            }
        };
        Some((self.media_type(), content))
    }
}

impl Gives {
    fn response(&self) -> (&'static str, utoipa::openapi::Response) {
        let ok = |description: &str| ResponseBuilder::new().description(description);
        match self {
            Self::Nothing => ("204", ok("Done").build()),
            Self::Json(described) => {
                ("200", ok("Done").content("application/json", reference(&described())).build())
            }
            Self::Cbor(what) => ("200", ok(what).content(wire::CBOR, bytes(what)).build()),
            Self::Page => ("200", ok("A page").content("text/html", text()).build()),
            Self::Socket(what) => {
                let description = format!("A WebSocket; each binary message is one {what}");
                ("101", ok(&description).build())
            }
            Self::Document => {
                ("200", ok("An OpenAPI document").content("application/json", object()).build())
            }
            Self::Health => ("200", ok("It can").content("application/json", object()).build()),
        }
    }
}

fn problem() -> utoipa::openapi::Response {
    let content = reference(&described::<Problem>());
    ResponseBuilder::new().description("What went wrong").content(wire::PROBLEM, content).build()
}

fn reference(described: &Described) -> Content {
    Content::new(Some(Ref::from_schema_name(&described.name)))
}

fn bytes(what: &str) -> Content {
    let bytes = ObjectBuilder::new().schema_type(Type::String).description(Some(format!("CBOR: {what}")));
    Content::new(Some(bytes.build()))
}

fn text() -> Content {
    Content::new(Some(ObjectBuilder::new().schema_type(Type::String).build()))
}

fn object() -> Content {
    Content::new(Some(ObjectBuilder::new().build()))
}

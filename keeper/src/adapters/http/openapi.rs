//! `/v1/openapi.json`: every route, what it is asked with, what it answers. Shapes come from the types that are sent.

use surety_market::wire::Shapes;
use utoipa::OpenApi as _;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{
    Content, InfoBuilder, OpenApi, PathItem, PathsBuilder, Ref, RefOr, Required, Response, ResponseBuilder, Schema,
};

/// A field that a path is asked with: name, type, what it means.
type Field = (&'static str, Type, &'static str);

/// What a route answers.
enum Says {
    /// A shape of `surety_market::wire`.
    Shape(&'static str),
    /// JSON whose fields are documented with the statements (`keeper/core/src/statement.rs`).
    Json,
    /// Text of this type.
    Text(&'static str),
}

/// One route.
struct Route {
    path: &'static str,
    about: &'static str,
    fields: &'static [Field],
    says: Says,
}

const N: Type = Type::Integer;
const S: Type = Type::String;
const BEFORE: Field = ("before", N, "Only ids below this one.");
const LIMIT: Field = ("limit", N, "At most so many, 1 to 200.");

const MARKET: &[Field] = &[
    ("class", N, "GPU class id."),
    ("min_gpus", N, "At least so many cards."),
    ("max_price", N, "At most this price, rao per second for the whole machine."),
    ("availability", S, "free, rented, resting, unverified, underbonded or not_offered."),
    ("verified", Type::Boolean, "Whether this keeper has a certificate that serves."),
    ("min_uptime", N, "At least this uptime, parts of a million; machines never rented pass."),
    ("miner", S, "Whose, 0x and 40 hex digits."),
    ("sort", S, "price, gpu_price, bond, uptime, gpus or registration."),
    ("order", S, "asc or desc."),
    ("offset", N, "So many are left out."),
    ("limit", N, "At most so many, 1 to 1000."),
];
const RENTALS: &[Field] = &[
    ("renter", S, "Who rented."),
    ("miner", S, "Whose machine."),
    ("machine", S, "Which machine."),
    ("state", S, "running, ended or closed."),
    BEFORE,
    LIMIT,
];
const CASES: &[Field] = &[
    ("miner", S, "Whose machine."),
    ("machine", S, "Which machine."),
    ("rental", N, "Which rental."),
    ("state", S, "filed, appealed, refunded, refunded_appealed, executed or dismissed."),
    BEFORE,
    LIMIT,
];

const fn route(path: &'static str, about: &'static str, fields: &'static [Field], says: Says) -> Route {
    Route { path, about, fields, says }
}

/// Everything that is read. Complaints are sent, too: see [`describe`].
const ROUTES: &[Route] = &[
    route("/v1/market", "Machines, filtered, sorted, in pages.", MARKET, Says::Shape("MarketPage")),
    route("/v1/machines/{machine}", "All of one machine.", &[], Says::Shape("MachinePage")),
    route("/v1/rentals", "Rentals, the newest first.", RENTALS, Says::Shape("RentalPage")),
    route("/v1/rentals/{rental}", "One rental, with its cases.", &[], Says::Shape("RentalDetail")),
    route("/v1/cases", "Cases, the newest first.", CASES, Says::Shape("CasePage")),
    route("/v1/cases/{case}", "One case, with its rental.", &[], Says::Shape("CaseDetail")),
    route("/v1/miners/{account}", "One miner.", &[], Says::Shape("MinerPage")),
    route("/v1/network", "Everything in one look.", &[], Says::Shape("NetworkPage")),
    route("/v1/network/days", "The network day by day.", &[], Says::Shape("NetworkDays")),
    route("/v1/network/days.csv", "The same as a table.", &[], Says::Text("text/csv")),
    route("/v1/openapi.json", "This description.", &[], Says::Json),
    route(
        "/v1/attestations",
        "This keeper's own attestations, in order.",
        &[("after", N, "Only later ones than this sequence number."), LIMIT],
        Says::Json,
    ),
    route("/v1/attestations/{rental}", "All attestations kept about a rental.", &[], Says::Json),
    route("/v1/certificates/{machine}", "Certificates of a machine, the newest first.", &[], Says::Json),
    route("/v1/figures/{machine}", "Processors, memory, disk and line, measured modestly.", &[], Says::Json),
    route("/v1/spoofs", "This keeper's own statements about spoofs.", &[], Says::Json),
    route("/v1/spoofs/{machine}", "Statements about spoofs of one machine.", &[], Says::Json),
    route("/v1/complaints/{rental}", "What a rental's renter complained of.", &[], Says::Json),
    route("/v1/epochs", "Commitments to measuring epochs, and secrets of past ones.", &[], Says::Json),
    route("/v1/alpha/bonds/{machine}", "Alpha bonded for a machine's next rental, signed.", &[], Says::Json),
    route("/v1/alpha/cases/{case}", "What of a case's penalty falls on alpha, signed.", &[], Says::Json),
    route("/v1/alpha/verdicts/{case}", "What became of a case, signed.", &[], Says::Json),
    route("/evidence/{digest}", "Evidence by its digest, with the statement that names it.", &[], Says::Json),
    route("/healthz", "200 while the keeper makes progress, else 503 with reasons.", &[], Says::Json),
    route("/metrics", "Prometheus text.", &[], Says::Text("text/plain")),
];

/// Paths that are read: the server has each of them (`tests/market.rs`).
#[cfg(test)]
pub(super) fn paths() -> impl Iterator<Item = &'static str> {
    ROUTES.iter().map(|route| route.path)
}

/// The whole description.
pub(super) fn describe() -> OpenApi {
    let mut paths = PathsBuilder::new();
    for route in ROUTES {
        paths = paths.path(route.path, PathItem::new(HttpMethod::Get, operation(route)));
    }
    paths = paths.path("/v1/complaints", PathItem::new(HttpMethod::Post, complaint()));
    let mut description = Shapes::openapi();
    description.paths = paths.build();
    description.info = InfoBuilder::new()
        .title("Surety keeper")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "What a keeper shows to anybody. Times are Unix seconds; amounts whole rao as decimal strings; identities \
             0x and lower-case hex. Answers about the market carry an ETag. What a question has and a path does not \
             know is refused.",
        ))
        .build();
    description
}

fn operation(route: &Route) -> OperationBuilder {
    let mut operation = OperationBuilder::new().summary(Some(route.about));
    for name in names(route.path) {
        let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path).required(Required::True);
        operation = operation.parameter(parameter.schema(Some(simple(Type::String))));
    }
    for (name, kind, about) in route.fields {
        let parameter = ParameterBuilder::new().name(*name).parameter_in(ParameterIn::Query);
        let parameter = parameter.required(Required::False).description(Some(*about));
        operation = operation.parameter(parameter.schema(Some(simple(kind.clone()))));
    }
    let answer = match route.says {
        Says::Shape(name) => content("application/json", RefOr::Ref(Ref::from_schema_name(name))),
        Says::Json => content("application/json", simple(Type::Object)),
        Says::Text(kind) => content(kind, simple(Type::String)),
    };
    operation.response("200", answer).response("default", problem())
}

fn complaint() -> OperationBuilder {
    let body = RequestBodyBuilder::new()
        .description(Some("{\"complaint\": {\"rental\", \"code\", \"text\", \"issued_at_secs\"}, \"signature\"}"))
        .content("application/json", Content::new(Some(simple(Type::Object))))
        .required(Some(Required::True));
    OperationBuilder::new()
        .summary(Some("A renter complains of the machine it rents."))
        .request_body(Some(body.build()))
        .response("200", content("application/json", simple(Type::Object)))
        .response("default", problem())
}

/// The names in braces.
fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{').and_then(|part| part.strip_suffix('}')))
}

fn simple(kind: Type) -> RefOr<Schema> {
    RefOr::T(Schema::Object(ObjectBuilder::new().schema_type(SchemaType::Type(kind)).build()))
}

fn content(kind: &str, schema: RefOr<Schema>) -> Response {
    ResponseBuilder::new().description("The answer.").content(kind, Content::new(Some(schema))).build()
}

fn problem() -> Response {
    let schema = RefOr::Ref(Ref::from_schema_name("Problem"));
    let content = Content::new(Some(schema));
    ResponseBuilder::new().description("Why there is none.").content("application/problem+json", content).build()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_shape_that_is_named_is_described() {
        let text = serde_json::to_string(&describe()).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let known = json["components"]["schemas"].as_object().unwrap();
        let named = text
            .match_indices("#/components/schemas/")
            .map(|(at, prefix)| text[at + prefix.len()..].split('"').next().unwrap().to_owned());
        for name in named {
            assert!(known.contains_key(&name), "{name} is named and not described");
        }
    }
}

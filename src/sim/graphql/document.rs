//! Reads a GraphQL document: one query or mutation, as clients of a shop send it.
//!
//! Fragments with a name of their own are read where they are used, but not defined here.

use serde_json::{Map, Value};

/// Selections may be nested so deep; a reader that descends must end.
const MAX_DEPTH: usize = 64;

/// What a document asks for.
pub(crate) struct Operation {
    /// It changes something.
    pub(crate) is_mutation: bool,
    /// What it selects.
    pub(crate) selections: Selections,
}

/// The members between two braces, in the order of the document.
pub(crate) type Selections = Vec<Selection>;

/// One member of a selection.
#[derive(Clone)]
pub(crate) enum Selection {
    /// A field.
    Field(Field),
    /// `... on Type { selection }`; the type is optional.
    Fragment(Option<String>, Selections),
    /// `...Name`.
    Spread(String),
}

/// `alias: name(arguments) { selection }`.
#[derive(Clone)]
pub(crate) struct Field {
    /// What it is called in the answer, if not by its name.
    pub(crate) alias: Option<String>,
    /// Its name.
    pub(crate) name: String,
    /// Its arguments, variables filled in.
    pub(crate) arguments: Map<String, Value>,
    /// What of it is selected.
    pub(crate) selections: Selections,
}

impl Field {
    /// What it is called in the answer.
    pub(crate) fn key(&self) -> &str {
        self.alias.as_ref().unwrap_or(&self.name)
    }

    /// An argument that is there and not null.
    pub(crate) fn argument(&self, name: &str) -> Option<&Value> {
        self.arguments.get(name).filter(|value| !value.is_null())
    }

    /// A field that is selected below this one.
    pub(crate) fn member(&self, name: &str) -> Option<&Self> {
        self.selections.iter().find_map(|item| match item {
            Selection::Field(field) if field.name == name => Some(field),
            _ => None,
        })
    }

    /// How many members of a list are asked for.
    pub(crate) fn first(&self) -> Option<usize> {
        self.argument("first")?.as_u64().and_then(|first| usize::try_from(first).ok())
    }
}

/// The document is not one, or not of the kinds that are read here.
#[derive(Debug)]
pub(crate) struct SyntaxError;

type Parsed<T> = Result<T, SyntaxError>;

/// Reads the one operation of a document. A variable that is not given is null.
pub(crate) fn parse(text: &str, variables: &Map<String, Value>) -> Parsed<Operation> {
    let mut parser = Parser { rest: text, depth: 0, variables };
    let operation = parser.operation()?;
    if parser.peek().is_some() { Err(SyntaxError) } else { Ok(operation) }
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
    variables: &'a Map<String, Value>,
}

impl<'a> Parser<'a> {
    fn operation(&mut self) -> Parsed<Operation> {
        let is_mutation = match self.peek() {
            Some('{') => return Ok(Operation { is_mutation: false, selections: self.selections()? }),
            _ => match self.name()? {
                "query" => false,
                "mutation" => true,
                _ => return Err(SyntaxError),
            },
        };
        if self.peek().is_some_and(starts_name) {
            self.name()?;
        }
        self.variables()?;
        self.directives()?;
        Ok(Operation { is_mutation, selections: self.selections()? })
    }

    /// `($name: [Type!]! = default)`. What they are comes with the request.
    fn variables(&mut self) -> Parsed<()> {
        if !self.take('(') {
            return Ok(());
        }
        while !self.take(')') {
            self.expect('$')?;
            self.name()?;
            self.expect(':')?;
            self.kind()?;
            if self.take('=') {
                self.literal()?;
            }
        }
        Ok(())
    }

    fn kind(&mut self) -> Parsed<()> {
        self.nested(|parser| {
            if parser.take('[') {
                parser.kind()?;
                parser.expect(']')?;
            } else {
                parser.name()?;
            }
            parser.take('!');
            Ok(())
        })
    }

    /// Whether what they stand at is wanted: `@include(if:)`, `@skip(if:)`.
    fn directives(&mut self) -> Parsed<bool> {
        let mut wanted = true;
        while self.take('@') {
            let name = self.name()?;
            let arguments = self.arguments()?;
            match name {
                "include" => wanted &= arguments.get("if") == Some(&Value::Bool(true)),
                "skip" => wanted &= arguments.get("if") != Some(&Value::Bool(true)),
                _ => {}
            }
        }
        Ok(wanted)
    }

    fn selections(&mut self) -> Parsed<Selections> {
        self.nested(|parser| {
            parser.expect('{')?;
            let mut items = Selections::from_iter(parser.selection()?);
            while !parser.take('}') {
                items.extend(parser.selection()?);
            }
            Ok(items)
        })
    }

    /// The next member, where its directives want it.
    fn selection(&mut self) -> Parsed<Option<Selection>> {
        if self.peek() != Some('.') {
            return Ok(self.field()?.map(Selection::Field));
        }
        self.rest = self.rest.strip_prefix("...").ok_or(SyntaxError)?;
        let type_condition = match self.peek() {
            Some(first) if starts_name(first) => match self.name()? {
                "on" => Some(self.name()?.to_owned()),
                spread => {
                    let spread = spread.to_owned();
                    return Ok(self.directives()?.then_some(Selection::Spread(spread)));
                }
            },
            _ => None,
        };
        let wanted = self.directives()?;
        let members = self.selections()?;
        Ok(wanted.then_some(Selection::Fragment(type_condition, members)))
    }

    fn field(&mut self) -> Parsed<Option<Field>> {
        let first = self.name()?.to_owned();
        let (alias, name) = if self.take(':') { (Some(first), self.name()?.to_owned()) } else { (None, first) };
        let arguments = self.arguments()?;
        let wanted = self.directives()?;
        let selections = if self.peek() == Some('{') { self.selections()? } else { Selections::new() };
        Ok(wanted.then_some(Field { alias, name, arguments, selections }))
    }

    fn arguments(&mut self) -> Parsed<Map<String, Value>> {
        if self.take('(') { self.members(')') } else { Ok(Map::new()) }
    }

    /// `name: value` until `end`.
    fn members(&mut self, end: char) -> Parsed<Map<String, Value>> {
        let mut members = Map::new();
        while !self.take(end) {
            let name = self.name()?.to_owned();
            self.expect(':')?;
            members.insert(name, self.literal()?);
        }
        Ok(members)
    }

    fn literal(&mut self) -> Parsed<Value> {
        self.nested(|parser| match parser.peek().ok_or(SyntaxError)? {
            '$' => {
                parser.expect('$')?;
                let name = parser.name()?;
                Ok(parser.variables.get(name).cloned().unwrap_or_default())
            }
            '[' => parser.list(),
            '{' => {
                parser.expect('{')?;
                parser.members('}').map(Value::Object)
            }
            '"' => parser.string().map(Value::String),
            first if starts_name(first) => parser.name().map(word),
            _ => parser.number(),
        })
    }

    fn list(&mut self) -> Parsed<Value> {
        self.expect('[')?;
        let mut items = Vec::new();
        while !self.take(']') {
            items.push(self.literal()?);
        }
        Ok(Value::Array(items))
    }

    /// A text in quotes. Its escapes are those of JSON; texts over several lines are not read.
    fn string(&mut self) -> Parsed<String> {
        if self.rest.starts_with("\"\"\"") {
            return Err(SyntaxError);
        }
        let mut texts = serde_json::Deserializer::from_str(self.rest).into_iter::<String>();
        let text = texts.next().and_then(Result::ok).ok_or(SyntaxError)?;
        let end = texts.byte_offset();
        self.advance(end)?;
        Ok(text)
    }

    fn number(&mut self) -> Parsed<Value> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.');
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let number: serde_json::Number = serde_json::from_str(self.advance(end)?).map_err(|_| SyntaxError)?;
        Ok(Value::Number(number))
    }

    fn name(&mut self) -> Parsed<&'a str> {
        if !self.peek().is_some_and(starts_name) {
            return Err(SyntaxError);
        }
        let end = self.rest.find(|c| !starts_name(c) && !c.is_ascii_digit()).unwrap_or(self.rest.len());
        self.advance(end)
    }

    /// Runs `read` one level down.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.depth += 1;
        let result = if self.depth > MAX_DEPTH { Err(SyntaxError) } else { read(self) };
        self.depth -= 1;
        result
    }

    /// The next character that means something: commas, blanks and comments do not.
    fn peek(&mut self) -> Option<char> {
        let blank = |c: char| c == ',' || c == '\u{feff}' || c.is_ascii_whitespace();
        self.rest = self.rest.trim_start_matches(blank);
        while self.rest.starts_with('#') {
            let end = self.rest.find(['\n', '\r']).unwrap_or(self.rest.len());
            self.rest = self.rest.get(end..).unwrap_or_default().trim_start_matches(blank);
        }
        self.rest.chars().next()
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.rest = self.rest.strip_prefix(wanted).unwrap_or_default();
        }
        found
    }

    fn expect(&mut self, wanted: char) -> Parsed<()> {
        if self.take(wanted) { Ok(()) } else { Err(SyntaxError) }
    }

    /// Goes on behind the next `bytes`, and gives them.
    fn advance(&mut self, bytes: usize) -> Parsed<&'a str> {
        let (taken, rest) = self.rest.split_at_checked(bytes).ok_or(SyntaxError)?;
        self.rest = rest;
        Ok(taken)
    }
}

fn starts_name(c: char) -> bool {
    c == '_' || c.is_ascii_alphabetic()
}

fn word(name: &str) -> Value {
    match name {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "null" => Value::Null,
        name => Value::String(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Parsed<Operation> {
        parse(text, &Map::from_iter([("v".to_owned(), json!(7))]))
    }

    fn field(text: &str) -> Field {
        match read(text).unwrap().selections.first() {
            Some(Selection::Field(field)) => field.clone(),
            _ => panic!("{text}"),
        }
    }

    #[test]
    fn operations_are_told_apart() {
        assert!(!read("{shop{id}}").unwrap().is_mutation);
        assert!(!read("query q($n: Int! = 2, $a: [ID!]!) @x(y: 1) { shop { id } }").unwrap().is_mutation);
        assert!(
            read("# why\nmutation($f:F!){fulfillmentCreate(fulfillment:$f){userErrors{field}}}").unwrap().is_mutation
        );
    }

    #[test]
    fn fields_have_an_alias_arguments_and_members() {
        let one = field(
            "{mine:order(id:\"x\", n:-3 f:1.5e2 b:true z:null e:UPDATED_AT v:$v l:[1,2] o:{k:{}}) @skip(if:false) {id}}",
        );
        assert_eq!((one.alias.as_deref(), one.name.as_str()), (Some("mine"), "order"));
        assert_eq!(one.selections.len(), 1);
        let values = json!({
            "id": "x", "n": -3, "f": 150.0, "b": true, "z": null, "e": "UPDATED_AT", "v": 7, "l": [1, 2],
            "o": { "k": {} },
        });
        assert_eq!(Value::Object(one.arguments), values);
    }

    #[test]
    fn what_its_directives_do_not_want_is_not_selected() {
        let set =
            read("query($v:Boolean!){a @include(if:false) b @include(if:true) c @skip(if:true) ... @skip(if:true){d}}");
        let names = |item: &Selection| matches!(item, Selection::Field(field) if field.name == "b");
        let set = set.unwrap().selections;
        assert!(set.len() == 1 && set.iter().all(names));
    }

    #[test]
    fn texts_keep_their_escapes_and_marks() {
        let one = field(r#"{orders(query:"tag:\"a, b\" # { \u00e9" ){id}}"#);
        assert_eq!(one.arguments["query"], "tag:\"a, b\" # { é");
    }

    #[test]
    fn fragments_are_inline_or_named() {
        let set = read("{... on Order{id} ...{name} ...Rest}").unwrap().selections;
        assert!(matches!(&set[0], Selection::Fragment(Some(kind), _) if kind == "Order"));
        assert!(matches!(&set[1], Selection::Fragment(None, _)));
        assert!(matches!(&set[2], Selection::Spread(name) if name == "Rest"));
    }

    #[test]
    fn what_is_no_document_is_refused() {
        let deep = format!("{}{}", "{a".repeat(10_000), "}".repeat(10_000));
        let lists = format!("{{a(x:{}", "[".repeat(10_000));
        let wrong = [
            "",
            "{",
            "{}",
            "{a",
            "{a}}",
            "{a(}",
            "{a(x:)}",
            "{a(x:\"}",
            "{a(x:1.)}",
            "subscription{a}",
            "{a}{b}",
            "{..a}",
            "é",
            "query",
            &deep,
            &lists,
        ];
        for text in wrong {
            assert!(read(text).is_err(), "{text:.40}");
        }
    }
}

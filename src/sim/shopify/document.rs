//! Reads a GraphQL document: one query or mutation, as clients of a shop send it.
//!
//! Fragments with a name of their own are read where they are used, but not defined here.

use serde_json::Number;

/// Selections may be nested so deep; a reader that descends must end.
const MAX_DEPTH: usize = 64;

/// What a document asks for.
pub struct Operation {
    /// It changes something.
    pub is_mutation: bool,
    /// What it selects.
    pub selection_set: SelectionSet,
}

/// The members between two braces.
#[derive(Clone, Default)]
pub struct SelectionSet {
    /// In the order of the document.
    pub items: Vec<Selection>,
}

/// One member of a selection.
#[derive(Clone)]
pub enum Selection {
    Field(Field),
    InlineFragment(InlineFragment),
    FragmentSpread(String),
}

/// `alias: name(arguments) { selection }`.
#[derive(Clone)]
pub struct Field {
    pub alias: Option<String>,
    pub name: String,
    pub arguments: Vec<(String, Literal)>,
    pub selection_set: SelectionSet,
}

/// `... on Type { selection }`.
#[derive(Clone)]
pub struct InlineFragment {
    pub type_condition: Option<String>,
    pub selection_set: SelectionSet,
}

/// A value as it is written in a document.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    Variable(String),
    Number(Number),
    String(String),
    Boolean(bool),
    Null,
    Enum(String),
    List(Vec<Literal>),
    Object(Vec<(String, Literal)>),
}

/// The document is not one, or not of the kinds that are read here.
#[derive(Debug)]
pub struct SyntaxError;

type Parsed<T> = Result<T, SyntaxError>;

/// Reads the one operation of a document.
pub fn parse(text: &str) -> Parsed<Operation> {
    let mut parser = Parser { rest: text, depth: 0 };
    let operation = parser.operation()?;
    if parser.peek().is_some() { Err(SyntaxError) } else { Ok(operation) }
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn operation(&mut self) -> Parsed<Operation> {
        let is_mutation = match self.peek() {
            Some('{') => return Ok(Operation { is_mutation: false, selection_set: self.selection_set()? }),
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
        Ok(Operation { is_mutation, selection_set: self.selection_set()? })
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

    fn directives(&mut self) -> Parsed<()> {
        while self.take('@') {
            self.name()?;
            self.arguments()?;
        }
        Ok(())
    }

    fn selection_set(&mut self) -> Parsed<SelectionSet> {
        self.nested(|parser| {
            parser.expect('{')?;
            let mut items = vec![parser.selection()?];
            while !parser.take('}') {
                items.push(parser.selection()?);
            }
            Ok(SelectionSet { items })
        })
    }

    fn selection(&mut self) -> Parsed<Selection> {
        if self.peek() != Some('.') {
            return self.field().map(Selection::Field);
        }
        self.rest = self.rest.strip_prefix("...").ok_or(SyntaxError)?;
        let type_condition = match self.peek() {
            Some(first) if starts_name(first) => match self.name()? {
                "on" => Some(self.name()?.to_owned()),
                spread => {
                    let spread = spread.to_owned();
                    self.directives()?;
                    return Ok(Selection::FragmentSpread(spread));
                }
            },
            _ => None,
        };
        self.directives()?;
        Ok(Selection::InlineFragment(InlineFragment { type_condition, selection_set: self.selection_set()? }))
    }

    fn field(&mut self) -> Parsed<Field> {
        let first = self.name()?.to_owned();
        let (alias, name) = if self.take(':') { (Some(first), self.name()?.to_owned()) } else { (None, first) };
        let arguments = self.arguments()?;
        self.directives()?;
        let selection_set = if self.peek() == Some('{') { self.selection_set()? } else { SelectionSet::default() };
        Ok(Field { alias, name, arguments, selection_set })
    }

    fn arguments(&mut self) -> Parsed<Vec<(String, Literal)>> {
        if self.take('(') { self.members(')') } else { Ok(Vec::new()) }
    }

    /// `name: value` until `end`.
    fn members(&mut self, end: char) -> Parsed<Vec<(String, Literal)>> {
        let mut members = Vec::new();
        while !self.take(end) {
            let name = self.name()?.to_owned();
            self.expect(':')?;
            members.push((name, self.literal()?));
        }
        Ok(members)
    }

    fn literal(&mut self) -> Parsed<Literal> {
        self.nested(|parser| match parser.peek().ok_or(SyntaxError)? {
            '$' => {
                parser.expect('$')?;
                Ok(Literal::Variable(parser.name()?.to_owned()))
            }
            '[' => parser.list(),
            '{' => {
                parser.expect('{')?;
                parser.members('}').map(Literal::Object)
            }
            '"' => parser.string().map(Literal::String),
            first if starts_name(first) => parser.name().map(word),
            _ => parser.number().map(Literal::Number),
        })
    }

    fn list(&mut self) -> Parsed<Literal> {
        self.expect('[')?;
        let mut items = Vec::new();
        while !self.take(']') {
            items.push(self.literal()?);
        }
        Ok(Literal::List(items))
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

    fn number(&mut self) -> Parsed<Number> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.');
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let number = serde_json::from_str(self.advance(end)?).map_err(|_| SyntaxError)?;
        Ok(number)
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

fn word(name: &str) -> Literal {
    match name {
        "true" => Literal::Boolean(true),
        "false" => Literal::Boolean(false),
        "null" => Literal::Null,
        name => Literal::Enum(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(text: &str) -> Field {
        match parse(text).unwrap().selection_set.items.first() {
            Some(Selection::Field(field)) => field.clone(),
            _ => panic!("{text}"),
        }
    }

    #[test]
    fn operations_are_told_apart() {
        assert!(!parse("{shop{id}}").unwrap().is_mutation);
        assert!(!parse("query q($n: Int! = 2, $a: [ID!]!) @x(y: 1) { shop { id } }").unwrap().is_mutation);
        assert!(
            parse("# why\nmutation($f:F!){fulfillmentCreate(fulfillment:$f){userErrors{field}}}").unwrap().is_mutation
        );
    }

    #[test]
    fn fields_have_an_alias_arguments_and_members() {
        let one = field(
            "{mine:order(id:\"x\", n:-3 f:1.5e2 b:true z:null e:UPDATED_AT v:$v l:[1,2] o:{k:{}}) @skip(if:false) {id}}",
        );
        assert_eq!((one.alias.as_deref(), one.name.as_str()), (Some("mine"), "order"));
        assert_eq!(one.selection_set.items.len(), 1);
        let values: Vec<Literal> = one.arguments.into_iter().map(|(_, value)| value).collect();
        let number = |n: i64| Literal::Number(n.into());
        assert_eq!(
            values,
            [
                Literal::String("x".into()),
                number(-3),
                Literal::Number(Number::from_f64(150.0).unwrap()),
                Literal::Boolean(true),
                Literal::Null,
                Literal::Enum("UPDATED_AT".into()),
                Literal::Variable("v".into()),
                Literal::List(vec![number(1), number(2)]),
                Literal::Object(vec![("k".into(), Literal::Object(vec![]))]),
            ]
        );
    }

    #[test]
    fn texts_keep_their_escapes_and_marks() {
        let one = field(r#"{orders(query:"tag:\"a, b\" # { \u00e9" ){id}}"#);
        assert_eq!(one.arguments[0].1, Literal::String("tag:\"a, b\" # { é".into()));
    }

    #[test]
    fn fragments_are_inline_or_named() {
        let set = parse("{... on Order{id} ...{name} ...Rest}").unwrap().selection_set;
        assert!(
            matches!(&set.items[0], Selection::InlineFragment(one) if one.type_condition.as_deref() == Some("Order"))
        );
        assert!(matches!(&set.items[1], Selection::InlineFragment(one) if one.type_condition.is_none()));
        assert!(matches!(&set.items[2], Selection::FragmentSpread(name) if name == "Rest"));
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
            assert!(parse(text).is_err(), "{text:.40}");
        }
    }
}

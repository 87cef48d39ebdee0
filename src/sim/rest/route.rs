//! Which request is for what.

/// Methods (`PUT|PATCH`), pattern, declared parameters and handler. `{name}` in a pattern stands
/// for a number, `{name:x}` for a hexadecimal one, `{name:w}` for a word.
pub(crate) struct Route<H>(pub(crate) &'static str, pub(crate) &'static str, pub(crate) &'static str, pub(crate) H);

/// The route of a request, and what stands in the path where the route has names.
pub(crate) fn find<'r, H>(
    routes: impl IntoIterator<Item = &'r Route<H>>,
    method: &str,
    path: &str,
) -> Option<(&'r Route<H>, Vec<String>)> {
    let mut mine = routes.into_iter().filter(|route| route.0.split('|').any(|one| one == method));
    mine.find_map(|route| Some((route, route.parts(path)?)))
}

impl<H> Route<H> {
    /// The numbers and words in `path` where the pattern has names; `None` when the path is
    /// another's.
    pub(crate) fn parts(&self, path: &str) -> Option<Vec<String>> {
        let mut found = Vec::new();
        let mut parts = path.split('/');
        for piece in self.1.split('/') {
            let part = parts.next()?;
            let Some(name) = piece.strip_prefix('{') else {
                if piece == part {
                    continue;
                }
                return None;
            };
            let good: fn(char) -> bool = match name.split_once(':') {
                Some((_, "x}")) => |c| c.is_ascii_hexdigit(),
                Some(_) => |c| c.is_ascii_alphanumeric() || c == '-' || c == '_',
                None => |c| c.is_ascii_digit(),
            };
            if part.is_empty() || !part.chars().all(good) {
                return None;
            }
            found.push(part.to_owned());
        }
        parts.next().is_none().then_some(found)
    }
}

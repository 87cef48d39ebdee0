//! What a merchant who waits for a dispatch or a cancellation is told meanwhile.

use std::any::Any;

use super::interrupt::{self, Left};
use super::waiting::Waiting;
use super::{App, output};
use crate::order::Difference;
use crate::sync::act::Observer;

impl Observer for App {
    fn looking(&self, store: &str) -> Box<dyn Any> {
        let text = format!("waiting for {store}, which has not answered yet; nothing is recorded or sent");
        Box::new(Waiting::watched(self, text))
    }

    fn telling(&self, store: &str) -> Box<dyn Any> {
        Box::new(Waiting::watched(self, format!("recorded; waiting for {store}, which has not answered yet")))
    }

    fn keeps(&self) {
        interrupt::leaves(Left::Kept);
    }

    fn differs(&self, differences: &[Difference]) {
        if self.global.json {
            return;
        }
        for difference in differences {
            output::note(&format!("{}: {} → {}", difference.aspect.word(), difference.before, difference.after));
        }
    }

    fn note(&self, text: &str) {
        output::note(text);
    }
}

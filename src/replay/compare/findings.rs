//! What a comparison found, within bounds.

use crate::{Finding, Judgement, Verdict, Weight};

/// Of each weight. More would not be read.
const MOST: usize = 30;
const LONGEST: usize = 200;

#[derive(Debug, Default)]
pub struct Findings {
    different: Vec<Finding>,
    compatible: Vec<Finding>,
    /// Beyond the bounds, of each weight.
    more: (usize, usize),
}

impl Findings {
    pub fn add(&mut self, finding: Finding) {
        let (list, more) = match finding.weight {
            Weight::Different => (&mut self.different, &mut self.more.0),
            Weight::Compatible => (&mut self.compatible, &mut self.more.1),
        };
        if list.len() >= MOST {
            *more += 1;
            return;
        }
        list.push(Finding {
            place: cut(finding.place),
            recorded: finding.recorded.map(cut),
            fresh: finding.fresh.map(cut),
            why: finding.why.map(cut),
            ..finding
        });
    }

    /// The weighty ones first.
    pub fn judgement(self, unsupported: bool) -> Judgement {
        let verdict = if unsupported {
            Verdict::Unsupported
        } else if !self.different.is_empty() {
            Verdict::Different
        } else if !self.compatible.is_empty() {
            Verdict::Compatible
        } else {
            Verdict::Same
        };
        let more = |count: usize, weight| {
            (count > 0).then(|| Finding {
                weight,
                place: "…".into(),
                recorded: None,
                fresh: None,
                why: Some(format!("{count} more")),
            })
        };
        let findings = self
            .different
            .into_iter()
            .chain(more(self.more.0, Weight::Different))
            .chain(self.compatible)
            .chain(more(self.more.1, Weight::Compatible))
            .collect();
        Judgement { verdict, findings }
    }
}

fn cut(text: String) -> String {
    let count = text.chars().count();
    if count <= LONGEST {
        return text;
    }
    let start: String = text.chars().take(LONGEST).collect();
    format!("{start}… ({} more characters)", count - LONGEST)
}

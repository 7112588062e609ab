//! The way in and the way out.

use super::frame::{Page, framed};
use super::{Visit, html as html_page, refused, see_other, with_cookie};
use crate::ask::{Answer, Pairs, Via};
use crate::entrance::form;
use crate::guard::Asked;
use crate::problem::Problem;
use crate::{Asker, Console};
use http::StatusCode;
use portcullis_types::percent::encoded;

/// Where to go on: a path of ours, or the first page.
pub(crate) fn next(text: Option<&str>) -> &str {
    let is_ours = |text: &&str| {
        let mut bytes = text.bytes();
        bytes.next() == Some(b'/')
            && !matches!(bytes.next(), Some(b'/' | b'\\'))
            && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
    };
    text.filter(is_ours).unwrap_or("/")
}

pub(super) fn shown(console: &Console, asked: &Asked<'_>) -> Answer {
    let query = Pairs::read(asked.request.uri().query().unwrap_or_default()).unwrap_or_default();
    let next = next(query.value("next"));
    if console.visitor(asked).is_some() {
        return see_other(next);
    }
    html_page(StatusCode::OK, &framed(&page(next, None), None))
}

fn page(next: &str, wrong: Option<&Problem>) -> Page {
    let mut page = Page::headed("/", "Log in", "");
    let html = &mut page.body;
    form(html, ("login", "/login"), (next, "Log in"), wrong);
    // A browser that was led here by another site keeps the cookie back until a page of ours leads on.
    html.element("p", &[("class", "note")], |html| {
        html.text("You are logged in already? ");
        html.link(next, "Go on").done();
    });
    html.line();
    page
}

pub(super) fn log_in(console: &Console, asked: &Asked<'_>) -> Answer {
    let Via::Listener(address, _) = asked.from else { return refused(None, &Problem::method()) };
    if asked.method() != "POST" {
        return refused(None, &Problem::method());
    }
    if let Err(problem) = asked.is_same_site() {
        return refused(None, &problem);
    }
    let Some(sent) = std::str::from_utf8(asked.request.body()).ok().and_then(Pairs::read) else {
        return refused(None, &Problem::malformed("the form cannot be read"));
    };
    let next = next(sent.value("next"));
    let of = |name| sent.value(name).unwrap_or_default();
    match console.log_in(of("name"), of("password"), address) {
        Ok((token, _)) => with_cookie(see_other(next), &asked.set_cookie(Some(&token))),
        Err(problem) => {
            let mut answer = html_page(problem.status, &framed(&page(next, Some(&problem)), None));
            crate::ask::wait(&mut answer, &problem);
            answer
        }
    }
}

pub(super) fn log_out(visit: &Visit<'_>, asked: &Asked<'_>) -> Result<Answer, Problem> {
    let sent = std::str::from_utf8(asked.request.body()).ok().and_then(Pairs::read).unwrap_or_default();
    asked.is_ours(visit.guest, sent.value("csrf"))?;
    visit.console.log_out(&Asker::of(visit.guest));
    Ok(with_cookie(see_other(&format!("/login?next={}", encoded("/"))), &asked.set_cookie(None)))
}

#[cfg(test)]
mod tests {
    use super::next;

    #[test]
    fn nobody_is_led_elsewhere() {
        for (text, expect) in [
            ("/keys?from=x", "/keys?from=x"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("javascript:alert(1)", "/"),
            ("/a b", "/"),
            ("/a\r\nx: y", "/"),
            ("", "/"),
        ] {
            assert_eq!(next(Some(text)), expect, "{text}");
        }
    }
}

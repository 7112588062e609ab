//! Thousands of different requests: ordinary ones of an API, and bytes that trigger every decoder.

use portcullis_waf::ftw::RawRequest;
use portcullis_waf::{Place, Promise, Random};

const WORDS: &str = "the order was shipped to our customer on time and we would like to know when next delivery arrives \
because several people asked about their invoices while others need a new address please confirm that it is possible \
change date of payment for this account since prices have gone up again thank you very much kind regards team support \
meeting notes from yesterday include plans about product quality training budget travel hotel weather garden music food";

pub(crate) struct Maker {
    random: Random,
    words: Vec<&'static str>,
}

/// A field of which a contract would say of which bytes its values are.
pub(crate) struct Known {
    place: Place,
    name: String,
    bytes: &'static [u8],
}

impl Known {
    pub(crate) fn promise(&self) -> Promise<'_> {
        Promise { place: self.place, name: &self.name, bytes: self.bytes }
    }
}

/// Those of the traffic below: numbers, times, tokens and booleans. Names, prose and addresses of people are none.
pub(crate) fn promised() -> Vec<Known> {
    const NUMBER: &[u8] = b"+-.0123456789Ee";
    const TIME: &[u8] = b"+-.:0123456789TZtz ";
    const TOKEN: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = vec![
        Known { place: Place::Query, name: "page".to_owned(), bytes: NUMBER },
        Known { place: Place::Query, name: "cursor".to_owned(), bytes: TOKEN },
    ];
    for n in 1..100 {
        let fields = [
            (format!("json.id{n}"), NUMBER),
            (format!("json.at{n}"), TIME),
            (format!("json.ref{n}"), TOKEN),
            (format!("json.items{n}.*.sku"), TOKEN),
            (format!("json.items{n}.*.count"), NUMBER),
            (format!("json.items{n}.*.gift"), b"aeflnrstu"),
        ];
        out.extend(fields.map(|(name, bytes)| Known { place: Place::Body, name, bytes }));
    }
    out
}

impl Maker {
    pub(crate) fn new(seed: u64) -> Self {
        Self { random: Random::new(seed), words: WORDS.split(' ').collect() }
    }

    fn word(&mut self) -> &'static str {
        self.random.pick::<&'static str>(&self.words)
    }

    fn token(&mut self, length: usize) -> String {
        (0..length)
            .map(|_| char::from(*self.random.pick(b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789")))
            .collect()
    }

    fn prose(&mut self, bytes: usize) -> String {
        let mut out = String::new();
        while out.len() < bytes {
            let mut sentence: Vec<&str> = (0..6 + self.random.below(8)).map(|_| self.word()).collect();
            let comma = self.random.below(sentence.len());
            let joined;
            if let Some(word) = sentence.get_mut(comma) {
                joined = format!("{word},");
                *word = &joined;
                out.push_str(&sentence.join(" "));
            }
            out.push_str(". ");
        }
        out.truncate(bytes);
        out
    }

    fn headers(&mut self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let version = 90 + self.random.below(40);
        let agents = [
            format!("Mozilla/5.0 (X11; Linux x86_64; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"),
            format!(
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"
            ),
            format!("okhttp/4.{}.{}", self.random.below(12), self.random.below(9)),
        ];
        let agent = self.random.pick(&agents).clone();
        let session = self.token(32);
        let trace = self.token(24);
        [
            ("Host", "api.example.com".to_owned()),
            ("User-Agent", agent),
            ("Accept", "application/json".to_owned()),
            ("Accept-Encoding", "gzip, deflate, br".to_owned()),
            ("Accept-Language", "en-US,en;q=0.5".to_owned()),
            ("Authorization", format!("Bearer {}", self.token(120))),
            ("X-Request-Id", trace),
            ("Cookie", format!("session={session}; theme=dark")),
        ]
        .into_iter()
        .map(|(n, v)| (n.as_bytes().to_vec(), v.into_bytes()))
        .collect()
    }

    pub(crate) fn get(&mut self) -> RawRequest {
        let target = format!(
            "/v1/{}/{}?page={}&sort={}&filter={}+{}&cursor={}",
            self.word(),
            self.random.below(100_000),
            self.random.below(500),
            self.word(),
            self.word(),
            self.word(),
            self.token(20)
        );
        RawRequest {
            method: b"GET".to_vec(),
            target: target.into_bytes(),
            protocol: b"HTTP/1.1".to_vec(),
            headers: self.headers(),
            body: Vec::new(),
            refused: None,
        }
    }

    pub(crate) fn json(&mut self, prose: usize) -> RawRequest {
        let mut body = String::from("{");
        if prose > 0 {
            let text = self.prose(prose);
            body.push_str(&format!("\"comment\":\"{text}\","));
        }
        let mut n = 0;
        while body.len() < 900 {
            n += 1;
            let field = match self.random.below(6) {
                0 => format!("\"id{n}\":{}", self.random.below(1_000_000)),
                1 => format!("\"name{n}\":\"{} {}\"", self.word(), self.word()),
                2 => format!("\"email{n}\":\"{}@{}.example\"", self.word(), self.word()),
                3 => format!(
                    "\"at{n}\":\"2026-0{}-1{}T0{}:30:00Z\"",
                    1 + self.random.below(9),
                    self.random.below(9),
                    self.random.below(9)
                ),
                4 => format!("\"ref{n}\":\"{}\"", self.token(24)),
                _ => format!(
                    "\"items{n}\":[{{\"sku\":\"{}\",\"count\":{},\"gift\":false}}]",
                    self.token(8),
                    self.random.below(90)
                ),
            };
            body.push_str(&field);
            body.push(',');
        }
        body.pop();
        body.push('}');
        let mut headers = self.headers();
        headers.push((b"Content-Type".to_vec(), b"application/json".to_vec()));
        headers.push((b"Content-Length".to_vec(), body.len().to_string().into_bytes()));
        RawRequest {
            method: b"POST".to_vec(),
            target: format!("/v1/{}/{}", self.word(), self.random.below(10_000)).into_bytes(),
            protocol: b"HTTP/1.1".to_vec(),
            headers,
            body: body.into_bytes(),
            refused: None,
        }
    }

    /// Bytes that trigger every decoder and end no gate early.
    pub(crate) fn hostile(&mut self, bytes: usize) -> RawRequest {
        let pieces: [&str; 20] = [
            "%27",
            "\\\\u0041",
            "&lt;",
            "/*",
            "*/",
            "+or+",
            "select",
            "%u003c",
            "\\\\x3c",
            "--",
            "../",
            "$(",
            "`",
            "|",
            ";cat ",
            "{{",
            "exec(",
            "union",
            "<a ",
            "=1",
        ];
        let mut text = String::new();
        while text.len() < bytes {
            text.push_str(self.random.pick::<&str>(&pieces));
        }
        let mut request = self.json(0);
        request.body = format!("{{\"x\":\"{text}\"}}").into_bytes();
        request
    }
}

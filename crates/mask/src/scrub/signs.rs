//! Signs: a text that gives something away where what stands around it fits.

use super::Leak;
use super::hosts::is_address;

/// A sign. `holds` looks at what stands before and behind it.
pub(super) struct Sign {
    pub(super) text: &'static str,
    pub(super) leak: Leak,
    pub(super) holds: fn(&[u8], &[u8]) -> bool,
}

const fn sign(text: &'static str, leak: Leak, holds: fn(&[u8], &[u8]) -> bool) -> Sign {
    Sign { text, leak, holds }
}

const fn trace(text: &'static str) -> Sign {
    sign(text, Leak::StackTrace, always)
}

const fn line(text: &'static str) -> Sign {
    sign(text, Leak::StackTrace, is_source_line)
}

const fn database(text: &'static str) -> Sign {
    sign(text, Leak::Database, always)
}

const fn path(text: &'static str) -> Sign {
    sign(text, Leak::FilePath, is_path)
}

pub(super) const fn network(text: &'static str, holds: fn(&[u8], &[u8]) -> bool) -> Sign {
    sign(text, Leak::InternalHost, holds)
}

const fn page(text: &'static str) -> Sign {
    sign(text, Leak::DebugPage, always)
}

const fn banner(text: &'static str) -> Sign {
    sign(text, Leak::DebugPage, is_banner)
}

/// All of them.
pub(super) const SIGNS: &[Sign] = &[
    // A file of a program and a line in it.
    line(".java:"),
    line(".kt:"),
    line(".scala:"),
    line(".groovy:"),
    line(".cs:line "),
    line(".vb:line "),
    line(".fs:line "),
    line(".py:"),
    line(".py\", line "),
    line(".js:"),
    line(".mjs:"),
    line(".cjs:"),
    line(".ts:"),
    line(".tsx:"),
    line(".jsx:"),
    line(".go:"),
    line(".rb:"),
    line(".php:"),
    line(".php("),
    line(".php on line "),
    line(".php</b> on line <b>"),
    line(".rs:"),
    line(".ex:"),
    line(".exs:"),
    line(".erl:"),
    line(".swift:"),
    line(".cpp:"),
    // Java and its relatives.
    trace("(Native Method)"),
    trace("(Unknown Source)"),
    trace("java.lang."),
    trace("java.util."),
    trace("java.io."),
    trace("java.net."),
    trace("javax.servlet."),
    trace("jakarta.servlet."),
    trace("jakarta.persistence."),
    trace("org.springframework."),
    trace("org.hibernate."),
    trace("org.apache."),
    trace("com.fasterxml.jackson."),
    trace("kotlin.Kotlin"),
    trace("NullPointerException"),
    trace("Exception in thread \""),
    trace("nested exception is"),
    // .NET.
    sign("System.", Leak::StackTrace, is_exception),
    sign("Microsoft.", Leak::StackTrace, is_exception),
    trace("--- End of inner exception stack trace ---"),
    trace("--- End of stack trace from previous location"),
    trace("Object reference not set to an instance of an object"),
    // Python.
    trace("Traceback (most recent call last)"),
    trace("django.core."),
    trace("django.db."),
    trace("sqlalchemy.exc."),
    trace("site-packages/"),
    trace("pydantic_core."),
    trace("pydantic.error_wrappers."),
    trace("fastapi.exceptions."),
    trace("starlette.exceptions."),
    trace("werkzeug.exceptions."),
    trace("jinja2.exceptions."),
    trace("rest_framework.exceptions."),
    trace("requests.exceptions."),
    trace("urllib3.exceptions."),
    trace("botocore.exceptions."),
    trace("celery.exceptions."),
    trace("concurrent.futures."),
    trace("asyncio.exceptions."),
    trace("' object has no attribute '"),
    trace("'NoneType' object is not"),
    // Node.
    trace("node_modules/"),
    trace("node:internal/"),
    trace("at Object.<anonymous>"),
    trace("UnhandledPromiseRejection"),
    trace("Cannot read properties of undefined"),
    trace("Cannot read properties of null"),
    trace("Cannot read property '"),
    trace(" is not a function\\n"),
    trace("is not defined\n    at "),
    // Go.
    sign("goroutine ", Leak::StackTrace, is_goroutine),
    trace("panic: runtime error"),
    trace("invalid memory address or nil pointer dereference"),
    trace("interface conversion: interface"),
    // Ruby.
    trace("NoMethodError"),
    trace("undefined method `"),
    trace("undefined method '"),
    trace("ActiveRecord::"),
    trace("ActionController::"),
    trace("ActionView::"),
    // PHP.
    trace("Stack trace:\n#0 "),
    trace("PHP Fatal error"),
    trace("PHP Warning"),
    trace("PHP Notice"),
    trace("<b>Fatal error</b>"),
    trace("<b>Warning</b>:"),
    trace("<b>Notice</b>:"),
    trace("Fatal error: Uncaught"),
    trace("Illuminate\\"),
    trace("Symfony\\Component\\"),
    trace("Call to undefined "),
    trace("Call to a member function "),
    // Rust, and what is left.
    trace("' panicked at "),
    trace("called `Option::unwrap()`"),
    trace("called `Result::unwrap()`"),
    trace("RUST_BACKTRACE"),
    trace("stack backtrace:"),
    trace("** (RuntimeError)"),
    trace("** (FunctionClauseError)"),
    trace("core dumped"),
    trace("Segmentation fault"),
    // Databases.
    database("SQLSTATE"),
    database("You have an error in your SQL syntax"),
    database("syntax error at or near"),
    database("Incorrect syntax near"),
    database("Unclosed quotation mark"),
    database("quoted string not properly terminated"),
    database("violates unique constraint"),
    database("violates foreign key constraint"),
    database("violates not-null constraint"),
    database("violates check constraint"),
    database("a foreign key constraint fails"),
    database("SQLITE_"),
    database("UNIQUE constraint failed:"),
    database("no such table:"),
    database("no such column:"),
    database("java.sql."),
    database("org.postgresql."),
    database("com.mysql."),
    database("psycopg2."),
    database("psycopg.errors."),
    database("sqlite3."),
    database("asyncpg.exceptions."),
    database("pymysql.err."),
    database("MySQLdb."),
    database("cx_Oracle."),
    database("pymongo.errors."),
    database("redis.exceptions."),
    database("peewee."),
    sign("\": syntax error", Leak::Database, |before, _| has(tail(before, 80), b"near \"")),
    database("PG::"),
    database("Npgsql."),
    database("SqlException"),
    database("PDOException"),
    database("mysqli"),
    database("QueryFailedError"),
    database("SequelizeDatabaseError"),
    database("PrismaClient"),
    database("MongoServerError"),
    database("MongoError"),
    database("E11000 duplicate key"),
    database("WRONGTYPE Operation"),
    database("ER_DUP_ENTRY"),
    database("ER_BAD_FIELD_ERROR"),
    database("in 'field list'"),
    database("deadlock detected"),
    database("org.h2.jdbc"),
    database("cassandra.protocol"),
    database("elasticsearch_exception"),
    database("index_not_found_exception"),
    sign("ORA-", Leak::Database, |_, behind| starts_with_digits(behind, 5)),
    sign("' for key '", Leak::Database, always),
    sign("' doesn't exist", Leak::Database, |before, _| tail(before, 80).windows(7).any(|part| part == b"Table '")),
    sign("\" does not exist", Leak::Database, |before, _| {
        let near = tail(before, 80);
        [&b"relation \""[..], b"column \"", b"database \"", b"role \"", b"function \""]
            .iter()
            .any(|begin| has(near, begin))
    }),
    sign("SELECT ", Leak::Database, |_, behind| has(head(behind, 400), b" FROM ")),
    sign("select ", Leak::Database, |_, behind| {
        let near = head(behind, 400);
        has(near, b" from ") && (has_condition(near) || has(near, b"0_."))
    }),
    sign("INSERT INTO ", Leak::Database, |_, behind| has(head(behind, 400), b"VALUES")),
    sign("insert into ", Leak::Database, |_, behind| has(head(behind, 400), b"values")),
    sign("UPDATE ", Leak::Database, |_, behind| has(head(behind, 200), b" SET ")),
    sign("DELETE FROM ", Leak::Database, always),
    // Places in file systems.
    path("/home/"),
    path("/var/www/"),
    path("/var/lib/"),
    path("/var/log/"),
    path("/var/task/"),
    path("/usr/src/"),
    path("/usr/lib/"),
    path("/usr/local/"),
    path("/usr/share/"),
    path("/etc/"),
    path("/root/"),
    path("/Users/"),
    path("/proc/self"),
    path("/opt/"),
    path("/srv/"),
    path("/app/"),
    path("/workspace/"),
    path("/tmp/"),
    sign(":\\", Leak::FilePath, |before, behind| {
        let drive = before.last().is_some_and(u8::is_ascii_alphabetic);
        let alone = before.iter().rev().nth(1).is_none_or(|byte| !byte.is_ascii_alphanumeric());
        drive && alone && behind.first().is_some_and(u8::is_ascii_alphanumeric)
    }),
    // Hosts and addresses, but for those that name an inner host by themselves.
    sign("localhost:", Leak::InternalHost, |_, behind| starts_with_digits(behind, 2)),
    sign("ECONNREFUSED", Leak::InternalHost, always),
    sign("ECONNRESET", Leak::InternalHost, always),
    sign("ENOTFOUND", Leak::InternalHost, always),
    sign("ETIMEDOUT", Leak::InternalHost, always),
    sign("EAI_AGAIN", Leak::InternalHost, always),
    sign("dial tcp", Leak::InternalHost, always),
    sign("getaddrinfo", Leak::InternalHost, always),
    sign("HTTPConnectionPool(", Leak::InternalHost, always),
    sign("jdbc:", Leak::InternalHost, always),
    sign("postgres://", Leak::InternalHost, always),
    sign("postgresql://", Leak::InternalHost, always),
    sign("mysql://", Leak::InternalHost, always),
    sign("mongodb://", Leak::InternalHost, always),
    sign("mongodb+srv://", Leak::InternalHost, always),
    sign("redis://", Leak::InternalHost, always),
    sign("amqp://", Leak::InternalHost, always),
    network("127.", |before, behind| is_address(before, behind, 3)),
    sign("[::1]", Leak::InternalHost, always),
    // Pages for developers, and banners.
    page("Whitelabel Error Page"),
    page("Werkzeug Debugger"),
    page("Werkzeug powered traceback"),
    page("You're seeing this error because you have <code>DEBUG = True</code>"),
    page("Symfony Exception"),
    page("Whoops, looks like something went wrong"),
    page("Whoops! There was an error"),
    page("Server Error in '"),
    page("Action Controller: Exception caught"),
    page("Better Errors"),
    page("phpinfo()"),
    page("An unhandled exception occurred while processing the request"),
    page("Stack Query Cookies Headers"),
    page("Phusion Passenger"),
    page("sf-exceptionreset"),
    page("Ignition"),
    banner("Apache Tomcat/"),
    banner("Apache/"),
    banner("nginx/"),
    banner("openresty/"),
    banner("Microsoft-IIS/"),
    banner("Jetty://"),
    banner("Jetty/"),
    banner("WildFly/"),
    banner("WebLogic/"),
    banner("gunicorn/"),
    banner("Werkzeug/"),
    banner("PHP/"),
    banner("GlassFish "),
    banner("ASP.NET Version:"),
    banner("Express/"),
];

pub(super) fn always(_: &[u8], _: &[u8]) -> bool {
    true
}

pub(super) fn head(text: &[u8], bytes: usize) -> &[u8] {
    text.get(..bytes).unwrap_or(text)
}

pub(super) fn tail(text: &[u8], bytes: usize) -> &[u8] {
    text.get(text.len().saturating_sub(bytes)..).unwrap_or_default()
}

fn has(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// A condition of a statement: something is compared behind `where`.
fn has_condition(text: &[u8]) -> bool {
    const WHERE: &[u8] = b" where ";
    let begins = text.windows(WHERE.len()).position(|window| window == WHERE);
    let rest = begins.map_or(&[][..], |at| head(text.get(at + WHERE.len()..).unwrap_or_default(), 120));
    rest.iter().any(|byte| matches!(byte, b'=' | b'<' | b'>'))
        || [&b" in ("[..], b" like '", b" like $", b" is null", b" is not null", b" between "]
            .iter()
            .any(|compares| has(rest, compares))
}

fn starts_with_digits(text: &[u8], count: usize) -> bool {
    text.len() >= count && head(text, count).iter().all(u8::is_ascii_digit)
}

/// A name of a file before, a number behind.
fn is_source_line(before: &[u8], behind: &[u8]) -> bool {
    let named =
        before.last().is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'$' | b']'));
    named && behind.first().is_some_and(u8::is_ascii_digit)
}

/// A qualified name that ends like one of an exception: `System.Data.DBConcurrencyException`.
fn is_exception(before: &[u8], behind: &[u8]) -> bool {
    let name = behind.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_')).count();
    let name = head(behind, name);
    let starts = before.last().is_none_or(|byte| !byte.is_ascii_alphanumeric());
    starts && (has(name, b"Exception") || name.starts_with(b"Threading.") || name.starts_with(b"AspNetCore."))
}

fn is_goroutine(_: &[u8], behind: &[u8]) -> bool {
    starts_with_digits(behind, 1) && has(head(behind, 24), b"[")
}

/// A file below a folder that hosts have: more than one step, or a name with an ending. Addresses of APIs have neither.
fn is_path(before: &[u8], behind: &[u8]) -> bool {
    const ENDINGS: [&[u8]; 28] = [
        b"py", b"js", b"ts", b"mjs", b"cjs", b"rb", b"php", b"go", b"rs", b"java", b"jar", b"war", b"class", b"conf",
        b"cfg", b"ini", b"log", b"sock", b"yml", b"yaml", b"toml", b"so", b"pem", b"key", b"db", b"sqlite3", b"env",
        b"passwd",
    ];
    let begins =
        before.last().is_none_or(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'.' | b'-' | b'_' | b'}'));
    let length = behind.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"/._-@+".contains(byte)).count();
    let rest = head(behind, length);
    let last = rest.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let ending = last.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    let is_file = last.contains(&b'.') && ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known));
    begins && (is_file || rest == b"passwd" || rest == b"shadow")
}

fn is_banner(before: &[u8], behind: &[u8]) -> bool {
    let starts = before.last().is_none_or(|byte| !byte.is_ascii_alphanumeric());
    starts && behind.iter().take(2).any(u8::is_ascii_digit)
}

//! A client's connection in HTTP/1: request after request in order, each ended by its record, whatever happened.

mod end;
mod reading;

use crate::answer::{self, Next};
use crate::carry::channel::Channel;
use crate::carry::socket::Socket;
use crate::exchange::{Connection, Exchange};
use crate::worker::Worker;
use portcullis_types::Refusal;
use reading::Arrival;
pub(crate) use reading::refusal as head_refusal;

/// Serves a connection until it ends, or until it turns out to speak HTTP/2: then it is given back with what has been
/// read from it.
pub(crate) async fn serve(worker: &Worker, socket: Socket, connection: &Connection) -> Option<(Socket, Vec<u8>)> {
    let mut client = Channel::new(socket, worker.timers.timer_of(&connection.life));
    let limits = &connection.settings.limits;
    for served in 1..=limits.requests_per_connection {
        let mut exchange = match reading::arrival(worker, connection, &mut client, served == 1).await {
            Arrival::Request(exchange) => exchange,
            Arrival::Refused(exchange, refusal) => {
                turn_away(worker, &mut client, connection, exchange, refusal).await;
                return None;
            }
            Arrival::Http2 => return Some(client.into_parts()),
            Arrival::End => return None,
        };
        answer::begin(worker, connection, &mut exchange);
        let last = served == limits.requests_per_connection || connection.is_ending(&worker.shared);
        let local = worker.local();
        let next = answer::handle(worker, &local, connection, &mut exchange, &mut client, last).await;
        answer::finish(worker, &local, exchange);
        match next {
            Next::Request => {}
            Next::Discard(mut rest) => {
                if !end::discard(worker, &mut rest, &mut client).await {
                    break;
                }
            }
            Next::Close => break,
            Next::CloseSlowly => {
                end::close_slowly(worker, &mut client).await;
                return None;
            }
            Next::BreakOff => {
                client.break_off();
                return None;
            }
        }
    }
    end::close(worker, &mut client).await;
    None
}

/// Answers bytes that are no request of ours, and closes.
pub(crate) async fn turn_away(
    worker: &Worker,
    client: &mut Channel,
    connection: &Connection,
    mut exchange: Box<Exchange>,
    refusal: Refusal,
) {
    answer::begin(worker, connection, &mut exchange);
    let local = worker.local();
    let next = answer::refuse(worker, &local, connection, &mut exchange, client, &refusal.into(), true).await;
    answer::finish(worker, &local, exchange);
    if matches!(next, Next::CloseSlowly) {
        end::close_slowly(worker, client).await;
    }
}

// What changes while somebody looks: the overview is fetched anew, records are added as they come. Without it, pages can be loaded
// again.
"use strict";

const live = document.getElementById("live");
if (live) {
  const refresh = async () => {
    if (!document.hidden && !live.contains(document.activeElement)) {
      try {
        const answer = await fetch(location.href, { headers: { accept: "text/html" }, redirect: "error" });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.getElementById("live");
        if (answer.ok && fresh) {
          live.replaceChildren(...fresh.childNodes);
        }
      } catch {
        // The next look may do better.
      }
    }
    setTimeout(refresh, Number(live.dataset.every));
  };
  setTimeout(refresh, Number(live.dataset.every));
}

const records = document.getElementById("records");
if (records) {
  const MOST = 200;
  const state = document.getElementById("stream-state");
  const tones = { served: "good", answered: "good", refused: "warn", failed: "bad", truncated: "bad" };

  const took = (micros) => {
    if (micros === undefined) {
      return "–";
    }
    return micros < 1000 ? `${micros} µs` : micros < 1e6 ? `${Number((micros / 1000).toPrecision(2))} ms` : `${Number((micros / 1e6).toPrecision(2))} s`;
  };

  const cell = (row, child) => {
    const cell = row.insertCell();
    cell.append(child ?? "");
  };

  const element = (tag, text, attributes) => {
    const made = document.createElement(tag);
    made.textContent = text;
    for (const [name, value] of Object.entries(attributes)) {
      made.setAttribute(name, value);
    }
    return made;
  };

  // It is another one for each connection.
  const withoutPort = (peer) => peer?.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");

  const add = (record) => {
    if (records.dataset.reason && record.reason !== records.dataset.reason) {
      return;
    }
    const body = records.querySelector("tbody");
    if (!body) {
      // The first record: the table comes with the page.
      location.reload();
      return;
    }
    const row = body.insertRow(0);
    row.className = "fresh";
    cell(row, element("code", record.time.slice(11, 23), {}));
    cell(row, element("a", `${record.method} ${record.target}`, { href: `/requests/${encodeURIComponent(record.request_id)}` }));
    cell(row, element("span", record.outcome, { class: `badge ${tones[record.outcome] ?? "plain"}` }));
    cell(row, String(record.status));
    cell(row, record.reason);
    cell(row, record.api);
    cell(row, record.principal ?? record.client ?? withoutPort(record.peer));
    cell(row, took(record.total_us));
    while (body.rows.length > MOST) {
      body.deleteRow(-1);
    }
  };

  const stream = new EventSource(records.dataset.stream);
  stream.addEventListener("open", () => {
    state.textContent = "Live: new requests appear at the top.";
  });
  stream.addEventListener("error", () => {
    state.textContent = "Not live at the moment.";
  });
  stream.addEventListener("record", (event) => add(JSON.parse(event.data)));
  addEventListener("pagehide", () => stream.close());
}

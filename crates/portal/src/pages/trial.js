// Sends what the form says to the gateway, with the visitor's own credential, and shows the answer. Nothing is kept, here or elsewhere.
"use strict";

const SHOWN_MAX = 100_000;
const form = document.getElementById("trial-form");
const state = document.getElementById("trial-state");
const shown = document.getElementById("trial-answer");
const way = document.getElementById("trial-way");

const chosen = () => way?.value ?? "0";
const credentials = () => Array.from(form.querySelectorAll("[data-way]"));

const choose = () => {
  for (const one of credentials()) {
    one.hidden = one.dataset.way !== chosen();
  }
};

const inputs = (place) =>
  Array.from(form.querySelectorAll(`[data-place="${place}"]`)).filter((one) => {
    const owner = one.closest("[data-way]");
    return !owner || owner.dataset.way === chosen();
  });

/// The path with values in the places of parameters; one that begins with a star may have several segments.
const path = () =>
  form.dataset.path.replace(/\{(\*?)([^}]+)\}/g, (_, star, name) => {
    const value = inputs("path").find((one) => one.dataset.name === name)?.value ?? "";
    return star ? value.split("/").map(encodeURIComponent).join("/") : encodeURIComponent(value);
  });

const call = () => {
  const url = new URL(form.dataset.origin + path());
  for (const one of inputs("query").filter((one) => one.value)) {
    url.searchParams.append(one.dataset.name, one.value);
  }
  const fields = inputs("header").filter((one) => one.value).map((one) => [one.dataset.name, one.value]);
  const told = fields.map(([name, value]) => `${name}: ${value}`);
  for (const one of [...inputs("token"), ...inputs("key")].filter((one) => one.value)) {
    const before = one.dataset.place === "token" ? "Bearer " : "";
    fields.push([one.dataset.name, before + one.value.trim()]);
    told.push(`${one.dataset.name}: ${before}•••`);
  }
  const body = inputs("body")[0]?.value || undefined;
  const head = [`${form.dataset.method} ${url}`, ...told].join("\n");
  const options = { method: form.dataset.method, headers: fields, body, mode: "cors", credentials: "omit", cache: "no-store", redirect: "error" };
  return { url, options, told: body === undefined ? head : `${head}\n\n${body}` };
};

const element = (tag, text, ...children) => {
  const made = document.createElement(tag);
  made.append(...(text === "" ? [] : [text]), ...children);
  return made;
};

const code = (title, text) => [element("h3", title), element("pre", "", element("code", text))];

/// A body as people read it.
const readable = (text, type) => {
  if (/[/+]json\b/.test(type)) {
    try {
      return JSON.stringify(JSON.parse(text), undefined, 2);
    } catch {
      // As it came.
    }
  }
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}\n…` : text;
};

/// Why it was refused, and what to do.
const explained = (problem, answer) => {
  const box = element("div", "");
  box.className = "warning";
  box.append(element("p", "", element("strong", problem.title ?? "Refused")), element("p", problem.detail ?? ""));
  const after = answer.headers.get("retry-after");
  if (after) {
    box.append(element("p", `There is more in ${after} seconds.`));
  }
  if (/^[a-z0-9_]+$/.test(problem.code ?? "")) {
    const here = document.getElementById(`error-${problem.code}`);
    const link = element("a", `What ${problem.code} means and what to do`);
    link.href = here ? `#error-${problem.code}` : `${form.dataset.errors}${problem.code}.html`;
    link.addEventListener("click", () => {
      if (here) {
        here.open = true;
      }
    });
    box.append(element("p", "", link));
  }
  return box;
};

const send = async () => {
  state.textContent = "Sent; the answer has not come yet.";
  shown.replaceChildren();
  let told = "";
  try {
    const made = call();
    told = made.told;
    const answer = await fetch(made.url, made.options);
    const type = answer.headers.get("content-type") ?? "";
    const text = await answer.text();
    const fields = Array.from(answer.headers, ([name, value]) => `${name}: ${value}`);
    state.textContent = `Answered with ${answer.status}.`;
    shown.append(...code("Request", told));
    if (type.startsWith("application/problem+json")) {
      try {
        shown.append(explained(JSON.parse(text), answer));
      } catch {
        // The body below is all there is.
      }
    }
    shown.append(...code(`Answer ${answer.status}`, `${fields.join("\n")}\n\n${readable(text, type)}`));
  } catch (error) {
    state.textContent = "No answer can be read: the gateway is not there, or keeps pages from this call.";
    shown.append(...(told ? code("Request", told) : []), element("p", String(error)));
  }
};

form.hidden = false;
way?.addEventListener("change", choose);
choose();
form.addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});

// Works with the console as people do: comes in, sees a refusal appear, finds a request by its id, makes and revokes a key, acknowledges
// a finding, goes out; lets axe judge every page, light and dark, wide and narrow; takes pictures where a folder is named.
// Arguments: what of it, where playwright-core is, where axe-core is, the browser, the console's address, the gateway's, the password, a
// folder or nothing.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [part, packages, judges, executablePath, home, gateway, password, pictures] = process.argv.slice(2);
const { chromium } = createRequire(`${packages}/`)("playwright-core");
const axe = readFileSync(createRequire(`${judges}/`).resolve("axe-core/axe.min.js"), "utf8");

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

const call = async (path, fields = {}) => {
  const answer = await fetch(gateway + path, { headers: fields });
  await answer.arrayBuffer();
  return { status: answer.status, id: answer.headers.get("x-request-id") };
};

const logIn = async (page, words) => {
  await page.getByLabel("Name").fill("ada");
  await page.getByLabel("Password").fill(words);
  await page.getByRole("button", { name: "Log in" }).click();
};

/// What somebody does, and what he sees of it. The pages' policy is in force.
const work = async () => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  const said = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  const seen = {};
  await page.goto(`${home}/keys`);
  seen.asked = new URL(page.url()).pathname;
  await logIn(page, "wrong horse battery");
  seen.wrong = await page.getByRole("alert").textContent();
  said.length = 0;
  await logIn(page, password);
  await page.getByRole("heading", { name: "Keys", exact: true }).waitFor();
  seen.cookie = (await context.cookies()).map(({ name, httpOnly, sameSite }) => ({ name, httpOnly, sameSite }));

  await page.getByRole("link", { name: "Traffic" }).click();
  await page.getByText("Live: new requests appear at the top.").waitFor();
  const refused = await call("/closed");
  await page.locator(`#records a[href="/requests/${refused.id}"]`).waitFor();
  seen.live = (await page.locator("#records tbody tr").first().innerText()).replace(/\s+/g, " ");

  await page.getByLabel("Request id").fill(refused.id);
  await page.getByRole("button", { name: "Find" }).click();
  seen.found = (await page.locator("main").innerText()).replace(/\s+/g, " ");

  await page.getByRole("link", { name: "Keys" }).click();
  await page.getByLabel("Holder").fill("acme");
  await page.getByLabel("Scopes").fill("orders:read orders:write");
  await page.getByRole("button", { name: "Make the key" }).click();
  const key = (await page.locator("#key").innerText()).trim();
  seen.opens = (await call("/orders", { "x-api-key": key })).status;
  await page.getByRole("link", { name: "All keys" }).click();
  seen.listed = (await page.locator("main tbody tr").first().innerText()).replace(/\s+/g, " ");
  seen.shownAgain = (await page.content()).includes(key);
  await page.locator("main tbody a").first().click();
  await page.getByRole("button", { name: "Revoke it now" }).click();
  await page.getByText("revoked").waitFor();
  seen.revoked = (await call("/orders", { "x-api-key": key })).status;

  await page.getByRole("link", { name: "Findings" }).click();
  await page.getByRole("button", { name: "Acknowledge" }).first().click();
  seen.finding = (await page.locator("main tbody tr").first().innerText()).replace(/\s+/g, " ");

  await page.getByRole("link", { name: "Audit log" }).click();
  seen.log = (await page.locator("main tbody tr code").allInnerTexts()).slice(0, 4);

  // By the keyboard alone: the first stop skips the menu.
  await page.goto(home);
  await page.keyboard.press("Tab");
  seen.skip = await page.evaluate(() => document.activeElement.textContent);

  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("button", { name: "Log in" }).waitFor();
  await page.goto(`${home}/keys`);
  seen.out = new URL(page.url()).pathname;
  await context.close();
  return { ...seen, said };
};

/// What axe says of every page in one colour scheme, and whether anything leaves the page at the side.
const judge = async (colorScheme, refused) => {
  const pages = ["/", "/traffic", `/requests/${refused}`, "/findings", "/routes", "/policy?route=shop/orders", "/limits", "/rules", "/configuration", "/keys", "/issuers", "/upstreams", "/certificates", "/audit-log", "/nowhere"];
  const judged = [];
  for (const width of [1280, 390]) {
    // The judge is not a page's own script, so that the pages' policy is set aside here.
    const context = await browser.newContext({ colorScheme, bypassCSP: true, viewport: { width, height: 900 } });
    const page = await context.newPage();
    const look = async (path) => {
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => globalThis.axe.run());
      const wider = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
      judged.push({
        path,
        colorScheme,
        width,
        wider,
        violations: violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => node.html).join(" ")}`),
      });
      if (pictures) {
        await page.screenshot({ path: `${pictures}/${colorScheme}-${width}-${path.replace(/[^a-z]+/gi, "-").slice(0, 20)}.png` });
      }
    };
    await page.goto(`${home}/login`);
    await look("/login");
    await logIn(page, password);
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    for (const path of pages) {
      await page.goto(home + path);
      await look(path);
    }
    await context.close();
  }
  return judged;
};

/// Pages without a script.
const plain = async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(home);
  await logIn(page, password);
  await page.goto(`${home}/traffic?only=notable`);
  const rows = await page.locator("#records tbody tr").count();
  await page.goto(home);
  const chart = await page.locator("figure svg").getAttribute("aria-label");
  await context.close();
  return { rows, chart };
};

try {
  if (part === "work") {
    console.log(JSON.stringify({ done: await work(), plain: await plain() }));
  } else {
    const refused = await call("/closed");
    await call("/open");
    // A record is there a moment after its answer.
    await new Promise((resolve) => setTimeout(resolve, 500));
    console.log(JSON.stringify(await judge(part, refused.id)));
  }
} finally {
  await browser.close();
}

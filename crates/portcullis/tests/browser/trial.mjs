// Tries an operation from its page: a good call, one that does not fit the contract, one beyond a limit, one with a wrong key. Then
// somebody finds it by search, signs in, makes a key, tries it, reads why a call was refused, replaces the key and revokes it; axe judges
// the pages of an account, light and dark; pictures are taken where a folder is named.
// Arguments: where playwright-core is, the browser, the portal's address, the page of the operation, a key, where axe-core is, a password,
// a folder or nothing.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [packages, executablePath, home, path, key, judges, password, pictures] = process.argv.slice(2);
const { chromium } = createRequire(`${packages}/`)("playwright-core");
const axe = readFileSync(createRequire(`${judges}/`).resolve("axe-core/axe.min.js"), "utf8");
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

const send = async (page) => {
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText(/^Answered with|^No answer/).waitFor();
  return [await page.locator("#trial-state").innerText(), await page.locator("#trial-answer").innerText()];
};

/// What axe says of an account's pages, to somebody who has signed in.
const judged = async (storageState, paths) => {
  const all = [];
  for (const colorScheme of ["light", "dark"]) {
    const context = await browser.newContext({ colorScheme, bypassCSP: true, storageState, viewport: { width: 1280, height: 900 } });
    const page = await context.newPage();
    const asked = [];
    page.on("request", (request) => asked.push(request.url()));
    for (const [name, where] of paths) {
      await page.goto(home + where);
      if (pictures) await page.screenshot({ path: `${pictures}/${colorScheme}-account-${name}.png` });
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => globalThis.axe.run());
      all.push(...violations.map(({ id, nodes }) => `${colorScheme} ${where}: ${id}: ${nodes.slice(0, 3).map((node) => node.html).join(" ")}`));
    }
    all.push(...asked.filter((url) => !url.startsWith(home)));
    await context.close();
  }
  return all;
};

/// Somebody's keys, from the search to the end of a key. The account's pages are used without a script.
const account = async () => {
  const seen = { said: [] };
  const scripted = await browser.newContext();
  const trial = await scripted.newPage();
  await trial.goto(`${home}/search.html`);
  await trial.getByLabel("Words of a path").fill("things put");
  await trial.locator(".found-in li:visible a").first().click();
  seen.found = new URL(trial.url()).pathname;
  const call = async (own, body) => {
    await trial.getByLabel("id (path)").fill("8");
    await trial.getByLabel("API key").fill(own);
    await trial.getByLabel("Body").fill(body);
    return (await send(trial))[0];
  };

  const plain = await browser.newContext({ javaScriptEnabled: false });
  const page = await plain.newPage();
  page.on("console", (message) => message.text().startsWith("Failed to load resource") || seen.said.push(message.text()));
  page.on("dialog", (dialog) => seen.said.push(dialog.message()));
  await page.goto(home);
  await page.getByRole("link", { name: "Account" }).click();
  seen.asked = new URL(page.url()).pathname;
  const signIn = async (words) => {
    // As without a mouse.
    await page.getByLabel("Name").focus();
    await page.keyboard.type("dora");
    await page.keyboard.press("Tab");
    await page.keyboard.type(words);
    await page.keyboard.press("Enter");
  };
  await signIn("not the password");
  seen.wrong = await page.getByRole("alert").innerText();
  await signIn(password);
  await page.getByRole("heading", { name: "Your account" }).waitFor();
  seen.cookie = (await plain.cookies()).map(({ name, httpOnly, sameSite }) => ({ name, httpOnly, sameSite }));
  await page.getByLabel("Name").fill("Shop <img src=x onerror=alert(1)>");
  await page.getByLabel("About").fill("{{7*7}} <script>alert(2)</script>");
  await page.getByRole("button", { name: "Make the application" }).click();
  seen.application = await page.getByRole("heading", { level: 1 }).innerText();
  const application = new URL(page.url()).pathname;
  await page.getByLabel("Ends in days").fill("7");
  await page.getByRole("button", { name: "Make a key" }).click();
  const own = (await page.locator("#key").innerText()).trim();
  await page.getByRole("link", { name: "What is known of it" }).click();
  const place = new URL(page.url()).pathname;
  seen.again = (await page.locator("main").innerText()).includes(own);

  seen.good = await call(own, '{"name":"lamp"}');
  seen.refused = await call(own, '{"name":"lantern"}');
  const until = async (where, text) => {
    for (let look = 0; look < 100; look += 1) {
      await page.goto(home + where);
      const told = (await page.locator("main").innerText()).replace(/\s+/g, " ");
      if (text.test(told)) return told;
      await page.waitForTimeout(100);
    }
    return `no ${text}`;
  };
  seen.why = await until("/account/refusals", /invalid_body/);
  seen.usage = await until("/account/usage", /things 2 20/);
  await page.goto(home + place);
  await page.getByLabel("Hours for which this one opens still").fill("1");
  await page.getByRole("button", { name: "Make its successor" }).click();
  const next = (await page.locator("#key").innerText()).trim();
  seen.both = [await call(own, '{"name":"lamp"}'), await call(next, '{"name":"lamp"}')];
  await page.getByRole("link", { name: "What is known of it" }).click();
  seen.pages = await judged(await plain.storageState(), [
    ["overview", "/account"], ["application", application], ["key", new URL(page.url()).pathname],
    ["usage", "/account/usage"], ["refusals", "/account/refusals"],
  ]);
  await page.getByRole("button", { name: "Revoke it now" }).click();
  seen.state = (await page.locator("main").innerText()).replace(/\s+/g, " ");
  seen.revoked = await call(next, '{"name":"lamp"}');
  await page.goto(`${home}/account`);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.goto(`${home}/account`);
  seen.out = new URL(page.url()).pathname;
  seen.entrance = await judged(undefined, [["entrance", "/account/sign-in"]]);
  await plain.close();
  await scripted.close();
  return seen;
};

try {
  const context = await browser.newContext();
  const page = await context.newPage();
  const said = [];
  // What a browser says of each answer that is no success is what is looked for here.
  page.on("console", (message) => message.text().startsWith("Failed to load resource") || said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  const seen = {};
  page.on("request", (request) => {
    if (request.method() === "PUT" && !seen.path) {
      const url = new URL(request.url());
      seen.path = url.pathname + url.search;
    }
  });
  await page.goto(home + path);
  await page.getByLabel("id (path)").fill("8");
  await page.getByLabel("note (query, may be left out)").fill("a b");
  await page.getByLabel("API key").fill(key);
  [seen.state, seen.answer] = await send(page);
  await page.getByLabel("Body").fill('{"name":"lantern"}');
  [seen.unfit, seen.unfitWhy] = await send(page);
  for (let call = 0; call < 5 && seen.limited !== "Answered with 429."; call += 1) {
    [seen.limited, seen.limitedWhy] = await send(page);
  }
  await page.getByLabel("API key").fill("pk_wrong");
  [seen.wrong, seen.wrongWhy] = await send(page);
  await page.getByRole("link", { name: "What invalid_api_key means" }).click();
  seen.opened = await page.locator("#error-invalid_api_key").evaluate((one) => one.open);
  seen.kept = await page.evaluate(() => localStorage.length + sessionStorage.length + document.cookie.length);
  await page.goto(`${home}/apis/others/other.html`);
  seen.other = await page.locator("main").innerText();
  await context.close();
  const plain = await browser.newContext({ javaScriptEnabled: false });
  const read = await plain.newPage();
  await read.goto(home + path);
  seen.without = await read.locator("main").innerText();
  await plain.close();
  seen.account = await account();
  console.log(JSON.stringify({ ...seen, said }));
} finally {
  await browser.close();
}

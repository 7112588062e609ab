// Tries an operation from its page: a good call, one that does not fit the contract, one beyond a limit, one with a wrong key.
// Arguments: where playwright-core is, the browser, the portal's address, the page of the operation, a key.
import { createRequire } from "node:module";

const [packages, executablePath, home, path, key] = process.argv.slice(2);
const { chromium } = createRequire(`${packages}/`)("playwright-core");
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
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
  const send = async () => {
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText(/^Answered with|^No answer/).waitFor();
    const state = await page.locator("#trial-state").innerText();
    return [state, await page.locator("#trial-answer").innerText()];
  };
  await page.getByLabel("id (path)").fill("8");
  await page.getByLabel("note (query, may be left out)").fill("a b");
  await page.getByLabel("API key").fill(key);
  [seen.state, seen.answer] = await send();
  await page.getByLabel("Body").fill('{"name":"lantern"}');
  [seen.unfit, seen.unfitWhy] = await send();
  for (let call = 0; call < 5 && seen.limited !== "Answered with 429."; call += 1) {
    [seen.limited, seen.limitedWhy] = await send();
  }
  await page.getByLabel("API key").fill("pk_wrong");
  [seen.wrong, seen.wrongWhy] = await send();
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
  console.log(JSON.stringify({ ...seen, said }));
} finally {
  await browser.close();
}

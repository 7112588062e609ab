// Opens pages, light and dark, and lets axe judge them; types into the search if it is one of them; takes pictures where a folder is
// named. Arguments: where playwright-core is, where axe-core is, the browser, the address of all pages, the pages as JSON, a folder or nothing.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [packages, judges, executablePath, home, pages, pictures] = process.argv.slice(2);
const { chromium } = createRequire(`${packages}/`)("playwright-core");
const axe = readFileSync(createRequire(`${judges}/`).resolve("axe-core/axe.min.js"), "utf8");

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
try {
  const seen = [];
  for (const colorScheme of ["light", "dark"]) {
    // The judge is not a page's own script, so that the pages' policy is set aside here; the search below is under it.
    const context = await browser.newContext({ colorScheme, bypassCSP: true, viewport: { width: 1280, height: 900 } });
    const page = await context.newPage();
    let [asked, said] = [[], []];
    page.on("request", (request) => asked.push(request.url()));
    page.on("console", (message) => said.push(message.text()));
    page.on("pageerror", (error) => said.push(String(error)));
    for (const path of JSON.parse(pages)) {
      [asked, said] = [[], []];
      await page.goto(home + path);
      if (pictures) {
        const name = `${colorScheme}-${path.replace(/[^a-z0-9]+/gi, "-")}.png`;
        await page.screenshot({ path: `${pictures}/${name}`, fullPage: path.length < 2 });
      }
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => globalThis.axe.run());
      seen.push({
        path,
        colorScheme,
        title: await page.title(),
        violations: violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => node.html).join(" ")}`),
        elsewhere: asked.filter((url) => !url.startsWith(home)),
        said,
      });
    }
    await context.close();
  }
  const find = async (javaScriptEnabled) => {
    const context = await browser.newContext({ javaScriptEnabled });
    const page = await context.newPage();
    const said = [];
    page.on("console", (message) => said.push(message.text()));
    await page.goto(`${home}/search.html`);
    const all = await page.locator(".found-in li:visible").count();
    if (javaScriptEnabled) {
      await page.getByLabel("Words of a path").fill("thing put");
    }
    const found = await page.locator(".found-in li:visible").allTextContents();
    await context.close();
    return { all, found, said };
  };
  const searches = JSON.parse(pages).includes("/search.html");
  console.log(JSON.stringify(searches ? { seen, search: await find(true), without: await find(false) } : { seen }));
} finally {
  await browser.close();
}

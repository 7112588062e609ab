// Opens pages in a browser and lets each of them call; prints what it could read of each answer.
// Arguments: where the packages are, the browser, and the calls as JSON: [{ page, url, options }].
import { createRequire } from "node:module";

const [packages, executablePath, calls] = process.argv.slice(2);
const { chromium } = createRequire(`${packages}/`)("playwright-core");

const browser = await chromium.launch({
  executablePath,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
try {
  const seen = [];
  for (const { page: address, url, options } of JSON.parse(calls)) {
    const page = await browser.newPage();
    await page.goto(address);
    seen.push(
      await page.evaluate(
        async ({ url, options }) => {
          try {
            const answer = await fetch(url, options);
            const fields = Object.fromEntries(answer.headers.entries());
            return { status: answer.status, fields, body: await answer.text() };
          } catch (error) {
            return { blocked: String(error) };
          }
        },
        { url, options },
      ),
    );
    await page.close();
  }
  console.log(JSON.stringify(seen));
} finally {
  await browser.close();
}

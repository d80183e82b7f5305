// Pictures of every screen and state, in both themes and three widths, from the mock backend in headless Chromium:
//   node tests/ui-preview/shots.mjs [part of a scenario's name]
// Needs playwright-core, from wherever PLAYWRIGHT_FROM points, and a Chromium (CHROMIUM, otherwise on the PATH).
import { createReadStream, existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answers } from './fixtures.mjs';
import { scenarios } from './scenarios.mjs';

const { chromium } = createRequire(process.env.PLAYWRIGHT_FROM ?? import.meta.url)('playwright-core');
const root = fileURLToPath(new URL('../../', import.meta.url));
const ui = join(root, 'ui');
const out = join(root, 'target/screens/preview');
const wanted = process.argv[2] ?? '';

/** As in tauri.conf.json, so that a page that breaks it breaks here too. */
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };
const VIEWS = [
  { name: 'light', colorScheme: 'light', width: 960, height: 680 },
  { name: 'dark', colorScheme: 'dark', width: 960, height: 680 },
  { name: 'narrow', colorScheme: 'light', width: 640, height: 680 },
  { name: 'zoomed', colorScheme: 'dark', width: 480, height: 340 },
];

const server = createServer((request, response) => {
  const path = normalize(join(ui, new URL(request.url ?? '/', 'http://x').pathname));
  const file = path.endsWith('/') ? join(path, 'index.html') : path;
  if (!file.startsWith(ui) || !existsSync(file) || !statSync(file).isFile()) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'text/plain', 'content-security-policy': CSP });
  createReadStream(file).pipe(response);
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const address = `http://127.0.0.1:${server.address().port}/`;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const chosen = scenarios.filter(({ name }) => name.includes(wanted));
if (!wanted) rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
let faults = 0;

for (const view of VIEWS) {
  if (process.env.ONLY && process.env.ONLY !== view.name) continue;
  const context = await browser.newContext({ viewport: { width: view.width, height: view.height }, colorScheme: view.colorScheme, reducedMotion: 'reduce' });
  for (const scenario of chosen) {
    const page = await context.newPage();
    const complaints = [];
    page.on('console', (message) => message.type() === 'error' && !message.text().includes('favicon') && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.addInitScript((given) => Object.assign(window, { previewAnswers: given }), { ...answers(), ...scenario.answers });
    await page.addInitScript({ path: fileURLToPath(new URL('mock.js', import.meta.url)) });
    page.setDefaultTimeout(3_000);
    try {
      await page.goto(address);
      await page.waitForTimeout(60);
      await scenario.act?.(page);
      await page.waitForTimeout(60);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
      if (overflow) complaints.push('the page is wider than the window');
    } catch (error) {
      complaints.push(String(error).split('\n').slice(0, 3).join(' '));
    }
    await page.screenshot({ path: join(out, `${scenario.name}.${view.name}.png`) });
    for (const complaint of complaints) console.log(`${scenario.name} (${view.name}): ${complaint}`);
    faults += complaints.length;
    await page.close();
  }
  await context.close();
}

await browser.close();
server.close();
console.log(`${chosen.length} states in ${out.slice(root.length)}, ${faults} faults`);
process.exitCode = faults === 0 ? 0 : 1;

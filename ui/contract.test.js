import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

const here = new URL('./', import.meta.url);
const sources = readdirSync(here, { recursive: true })
  .filter((name) => name.endsWith('.js') && !name.endsWith('.test.js'))
  .map((name) => ({ name, text: readFileSync(new URL(name, here), 'utf8') }));
const backend = sources.find(({ name }) => name === 'backend.js').text;
const contract = [...backend.matchAll(/^ \*   ([a-z_]+): \[/gm)].map(([, command]) => command);
const called = new Set(sources.flatMap(({ text }) => [...text.matchAll(/call\('([a-z_]+)'/g)].map(([, command]) => command)));

test('every command of the contract is one that a screen uses', () => {
  assert.ok(contract.length > 60);
  assert.deepEqual(contract.filter((command) => !called.has(command)), []);
});

test('every command that a screen uses is in the contract', () => {
  assert.deepEqual([...called].filter((command) => !contract.includes(command)), []);
});

test('the contract and the commands of the app agree on names and arguments', () => {
  const folder = new URL('../src-tauri/src/commands/', here);
  const rust = readdirSync(folder).map((name) => readFileSync(new URL(name, folder), 'utf8')).join('\n');
  const found = [...rust.matchAll(/#\[tauri::command\][^(]*?fn ([a-z_]+)\(([^)]*)\)/g)].map(([, name, list]) => [name, parameters(list)]);
  assert.equal(contractArguments().length, contract.length);
  assert.deepEqual(new Map(found.sort(byName)), new Map(contractArguments().sort(byName)));
});

/** What the page has to pass, in camelCase; the rest is Tauri's to fill in. */
function parameters(list) {
  const passed = [...list.matchAll(/(\w+): ([^,]+)/g)].filter(([, , type]) => !/^(TheSession|State|AppHandle|Window|WebviewWindow|tauri::)/.test(type.trim()));
  return passed.map(([, name]) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase())).sort();
}

function contractArguments() {
  return [...backend.matchAll(/^ \*   ([a-z_]+): \[(.*), [^,]+\],$/gm)].map(([, name, list]) => {
    const own = [...list.matchAll(/(\w+): /g)].map(([, one]) => one);
    return [name, (/\bProof\b/.test(list) ? [...own, 'code', 'password'] : own).sort()];
  });
}

function byName([a], [b]) {
  return a < b ? -1 : 1;
}

test('only backend.js reaches for Tauri', () => {
  const others = sources.filter(({ name, text }) => name !== 'backend.js' && text.includes('__TAURI'));
  assert.deepEqual(others.map(({ name }) => name), []);
});

test('no script writes markup, inline styles or handlers, or evaluates text', () => {
  const forbidden = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\.style\b|\bstyle:|\bonclick\b|localStorage|sessionStorage/;
  const found = sources.filter(({ text }) => forbidden.test(text));
  assert.deepEqual(found.map(({ name }) => name), []);
});

test('the page has no inline script, style or handler', () => {
  const page = readFileSync(new URL('index.html', here), 'utf8');
  assert.doesNotMatch(page, /<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)/);
});

test('every icon that a script names is drawn', () => {
  const page = readFileSync(new URL('index.html', here), 'utf8');
  const drawn = new Set([...page.matchAll(/id="i-([a-z-]+)"/g)].map(([, name]) => name));
  const named = sources.flatMap(({ text }) => [...text.matchAll(/(?:icon\(|icon: |iconName: )'([a-z-]+)'/g)].map(([, name]) => name));
  assert.deepEqual(named.filter((name) => !drawn.has(name)), []);
});

test('a file stays short enough to be read in one sitting', () => {
  const long = sources.filter(({ text }) => text.split('\n').length > 400);
  assert.deepEqual(long.map(({ name }) => name), []);
});
